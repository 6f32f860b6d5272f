"""Granting credit: what is booked, what is repaid first, what is refused. Paid credit is a contract liability until it is
consumed (IFRS 15 B44; ASC 606-10-55-46)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from tests.factories.balances import AT, spend, wallet_of
from tests.factories.journal import figures, journal, last_entry, lots
from wallets.balances.freeze import freeze_wallet
from wallets.balances.open import WalletClosed, close_wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.errors import InvalidInput, NotFound
from wallets.ledger.models import JournalEntry
from wallets.outbox.models import News

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

LATER = AT + timedelta(days=30)


def test_paid_credit_is_owed_to_the_customer_and_its_money_is_on_the_way() -> None:
    wallet = wallet_of("acme")
    lot = grant_credit(wallet_id=wallet.pk, amount=D(100), kind="paid", at=AT, source="stripe")
    assert journal(wallet) == [("GRANT", ["cash_clearing:stripe -100.00", "prepaid_liability @ paid 100.00"])]
    assert figures(wallet) == (100, 0)
    assert (lot.state, lot.remaining, lot.price_paid, lot.effective_at) == ("OPEN", 100, 100, AT)


def test_credit_sold_for_less_books_the_difference_as_discount() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(100), price_paid=D(90), kind="paid", at=AT)
    assert last_entry(wallet)[1] == ["cash_clearing:manual -90.00", "sales_discount -10.00", "prepaid_liability @ paid 100.00"]


def test_credit_sold_for_more_books_the_difference_the_other_way() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(100), price_paid=D("102.5"), kind="paid", at=AT)
    assert last_entry(wallet)[1] == ["cash_clearing:manual -102.50", "sales_discount 2.50", "prepaid_liability @ paid 100.00"]


def test_paid_credit_for_no_money_is_all_discount() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(5), price_paid=D(0), kind="paid", at=AT)
    assert last_entry(wallet)[1] == ["sales_discount -5.00", "prepaid_liability @ paid 5.00"]


@pytest.mark.parametrize("kind", ["promotional", "trial", "compensation", "plan"])
def test_given_credit_is_a_cost_and_brings_no_money(kind: str) -> None:
    wallet = wallet_of("acme")
    lot = grant_credit(wallet_id=wallet.pk, amount=D(10), kind=kind, at=AT)
    assert last_entry(wallet) == ("GRANT", ["promotional_cost -10.00", f"promotional_liability @ {kind} 10.00"])
    assert lot.price_paid == 0


def test_the_entry_says_which_lot_why_and_who() -> None:
    wallet = wallet_of("acme")
    lot = grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT, reason="Wire 118", actor="fiona@example.com")
    entry = JournalEntry.objects.get(wallet=wallet)
    assert (entry.reference, entry.reason, entry.actor, entry.at) == (lot.public_id, "Wire 118", "fiona@example.com", AT)


def test_what_is_owed_is_repaid_first_in_the_same_entry() -> None:
    wallet = wallet_of("acme")
    spend(wallet, "7")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT)
    assert last_entry(wallet)[1] == [
        "cash_clearing:manual -10.00",
        "prepaid_liability @ paid 10.00",
        "prepaid_liability @ paid -7.00",
        "overdraft_receivable 7.00",
    ]
    assert figures(wallet) == (3, 0)
    assert lots(wallet) == [("paid", "OPEN", 3)]


def test_credit_smaller_than_what_is_owed_is_used_up_at_once() -> None:
    wallet = wallet_of("acme")
    spend(wallet, "7")
    lot = grant_credit(wallet_id=wallet.pk, amount=D(2), kind="promotional", at=AT)
    assert (lot.state, lot.remaining) == ("EXHAUSTED", 0)
    assert figures(wallet) == (-5, 5)


def test_credit_for_some_meters_only_repays_nothing() -> None:
    wallet = wallet_of("acme")
    spend(wallet, "7")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="promotional", at=AT, meters=["llm.output_tokens"])
    assert figures(wallet) == (3, 7)
    assert lots(wallet) == [("promotional", "OPEN", 10)]


def test_credit_for_the_future_stands_in_no_balance_and_no_entry() -> None:
    wallet = wallet_of("acme")
    lot = grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT, effective_at=LATER)
    assert (lot.state, lot.remaining) == ("SCHEDULED", 0)
    assert figures(wallet) == (0, 0)
    assert journal(wallet) == []


def test_credit_valid_since_the_past_can_be_granted_for_late_usage() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="compensation", at=AT, effective_at=AT - timedelta(days=9))
    spend(wallet, "4", at=AT - timedelta(days=8))
    assert figures(wallet) == (6, 0)


def test_the_smallest_amount_is_kept_exactly() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D("0.000000000001"), kind="paid", at=AT)
    assert figures(wallet)[0] == D("0.000000000001")


def test_a_frozen_wallet_is_credited() -> None:
    wallet = wallet_of("acme")
    freeze_wallet(wallet_id=wallet.pk, at=AT)
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT)
    assert figures(wallet) == (10, 0)


def test_a_grant_is_told_and_sets_what_thresholds_refer_to() -> None:
    wallet = wallet_of("acme", credit="10")
    wallet.refresh_from_db()
    assert (wallet.reference_balance, wallet.armed_percent) == (10, 100)
    assert News.objects.filter(topic="balances_changed", payload={"wallet_ids": [wallet.pk]}).count() == 1


def test_a_closed_wallet_is_not_credited() -> None:
    wallet = wallet_of("acme")
    close_wallet(wallet_id=wallet.pk, at=AT)
    with pytest.raises(WalletClosed):
        grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT)
    assert lots(wallet) == []


def test_a_wallet_that_does_not_exist_is_not_credited() -> None:
    with pytest.raises(NotFound):
        grant_credit(wallet_id=0, amount=D(10), kind="paid", at=AT)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("amount", {"amount": D(0)}),
        ("amount", {"amount": D(-1)}),
        ("amount", {"amount": D("NaN")}),
        ("amount", {"amount": D("Infinity")}),
        ("amount", {"amount": D("0.0000000000001")}),
        ("amount", {"amount": D(10) ** 18}),
        ("amount", {"amount": 1.5}),
        ("price_paid", {"price_paid": D(-1)}),
        ("price_paid", {"price_paid": D("0.0000000000001")}),
        ("price_paid", {"kind": "promotional", "price_paid": D(1)}),
        ("kind", {"kind": "gift"}),
        ("priority", {"priority": -1}),
        ("priority", {"priority": 40_000}),
        ("expires_at", {"expires_at": AT}),
        ("expires_at", {"expires_at": AT - timedelta(days=1), "effective_at": AT - timedelta(days=2)}),
        ("expires_at", {"expires_at": LATER, "effective_at": LATER}),
        ("effective_at", {"effective_at": AT.replace(tzinfo=None)}),
        ("meters", {"meters": ["calls", "calls"]}),
        ("meters", {"meters": [""]}),
        ("reason", {"reason": "x" * 501}),
        ("source", {"source": " "}),
    ],
)
def test_what_is_wrong_is_refused_by_name_and_nothing_moves(field: str, values: dict[str, Any]) -> None:
    wallet = wallet_of("acme")
    with pytest.raises(InvalidInput) as refusal:
        grant_credit(**{"wallet_id": wallet.pk, "amount": D(10), "kind": "paid", "at": AT} | values)
    assert list(refusal.value.fields) == [field]
    assert not CreditLot.objects.exists()
    assert not JournalEntry.objects.exists()


def test_a_balance_beyond_thirty_digits_is_refused_not_overflowed() -> None:
    wallet = wallet_of("acme", credit="999999999999999999")
    with pytest.raises(InvalidInput) as refusal:
        grant_credit(wallet_id=wallet.pk, amount=D(1), kind="paid", at=AT)
    assert list(refusal.value.fields) == ["amount"]
    assert figures(wallet)[0] == D("999999999999999999")
