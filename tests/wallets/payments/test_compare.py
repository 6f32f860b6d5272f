"""The daily comparison finds what is planted, once, and nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from decimal import Decimal as D

import pytest

from tests.cast import Company
from tests.factories.payments import AT, new_top_up, topped_up
from tests.fakes.faulty_provider import FaultyProvider
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.payments.compare import compare_with_provider
from wallets.payments.event_models import PaymentException
from wallets.payments.exceptions import ExceptionClosed, close_exception
from wallets.payments.manual import ReferenceEntered, record_payment
from wallets.payments.models import PaymentMethod
from wallets.payments.providers.contract import Outcome
from wallets.payments.settle import settle_top_up
from wallets.payments.start import start_payment

pytestmark = pytest.mark.django_db

LATER = AT + timedelta(hours=1)


def found() -> list[tuple[str, D, D]]:
    return [(one.kind, one.expected, one.found) for one in PaymentException.objects.order_by("id")]


def test_books_that_agree_have_no_differences(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    for number in range(3):
        topped_up(acme.wallet, request_key=str(number))
    assert (compare_with_provider(at=LATER), found()) == (0, [])


def test_planted_differences_are_found_once(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    topped_up(acme.wallet, "10", request_key="1")
    # A missing credit: the bank paid, and nobody told us.
    provider.asks.add(card.provider_id)
    topped_up(acme.wallet, "20", request_key="2")
    provider.take("pi_2")
    # A double credit: the same money granted again by hand, as if it came through the provider.
    grant_credit(wallet_id=acme.wallet.pk, amount=D(10), kind="paid", at=AT, source="stripe")
    # A charge of another amount than was agreed.
    provider.asks.clear()
    topped_up(acme.wallet, "30", request_key="3")
    provider.lines[0] = replace(provider.lines[0], amount=D("30.01"))
    # A charge that nobody asked for.
    provider.lines.insert(0, replace(provider.lines[0], id="txn_x", payment_id="pi_x", amount=D(7)))
    assert (compare_with_provider(at=LATER), compare_with_provider(at=LATER)) == (4, 0)
    assert sorted(found()) == [
        ("amount_differs", D(30), D("30.01")),
        ("credit_without_payment", D(10), D(0)),
        ("missing_credit", D(20), D(20)),
        ("payment_unknown", D(0), D(7)),
    ]
    exception = PaymentException.objects.earliest("id")
    close_exception(pk=exception.pk, note="Refunded by hand.", actor="fiona@vendor.example", at=LATER)
    with pytest.raises(ExceptionClosed):
        close_exception(pk=exception.pk, note="Again.", actor="fiona@vendor.example", at=LATER)


@pytest.mark.parametrize(("amount", "currency"), [("49.99", "USD"), ("50", "EUR")])
def test_a_payment_of_another_amount_or_currency_grants_nothing(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, amount: str, currency: str
) -> None:
    provider.asks.add(card.provider_id)
    top_up = start_payment(top_up=new_top_up(acme.wallet), at=AT).top_up
    paid = replace(provider.payments["pi_1"], outcome=Outcome.SUCCEEDED, amount=D(amount), currency=currency)
    for _ in range(2):
        assert settle_top_up(top_up_id=top_up.pk, payment=paid, at=AT).state == "REQUIRES_ACTION"
    acme.wallet.refresh_from_db()
    assert (acme.wallet.version, found()) == (0, [("amount_differs", D(50), D(amount))])


def test_a_wire_is_entered_once_with_its_reference(acme: Company, books_hold: None) -> None:
    wallet = Wallet.objects.select_related("account").get(pk=acme.wallet.pk)
    made = record_payment(
        wallet=wallet,
        amount=D(25_000),
        means="wire",
        reference="F-118",
        at=AT,
        actor="fiona@vendor.example",
        note="Invoice 118",
    )
    assert (made.state, made.origin, made.receipt.paid_with) == ("SUCCEEDED", "finance", "Wire")
    with pytest.raises(ReferenceEntered):
        record_payment(wallet=wallet, amount=D(1), means="wire", reference="F-118", at=AT, actor="fiona@vendor.example")
    record_payment(wallet=wallet, amount=D(1), means="cheque", reference="F-118", at=AT, actor="fiona@vendor.example")
    wallet.refresh_from_db()
    assert wallet.balance == D(25_001)
