"""The wallet page, and what finance does there: every action asks, shows before and after, and happens once."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.adjustments import may_alone
from tests.factories.balances import AT, wallet_of
from tests.factories.shop import NOW, Shop, text_of
from wallets import clock
from wallets.accounts.models import User
from wallets.approvals.models import MovedAlone
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture(autouse=True)
def _within_her_limit(fiona: User) -> None:
    """Fiona may move 10,000 USD alone."""
    may_alone(fiona, "10000")


def page_of(wallet: Wallet) -> str:
    """The wallet page's address."""
    return reverse("admin:wallets_wallet_change", args=[wallet.pk])


def action(wallet: Wallet, name: str, *more: int) -> str:
    """An action's address."""
    return reverse(f"admin:wallets_wallet_{name}", args=[wallet.pk, *more])


def confirm(browser: Client, url: str, answers: dict[str, Any]) -> Any:
    """Ask, look, confirm, as a person does."""
    token = re.search(r'name="token" value="(\w+)"', browser.get(url).content.decode())
    assert token is not None
    review = browser.post(url, {**answers, "step": "review", "token": token[1]})
    assert review.status_code == 200, text_of(review)
    return browser.post(url, {**answers, "step": "confirm", "token": token[1]})


def test_it_shows_what_is_available_of_what_and_how_it_moved(shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(page_of(shop.acme.wallet)))
    assert "Available as of 23 Nov 2026, 12:00 9.90 USD" in page
    assert "Paid 9.90 USD" in page
    assert "Promotional" not in page.split("Credit lots")[0]
    assert re.search(r"Wire transfer lot_\w+ Paid 99 % 9\.90 10\.00 50 never", page)
    assert "Usage given back" in page
    assert "−0.15" in page


def test_an_empty_wallet_says_what_to_do(shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(page_of(shop.globex.wallet)))
    assert "No credit. Grant some, or wait for the customer to pay." in page
    assert "Nothing has moved yet." in page


def test_credit_is_granted_after_a_look_at_what_will_happen(shop: Shop, finance: Client, fiona: User) -> None:
    wallet = shop.acme.wallet
    answers = {"amount": "2.50", "kind": "compensation", "priority": "20", "valid_through": "2026-12-24", "reason": "Outage"}
    url = action(wallet, "grant_credit")
    review = text_of(finance.post(url, {**answers, "step": "review", "token": "t1"}))
    assert "Balance 9.90 USD 12.40 USD" in review
    assert not CreditLot.objects.filter(reason="Outage").exists()
    response = confirm(finance, url, answers)
    assert response["Location"] == page_of(wallet)
    lot = CreditLot.objects.get(reason="Outage")
    assert (lot.amount, lot.kind, lot.priority) == (Decimal("2.5"), "compensation", 20)
    assert lot.expires_at == datetime(2026, 12, 25, tzinfo=UTC)
    entry = wallet.entries.order_by("-wallet_version")[0]
    assert (entry.actor, entry.reason) == (fiona.email, "Outage")
    assert "2.50 USD granted" in text_of(finance.get(page_of(wallet)))


def test_above_ones_limit_nobody_grants_alone(shop: Shop, finance: Client) -> None:
    answers = {"amount": "10000.01", "kind": "trial", "priority": "50", "reason": "Try", "step": "confirm", "token": "t"}
    refused = finance.post(action(shop.acme.wallet, "grant_credit"), answers)
    assert refused.status_code == 422
    assert "a second person approves it there" in text_of(refused)
    assert not CreditLot.objects.filter(reason="Try").exists()


def test_pieces_granted_within_a_day_count_together(shop: Shop, finance: Client, fiona: User) -> None:
    half = {"amount": "5000", "kind": "trial", "priority": "50", "reason": "Half", "step": "confirm"}
    url = action(shop.acme.wallet, "grant_credit")
    assert [finance.post(url, half | {"token": token}).status_code for token in "abc"] == [302, 302, 422]
    assert "at most 0" in text_of(finance.post(url, half | {"token": "d"}))
    with clock.set_to(NOW + timedelta(hours=25)):
        assert finance.post(url, half | {"token": "e"}).status_code == 302
    assert MovedAlone.objects.filter(user=fiona, kind="grant").count() == CreditLot.objects.filter(reason="Half").count() == 3


