"""A reversal turns the signs of an entry, names it, and can be made once (I7)."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.db import transaction
from psycopg.errors import UniqueViolation

from tests.factories.balances import AT, set_held, spend, wallet_of
from tests.factories.journal import figures, last_entry, lots
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.credit.reverse import AlreadyReversed, NotReversible, reverse_entry
from wallets.credit.void import CreditHeld
from wallets.errors import InvalidInput, NotFound
from wallets.ledger.chart import chart_account
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def entry_of(wallet: Wallet, kind: str = "GRANT") -> int:
    return JournalEntry.objects.get(wallet=wallet, kind=kind).pk


def test_a_grant_nobody_drew_from_is_reversed_and_its_lot_voided() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(10), price_paid=D(9), kind="paid", at=AT)
    grant = entry_of(wallet)
    reversal = JournalEntry.objects.get(pk=reverse_entry(entry_id=grant, at=AT, reason="Wrong customer", actor="fiona"))
    assert last_entry(wallet) == (
        "REVERSAL",
        ["cash_clearing:manual 9.00", "sales_discount 1.00", "prepaid_liability @ paid -10.00"],
    )
    assert (reversal.reverses_id, reversal.reason, reversal.actor) == (grant, "Wrong customer", "fiona")
    assert lots(wallet) == [("paid", "VOIDED", 0)]
    assert figures(wallet) == (0, 0)


def test_what_the_grant_had_repaid_is_owed_again() -> None:
    wallet = wallet_of("acme")
    spend(wallet, "4")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="trial", at=AT)
    reverse_entry(entry_id=entry_of(wallet), at=AT, reason="Not a trial")
    assert figures(wallet) == (-4, 4)


def test_an_entry_is_reversed_once() -> None:
    wallet = wallet_of("acme", credit="10")
    reverse_entry(entry_id=entry_of(wallet), at=AT, reason="Wrong")
    with pytest.raises(AlreadyReversed):
        reverse_entry(entry_id=entry_of(wallet), at=AT, reason="Wrong")


def test_the_database_refuses_a_second_reversal_behind_the_verb() -> None:
    wallet = wallet_of("acme", credit="10")
    grant = entry_of(wallet)
    reverse_entry(entry_id=grant, at=AT, reason="Wrong")
    with pytest.raises(UniqueViolation, match="entry_reversed_once"), transaction.atomic():
        _adjust(wallet, "1", reverses_id=grant)


def test_a_grant_that_was_drawn_from_is_not_reversed() -> None:
    wallet = wallet_of("acme", credit="10")
    spend(wallet, "0.000000000001")
    with pytest.raises(NotReversible):
        reverse_entry(entry_id=entry_of(wallet), at=AT, reason="Wrong")
    assert lots(wallet) == [("paid", "OPEN", D("9.999999999999"))]


def test_usage_is_given_back_not_reversed() -> None:
    wallet = wallet_of("acme", credit="10")
    spend(wallet, "1")
    with pytest.raises(NotReversible):
        reverse_entry(entry_id=entry_of(wallet, "USAGE"), at=AT, reason="Wrong")


def test_credit_that_is_held_does_not_leave_by_a_reversal() -> None:
    wallet = wallet_of("acme", credit="10")
    set_held(wallet, "1")
    with pytest.raises(CreditHeld):
        reverse_entry(entry_id=entry_of(wallet), at=AT, reason="Wrong")
    set_held(wallet, "0")


def _adjust(wallet: Wallet, amount: str, *, reverses_id: int | None = None) -> None:
    """Add to the wallet's lot by hand."""
    lot = wallet.lots.get()
    with transaction.atomic():
        contra = chart_account(LedgerAccount.Kind.ADJUSTMENTS, "USD")
        liability = chart_account(LedgerAccount.Kind.PREPAID_LIABILITY, "USD")
        postings = [NewPosting(liability, D(amount), lot.pk, contra), NewPosting(contra, -D(amount))]
        entry = NewEntry(lock_wallet(wallet.pk), JournalEntry.Kind.ADJUSTMENT, postings, reverses_id=reverses_id)
        post_entries([entry], at=AT)
        wallet.lots.update(remaining=lot.remaining + D(amount))


def test_an_adjustment_is_reversed_while_the_lot_allows_it() -> None:
    wallet = wallet_of("acme", credit="10")
    _adjust(wallet, "-4")
    adjustment = entry_of(wallet, "ADJUSTMENT")
    reverse_entry(entry_id=adjustment, at=AT, reason="Wrong")
    assert lots(wallet) == [("paid", "OPEN", 10)]
    assert last_entry(wallet)[1] == ["prepaid_liability @ paid 4.00", "adjustments -4.00"]


def test_a_reversal_says_why() -> None:
    wallet = wallet_of("acme", credit="10")
    with pytest.raises(InvalidInput):
        reverse_entry(entry_id=entry_of(wallet), at=AT, reason=" ")


def test_an_entry_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        reverse_entry(entry_id=0, at=AT, reason="Wrong")
