"""Money in, in the back office: what happened to a payment, webhooks handled again, differences owned and resolved."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.money_in import paid_in
from tests.factories.shop import NOW, Shop, text_of
from wallets.accounts.models import User
from wallets.payments.event_models import PaymentException, ProviderEvent
from wallets.payments.handle_event import handle_events
from wallets.payments.models import TopUp

pytestmark = pytest.mark.django_db
CONFIRM = {"step": "confirm", "token": "t", "reason": "Ticket 7"}


@pytest.fixture
def paid(shop: Shop) -> TopUp:
    return paid_in(shop.acme, at=NOW - timedelta(hours=1))


def address(model: str, verb: str, pk: int) -> str:
    return reverse(f"admin:wallets_{model}_{verb}", args=[pk])


def test_a_top_up_tells_its_life(paid: TopUp, finance: Client) -> None:
    page = text_of(finance.get(address("topup", "change", paid.pk)))
    for words in (
        "Acme", "25.00", "succeeded", "made by fiona@vendor.example", "credit granted", "receipt MAIN-2026-000001",
        "difference: Amount Differs", "wire:W-1",
    ):  # fmt: skip
        assert words in page, words


def test_a_customers_page_shows_its_payments(paid: TopUp, shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(reverse("admin:wallets_account_change", args=[shop.acme.account.pk])))
    for words in ("Money in", paid.public_id, "Wire", "Visa •••• 4242 (default)"):
        assert words in page, words
    assert paid.public_id not in text_of(finance.get(reverse("admin:wallets_account_change", args=[shop.globex.account.pk])))


def test_a_webhook_is_handled_again_with_a_reason(paid: TopUp, finance: Client) -> None:
    event = ProviderEvent.objects.get()
    page = finance.get(address("providerevent", "change", event.pk))
    assert "<script>" not in page.content.decode().split('id="body"')[1]
    assert "about nothing of ours" in text_of(page)
    assert finance.post(address("providerevent", "again", event.pk), CONFIRM).status_code == 302
    event.refresh_from_db()
    assert (event.state, event.next_try_at, event.handled_at) == ("RECEIVED", NOW, None)
    assert "To be handled again: Ticket 7" in text_of(finance.get(address("providerevent", "change", event.pk)))
    assert finance.post(address("providerevent", "again", event.pk), CONFIRM | {"token": "u"}).status_code == 422
    assert handle_events(at=NOW) == 1


def test_a_difference_has_an_owner_and_ends_with_a_reason(paid: TopUp, finance: Client, fiona: User) -> None:
    one = PaymentException.objects.get()
    page = text_of(finance.get(reverse("admin:wallets_paymentexception_changelist")))
    for words in ("Amount Differs", "25.00", "20.00", "1 hour", "nobody yet", "Differences 1"):
        assert words in page, words
    assert finance.post(address("paymentexception", "take", one.pk), CONFIRM).status_code == 302
    assert finance.post(address("paymentexception", "resolve", one.pk), {"step": "confirm", "token": "u"}).status_code == 422
    assert finance.post(address("paymentexception", "resolve", one.pk), CONFIRM | {"token": "v"}).status_code == 302
    one.refresh_from_db()
    assert (one.owner, one.closed_by, one.closed_at, one.note) == (fiona, fiona.email, NOW, "Ticket 7")
    page = text_of(finance.get(address("paymentexception", "change", one.pk)))
    for words in ("Taken: Ticket 7", "Resolved: Ticket 7", "fiona@vendor.example"):
        assert words in page, words
    assert finance.post(address("paymentexception", "take", one.pk), CONFIRM | {"token": "w"}).status_code == 422
    assert "pi_1" not in text_of(finance.get(reverse("admin:wallets_paymentexception_changelist")))


def test_support_looks_and_touches_nothing(paid: TopUp, support: Client, stranger: Client) -> None:
    event, one = ProviderEvent.objects.get(), PaymentException.objects.get()
    for url in (
        address("providerevent", "again", event.pk),
        address("paymentexception", "take", one.pk),
        address("paymentexception", "resolve", one.pk),
    ):
        assert support.post(url, CONFIRM).status_code == 403
        assert stranger.post(url, CONFIRM).status_code == 302  # to the sign-in page
    assert support.get(address("paymentexception", "change", one.pk)).status_code == 200
    assert PaymentException.objects.get().owner is None
