"""Voiding a lot takes back what it still holds, once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from tests.factories.balances import AT, set_held, spend, wallet_of
from tests.factories.journal import figures, journal, last_entry, lots
from wallets.balances.models import Wallet
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.void import CreditHeld, LotFinished, void_lot
from wallets.errors import NotFound
from wallets.ledger.models import JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def lot_of(wallet: Wallet, kind: str = "paid") -> CreditLot:
    return grant_credit(wallet_id=wallet.pk, amount=D(10), kind=kind, at=AT, expires_at=AT + timedelta(days=9))


def test_what_is_left_of_paid_credit_goes_to_adjustments() -> None:
    wallet = wallet_of("acme")
    lot = lot_of(wallet)
    spend(wallet, "4")
    voided = void_lot(lot_public_id=lot.public_id, at=AT, reason="Entered twice", actor="fiona")
    assert last_entry(wallet) == ("LOT_VOID", ["prepaid_liability @ paid -6.00", "adjustments 6.00"])
    assert (voided.state, voided.remaining) == ("VOIDED", 0)
    assert figures(wallet) == (0, 0)
    entry = JournalEntry.objects.get(kind="LOT_VOID")
    assert (entry.reference, entry.reason, entry.actor) == (lot.public_id, "Entered twice", "fiona")


def test_given_credit_comes_off_its_cost() -> None:
    wallet = wallet_of("acme")
    void_lot(lot_public_id=lot_of(wallet, "trial").public_id, at=AT, reason="")
    assert last_entry(wallet) == ("LOT_VOID", ["promotional_liability @ trial -10.00", "promotional_cost 10.00"])


def test_a_lot_for_the_future_is_voided_without_an_entry() -> None:
    wallet = wallet_of("acme")
    lot = grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT, effective_at=AT + timedelta(days=1))
    void_lot(lot_public_id=lot.public_id, at=AT, reason="")
    assert journal(wallet) == []
    assert lots(wallet) == [("paid", "VOIDED", 0)]
    spend(wallet, "1", at=AT + timedelta(days=2))
    assert figures(wallet) == (-1, 1)


def test_a_lot_is_voided_once() -> None:
    wallet = wallet_of("acme")
    lot = lot_of(wallet)
    void_lot(lot_public_id=lot.public_id, at=AT, reason="")
    with pytest.raises(LotFinished):
        void_lot(lot_public_id=lot.public_id, at=AT, reason="")
    assert [kind for kind, _ in journal(wallet)] == ["GRANT", "LOT_VOID"]


def test_a_lot_that_is_used_up_or_expired_is_not_voided() -> None:
    used, expired = wallet_of("acme"), wallet_of("globex")
    used_lot, expired_lot = lot_of(used), lot_of(expired)
    spend(used, "10")
    expire_lots(at=AT + timedelta(days=9))
    for lot in (used_lot, expired_lot):
        with pytest.raises(LotFinished):
            void_lot(lot_public_id=lot.public_id, at=AT, reason="")


def test_credit_that_work_in_flight_has_set_aside_is_not_voided() -> None:
    wallet = wallet_of("acme", credit="5")
    lot = lot_of(wallet)
    set_held(wallet, "6")
    with pytest.raises(CreditHeld):
        void_lot(lot_public_id=lot.public_id, at=AT, reason="")
    set_held(wallet, "5")
    void_lot(lot_public_id=lot.public_id, at=AT, reason="")
    assert figures(wallet) == (5, 0)


def test_a_lot_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        void_lot(lot_public_id="lot_nothing", at=AT, reason="")
