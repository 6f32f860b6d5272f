"""What is asked wrongly is told which field; who may not read money does not."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from billing_site.backoffice.reports import REPORTS
from tests.factories.shop import Shop, browser_of, text_of
from wallets.accounts.models import User


def test_the_list_leads_to_every_report(shop: Shop, finance: Client) -> None:
    page = finance.get("/admin/reports/").content.decode()
    assert all(f'href="/admin/reports/{slug}/"' in page for slug in REPORTS)


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        ({"first_day": "2026-11-09", "last_day": "2026-11-02"}, "before the first day"),
        ({"first_day": "1990-01-01", "last_day": "2026-11-02"}, "days at once"),
        ({"first_day": "soon"}, "valid date"),
    ],
)
def test_a_wrong_day_is_named(shop: Shop, finance: Client, asked: dict[str, str], said: str) -> None:
    answer = finance.get("/admin/reports/liability/", asked)
    assert answer.status_code == 422
    assert said in text_of(answer)


def test_what_is_needed_is_asked_for_and_whom_nobody_knows_is_said(shop: Shop, finance: Client) -> None:
    assert "Fill in: Account key" in text_of(finance.get("/admin/reports/chargeback/"))
    unknown = finance.get("/admin/reports/chargeback/", {"account": "nobody"})
    assert unknown.status_code == 422
    assert finance.get("/admin/reports/nothing/").status_code == 404


def test_a_report_of_money_is_for_those_who_may_read_the_journal(shop: Shop) -> None:
    reader = User.objects.create_user(email="rita@northwind.example", password="x", is_staff=True)
    reader.user_permissions.add(Permission.objects.get(codename="view_hourlyusage"))
    browser = browser_of(reader)
    assert browser.get("/admin/reports/revenue/").status_code == 200
    assert browser.get("/admin/reports/liability/").status_code == 403
    assert "Liability" not in browser.get("/admin/reports/").content.decode()
    nobody = User.objects.create_user(email="nina@northwind.example", password="x", is_staff=True)
    assert browser_of(nobody).get("/admin/reports/").status_code == 403


def test_a_report_takes_as_many_queries_whatever_it_holds(
    shop: Shop, finance: Client, django_assert_max_num_queries: Any
) -> None:
    for slug in REPORTS:
        finance.get(f"/admin/reports/{slug}/")
        with django_assert_max_num_queries(45):
            finance.get(f"/admin/reports/{slug}/", {"account": "acme"})