def test_a_confirmation_sent_twice_happens_once(shop: Shop, finance: Client) -> None:
    wallet = shop.acme.wallet
    answers = {"amount": "1", "kind": "trial", "priority": "50", "reason": "Try", "step": "confirm", "token": "same"}
    assert finance.post(action(wallet, "grant_credit"), answers).status_code == 302
    again = finance.post(action(wallet, "grant_credit"), answers)
    assert again.status_code == 422
    assert "nothing was done twice" in text_of(again)
    assert CreditLot.objects.filter(reason="Try").count() == 1


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"amount": "0"}, "Give an amount above zero"),
        ({"amount": "1e30"}, "no more than 30 digits"),
        ({"amount": "NaN"}, "Enter a number"),
        ({"reason": ""}, "This field is required"),
        ({"kind": "gift"}, "Select a valid choice"),
        ({"valid_through": "2020-01-01"}, "expires_at"),
    ],
)
def test_a_grant_that_cannot_be_is_refused_with_the_field_named(
    wrong: dict[str, str], said: str, shop: Shop, finance: Client
) -> None:
    answers = {"amount": "1", "kind": "paid", "priority": "50", "reason": "R", "step": "confirm", "token": "t"} | wrong
    response = finance.post(action(shop.globex.wallet, "grant_credit"), answers)
    assert response.status_code == 422
    if said != "expires_at":
        assert said in text_of(response)
    assert not shop.globex.wallet.lots.exists()


def test_a_wallet_is_frozen_and_thawed_with_a_reason(shop: Shop, finance: Client) -> None:
    wallet = shop.acme.wallet
    confirm(finance, action(wallet, "freeze"), {"reason": "Chargeback"})
    wallet.refresh_from_db()
    assert wallet.status == Wallet.Status.FROZEN
    again = finance.post(action(wallet, "freeze"), {"reason": "Again", "step": "confirm", "token": "x"})
    assert again.status_code == 422
    assert "frozen already" in text_of(again)
    confirm(finance, action(wallet, "thaw"), {"reason": "Cleared"})
    wallet.refresh_from_db()
    assert wallet.status == Wallet.Status.ACTIVE
    history = text_of(finance.get(reverse("admin:wallets_wallet_history", args=[wallet.pk])))
    assert "Frozen: Chargeback" in history
    assert "Thawed: Cleared" in history


def test_a_lot_is_voided_after_a_look_at_what_it_takes(shop: Shop, finance: Client) -> None:
    wallet = shop.acme.wallet
    lot = wallet.lots.get(reason="Wire transfer")
    url = action(wallet, "void_lot", lot.pk)
    review = text_of(finance.post(url, {"reason": "Returned", "step": "review", "token": "t"}))
    assert "Left in the lot 9.90 USD 0.00 USD" in review
    confirm(finance, url, {"reason": "Returned"})
    lot.refresh_from_db()
    wallet.refresh_from_db()
    assert (lot.state, lot.remaining, wallet.balance) == ("VOIDED", 0, 0)


def test_a_lot_of_another_wallet_is_not_found_under_this_one(shop: Shop, finance: Client) -> None:
    other = wallet_of("initech", credit="5")
    assert finance.get(action(shop.acme.wallet, "void_lot", other.lots.get().pk)).status_code == 404


def test_support_sees_the_page_and_none_of_its_buttons(shop: Shop, support: Client) -> None:
    wallet = shop.acme.wallet
    page = text_of(support.get(page_of(wallet)))
    assert "9.90 USD" in page
    for label in ("Grant credit", "Freeze", "Void"):
        assert label not in page
    lot = wallet.lots.get(reason="Wire transfer")
    for url in (
        action(wallet, "grant_credit"),
        action(wallet, "freeze"),
        action(wallet, "thaw"),
        action(wallet, "void_lot", lot.pk),
    ):
        assert support.get(url).status_code == 403
        assert support.post(url, {"reason": "x", "step": "confirm", "token": "t"}).status_code == 403


def test_an_action_takes_a_person_who_signed_in(shop: Shop) -> None:
    wallet = shop.acme.wallet
    assert Client().post(action(wallet, "freeze"), {"reason": "x", "step": "confirm"}).status_code == 302
    wallet.refresh_from_db()
    assert wallet.status == Wallet.Status.ACTIVE


def test_a_wallet_in_yen_has_no_decimals_and_a_long_name_breaks_nothing(shop: Shop, finance: Client) -> None:
    wallet = wallet_of("long", credit="1234567", currency="JPY", at=AT)
    wallet.account.name = "Quarterly Reconciliation " * 4
    wallet.account.save(update_fields=["name"])
    assert "1,234,567 JPY" in text_of(finance.get(page_of(wallet)))
