"""Refunds that race each other, and refunds that race a charge, with their control: without the wallet's lock more goes back
than there is."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal as D
from threading import Barrier
from typing import Any

import pytest
from pytest_django.fixtures import Settings

from tests.cast import OPENED_AT
from tests.factories.balances import spend
from tests.factories.journal import assert_books_hold
from tests.factories.payments import AT, provider_in_memory, saved_card, topped_up
from tests.factories.refunds import LATER, WHY, assert_money_back_is_proved
from tests.fakes.faulty_provider import FaultyProvider
from tests.threads import at_once
from wallets.accounts.open import open_account
from wallets.balances.open import open_wallet
from wallets.credit.models import CreditLot
from wallets.payments.models import TopUp
from wallets.refunds.models import Refund
from wallets.refunds.refund import MoreThanUnused, refund_top_up
from wallets.refunds.send import send_refund

pytestmark = pytest.mark.django_db(transaction=True)
THREADS = 8


@pytest.fixture
def paid(settings: Settings) -> Iterator[tuple[TopUp, FaultyProvider]]:
    """100 were paid."""
    with provider_in_memory(settings) as provider:
        account = open_account(key="racer", name="Racer", at=OPENED_AT, currency="USD")
        wallet = open_wallet(account=account, currency="USD", at=OPENED_AT)
        saved_card(account)
        yield topped_up(wallet, "100").top_up, provider


def refund_of(top_up: TopUp, credit: str) -> Callable[[], Refund]:
    def run() -> Refund:
        return send_refund(refund=refund_top_up(top_up=top_up, credit=D(credit), why=WHY, at=LATER), at=LATER)

    return run


def test_of_refunds_at_the_same_moment_only_those_that_fit_go_through(paid: tuple[TopUp, FaultyProvider]) -> None:
    top_up, provider = paid
    spend(top_up.wallet, "65", at=AT)
    answers = at_once([refund_of(top_up, "30")] * THREADS)
    assert [type(one) for one in answers if not isinstance(one, Refund)] == [MoreThanUnused] * (THREADS - 1)
    assert provider.given_back == [D(30)]
    assert CreditLot.objects.get().remaining == 5
    assert_books_hold()
    assert_money_back_is_proved()


def test_a_refund_and_charges_of_the_same_credit_never_take_it_twice(paid: tuple[TopUp, FaultyProvider]) -> None:
    top_up, provider = paid
    charges: list[Callable[[], Any]] = [lambda: spend(top_up.wallet, "10", at=AT) for _ in range(THREADS)]
    answers = at_once([*charges, refund_of(top_up, "60")])
    refunded = isinstance(answers[-1], Refund)
    assert provider.given_back == ([D(60)] if refunded else [])
    top_up.wallet.refresh_from_db()
    assert top_up.wallet.balance == (D(-40) if refunded else D(20))
    assert top_up.wallet.overdraft == (D(40) if refunded else D(0))
    assert_books_hold()
    assert_money_back_is_proved()


def test_looking_first_and_sending_afterwards_gives_back_what_was_used(paid: tuple[TopUp, FaultyProvider]) -> None:
    """The control: the provider itself only minds that no more goes back than was paid."""
    top_up, provider = paid
    spend(top_up.wallet, "65", at=AT)
    all_have_looked = Barrier(THREADS, timeout=30)

    def refund_in_a_hurry(number: int) -> None:
        unused = CreditLot.objects.get().remaining
        all_have_looked.wait()
        if unused >= D(30):
            provider.create_refund(
                key=f"hurry:{number}", payment_id="pi_1", amount=D(30), currency="USD", reference="", reason="hurry"
            )

    at_once([lambda number=number: refund_in_a_hurry(number) for number in range(THREADS)])
    assert sum(provider.given_back) > D(35)
