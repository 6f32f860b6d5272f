"""The back office's front page, its search, its roles."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from billing_site.backoffice.roles import ROLES, grant_roles
from metering.usage.models import UsageEvent
from tests.cast import PASSWORD
from tests.factories.shop import Shop, browser_of, text_of
from wallets.accounts.models import User
from wallets.credit.models import CreditLot

pytestmark = pytest.mark.django_db


def test_today_says_what_is_owed_used_and_waiting(shop: Shop, finance: Client, django_assert_num_queries: Any) -> None:
    with django_assert_num_queries(38):
        page = text_of(finance.get(reverse("admin:index")))
    assert "Liability: paid credit not used yet 9.90 USD" in page
    assert "Consumed in November: revenue 0.15 USD" in page
    assert "Unrated events 1 wait for a price" in page
    assert "Acme paid 10.00 USD" in page


def test_an_empty_shop_says_how_to_begin(finance: Client) -> None:
    page = text_of(finance.get(reverse("admin:index")))
    assert "No usage yet. Send the first event to POST /api/v1/events." in page
    assert "nothing waits" in page


def test_someone_without_a_role_sees_no_money(shop: Shop) -> None:
    newcomer = User.objects.create_user("new@vendor.example", PASSWORD, is_staff=True)
    page = text_of(browser_of(newcomer).get(reverse("admin:index")))
    assert "You have no role" in page
    assert "9.90" not in page
    assert "Wallets" not in page


def test_after_signing_in_staff_come_to_the_front_page(fiona: User) -> None:
    browser = Client()
    login = reverse("admin:login")
    page = browser.get(login, follow=True)
    url = page.request["PATH_INFO"] + "?" + page.request["QUERY_STRING"]
    response = browser.post(url, {"login": fiona.email, "password": PASSWORD})
    assert response["Location"] == reverse("admin:index")


def test_the_search_goes_from_an_id_to_its_record(shop: Shop, finance: Client) -> None:
    lot = CreditLot.objects.get(reason="Welcome credit")
    event = UsageEvent.objects.get(event_id="req_2")
    for term, address in (
        ("acme", reverse("admin:wallets_account_change", args=[shop.acme.account.pk])),
        (shop.acme.wallet.public_id, reverse("admin:wallets_wallet_change", args=[shop.acme.wallet.pk])),
        (lot.public_id, reverse("admin:wallets_creditlot_change", args=[lot.pk])),
        ("req_2", reverse("admin:metering_usageevent_change", args=[event.pk])),
    ):
        html = finance.get(reverse("admin:search"), {"s": term, "extended": "1"}).content.decode()
        assert address in html, term


def test_the_search_shows_only_what_one_may_see(shop: Shop) -> None:
    newcomer = User.objects.create_user("new@vendor.example", PASSWORD, is_staff=True)
    html = browser_of(newcomer).get(reverse("admin:search"), {"s": "acme", "extended": "1"}).content.decode()
    assert "/account/" not in html


def test_roles_are_granted_exactly_as_the_table_says(db: None) -> None:
    grant_roles()
    Group.objects.get(name="operator").permissions.clear()
    grant_roles()
    for role, permissions in ROLES.items():
        held = Group.objects.get(name=role).permissions.values_list("content_type__app_label", "codename")
        assert {f"{app}.{code}" for app, code in held} == set(permissions)


def test_operators_may_grant_credit_and_others_may_not(shop: Shop) -> None:
    grant_roles()
    url = reverse("admin:wallets_wallet_grant_credit", args=[shop.acme.wallet.pk])
    for role, status in (("operator", 200), ("support", 403), ("controller", 403)):
        person = User.objects.create_user(f"{role.split()[0]}@vendor.example", PASSWORD, is_staff=True)
        person.groups.add(Group.objects.get(name=role))
        browser = browser_of(person)
        assert browser.get(url).status_code == status
        assert browser.get(reverse("admin:wallets_wallet_change", args=[shop.acme.wallet.pk])).status_code == 200
        assert browser.get(reverse("admin:wallets_user_changelist")).status_code == 403
