"""The page of spend caps: everybody of the account sees them, an owner changes them."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse

from metering.caps.models import SpendCap
from metering.caps.set_cap import CapTerms, set_cap
from tests.factories.balances import AT
from tests.factories.events import send
from tests.factories.shop import Shop, browser_of, text_of
from wallets.accounts.models import Account, Member, User

pytestmark = pytest.mark.django_db

CAPS = reverse("portal:caps", args=["acme"])
NEW = {"what": "set", "scope": "user", "value": "", "window": "month", "limit": "20", "unit": "USD"}


def in_force() -> list[tuple[str, str, str, D]]:
    return list(SpendCap.objects.filter(state="ACTIVE").order_by("pk").values_list("scope", "value", "window", "limit"))


def test_an_owner_sets_changes_and_removes_a_cap(shop: Shop, customer: Client) -> None:
    assert "No caps. Calls go on as long as there is credit." in text_of(customer.get(CAPS))
    assert customer.post(CAPS, NEW).status_code == 302
    assert (
        customer.post(CAPS, NEW | {"scope": "api_key", "value": "prod-1", "unit": "meter:llm.output_tokens"}).status_code == 302
    )
    assert in_force() == [("user", "", "month", D(20)), ("api_key", "prod-1", "month", D(20))]
    page = text_of(customer.get(CAPS))
    assert "Each user USD, a month" in page
    assert "API key prod-1 llm.output_tokens, a month" in page
    first = SpendCap.objects.order_by("pk")[0]
    customer.post(CAPS, {"what": "change", "cap": first.public_id, "limit": "2.5"})
    assert in_force()[0] == ("user", "", "month", D("2.5"))
    customer.post(CAPS, {"what": "remove", "cap": first.public_id})
    assert in_force() == [("api_key", "prod-1", "month", D(20))]
    assert SpendCap.objects.get(pk=first.pk).actor == "owner@acme.example"


def test_use_so_far_and_when_it_resets_in_the_accounts_zone(shop: Shop, customer: Client) -> None:
    Account.objects.filter(pk=shop.acme.account.pk).update(time_zone="Asia/Tokyo")
    send(shop.acme.wallet, ("u1", {"input_tokens": 4000, "user": "u_1"}), ("u2", {"input_tokens": 9000, "user": "u_2"}))
    account = Account.objects.get(pk=shop.acme.account.pk)
    set_cap(account=account, terms=CapTerms("user", "day", D("0.08"), currency="USD"), at=AT)
    set_cap(account=account, terms=CapTerms("account", "total", D(100), currency="USD"), at=AT)
    page = text_of(customer.get(CAPS))
    assert "u_2: 0.09 reached" in page
    assert "u_1: 0.04 0.08 USD 24 Nov, 00:00" in page
    assert "100.00 USD never" in page
    assert "those of Asia/Tokyo" in page


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"limit": "a lot"}, "Limit: a number, such as 50 or 12.50."),
        ({"limit": "-1"}, "Limit: "),
        ({"scope": "account", "value": "u_1"}, "Value: empty for the account as a whole."),
        ({"unit": "meter:nothing"}, "Meter: the code of a meter."),
    ],
)
def test_what_cannot_be_a_cap_is_said_and_kept_in_the_form(
    shop: Shop, customer: Client, change: dict[str, str], problem: str
) -> None:
    answer = customer.post(CAPS, NEW | {"limit": "7", "value": "u_<1>"} | change)
    assert answer.status_code == 422
    assert problem in text_of(answer)
    assert f'value="{change.get("limit", "7")}"' in answer.content.decode()
    assert in_force() == []


def test_a_member_who_is_no_owner_looks_and_touches_nothing(shop: Shop, customer: Client) -> None:
    customer.post(CAPS, NEW)
    member = User.objects.create_user("billing@acme.example", "x")
    Member.objects.create(account=shop.acme.account, user=member, role=Member.Role.BILLING, created_at=AT)
    browser = browser_of(member)
    page = text_of(browser.get(CAPS))
    assert ("Each user" in page, "Set a cap" in page) == (True, False)
    cap = SpendCap.objects.get()
    for body in (NEW | {"scope": "team"}, {"what": "remove", "cap": cap.public_id}):
        assert browser.post(CAPS, body).status_code == 403
    assert in_force() == [("user", "", "month", D(20))]


def test_a_stranger_changes_nothing_of_anothers_from_a_page_of_its_own(shop: Shop, customer: Client, stranger: Client) -> None:
    customer.post(CAPS, NEW)
    cap = SpendCap.objects.get()
    own = reverse("portal:caps", args=["globex"])
    for body in ({"what": "remove", "cap": cap.public_id}, {"what": "change", "cap": cap.public_id, "limit": "9"}):
        assert stranger.post(own, body).status_code == 404
    assert cap.public_id not in stranger.get(own).content.decode()
    assert in_force() == [("user", "", "month", D(20))]
