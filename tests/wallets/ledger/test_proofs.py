"""Each proof holds over healthy books, and names the row in which a fault is planted behind the application's back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection

from tests.factories.balances import AT, spend, wallet_of
from tests.factories.tampering import tamper
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.transfer import transfer_credit
from wallets.credit.void import void_lot
from wallets.ledger import proofs, schema_proofs
from wallets.ledger.days import journal_days_hold
from wallets.ledger.models import JournalEntry, Posting
from wallets.ledger.proof import MOST_NAMED, Prover, prove_rows

pytestmark = pytest.mark.django_db

ALL = (*proofs.PROOFS, *schema_proofs.PROOFS)


@pytest.fixture(autouse=True)
def wallet() -> Wallet:
    """A wallet to which everything has happened."""
    wallet = wallet_of("acme", credit="10")
    other = open_wallet(account=wallet.account, currency="USD", at=AT)
    spend(wallet, "12.5")
    grant_credit(
        wallet_id=wallet.pk, amount=D(5), kind="trial", at=AT, expires_at=AT + timedelta(days=1), reason="Ünïcode; \\x \\N"
    )
    lot = grant_credit(wallet_id=wallet.pk, amount=D(7), price_paid=D(6), kind="paid", at=AT)
    spend(wallet, "0.000000000001")
    transfer_credit(from_wallet_id=wallet.pk, to_wallet_id=other.pk, amount=D(1), at=AT, actor="fiona@example.com")
    expire_lots(at=AT + timedelta(days=1))
    void_lot(lot_public_id=lot.public_id, at=AT, reason="")
    grant_credit(wallet_id=wallet.pk, amount=D(3), kind="paid", at=AT)
    return wallet


def offenders(prover: Prover) -> str:
    return "\n".join(prover().offenders)


def entry(kind: str) -> JournalEntry:
    return JournalEntry.objects.filter(kind=kind).order_by("wallet_version").first() or pytest.fail(kind)


# Days are not added up before the test's transaction has ended; test_rolled_days.py proves that it finds what is wrong.
ADDED_UP = {journal_days_hold}


@pytest.mark.parametrize("prover", ALL, ids=lambda prover: prover.__name__)
def test_healthy_books_are_proved(prover: Prover) -> None:
    proof = prover()
    assert proof.offenders == ()
    assert proof.holds
    assert proof.checked > 0 or prover in ADDED_UP


@pytest.mark.parametrize("change", ["balance = balance + 1", "head_hash = 'x'", "overdraft = overdraft + 1", "version = 99"])
def test_a_wallet_row_that_was_altered_is_named(wallet: Wallet, change: str) -> None:
    tamper("wallets_wallet", f"UPDATE wallets_wallet SET {change} WHERE id = %s", [wallet.pk])
    assert wallet.public_id in offenders(proofs.wallets_stand_at_their_last_entry)


def test_a_last_entry_that_was_removed_is_missed(wallet: Wallet) -> None:
    wallet.refresh_from_db()
    tamper(
        "wallets_journalentry",
        "DELETE FROM wallets_journalentry WHERE wallet_id = %s AND wallet_version = %s",
        [wallet.pk, wallet.version],
    )
    assert wallet.public_id in offenders(proofs.wallets_stand_at_their_last_entry)
    assert "does not exist" in offenders(proofs.entries_balance)


def test_an_entry_in_the_middle_that_was_removed_is_missed(wallet: Wallet) -> None:
    tamper("wallets_journalentry", "DELETE FROM wallets_journalentry WHERE id = %s", [entry("USAGE").pk])
    assert wallet.public_id in offenders(proofs.wallets_stand_at_their_last_entry)
    assert not proofs.entries_are_unaltered().holds


def test_a_balance_without_an_entry_is_named() -> None:
    empty = wallet_of("globex")
    tamper("wallets_wallet", "UPDATE wallets_wallet SET balance = 1 WHERE id = %s", [empty.pk])
    assert offenders(proofs.wallets_stand_at_their_last_entry) == (
        f"wallet {empty.public_id} has no entry but a balance of 1.000000000000"
    )


def test_a_posting_that_was_altered_is_named() -> None:
    usage = entry("USAGE")
    tamper("wallets_posting", "UPDATE wallets_posting SET amount = amount + 1 WHERE entry_id = %s AND line = 0", [usage.pk])
    assert offenders(proofs.entries_balance) == f"the postings of entry {usage.pk} sum to 1.000000000000"
    assert f"entry {usage.pk} " in offenders(proofs.entries_are_unaltered)
    assert f"entry {usage.pk}:" in offenders(proofs.balances_follow_from_postings)


def test_a_posting_that_was_removed_is_missed() -> None:
    usage = entry("USAGE")
    tamper("wallets_posting", "DELETE FROM wallets_posting WHERE entry_id = %s AND line = 0", [usage.pk])
    assert str(usage.pk) in offenders(proofs.entries_balance)


def test_an_entry_without_postings_is_named() -> None:
    usage = entry("USAGE")
    tamper("wallets_posting", "DELETE FROM wallets_posting WHERE entry_id = %s", [usage.pk])
    assert offenders(proofs.entries_balance) == f"entry {usage.pk} has no postings"


def test_a_posting_in_another_currency_is_named() -> None:
    usage = entry("USAGE")
    tamper("wallets_posting", "UPDATE wallets_posting SET currency = 'EUR' WHERE entry_id = %s", [usage.pk])
    assert f"entry {usage.pk} is in USD" in offenders(proofs.entries_balance)


def test_a_balance_that_does_not_follow_is_named() -> None:
    usage = entry("USAGE")
    tamper("wallets_journalentry", "UPDATE wallets_journalentry SET balance_after = 0 WHERE id = %s", [usage.pk])
    assert f"entry {usage.pk}:" in offenders(proofs.balances_follow_from_postings)


def test_an_overdraft_that_does_not_follow_is_named() -> None:
    usage = entry("USAGE")
    tamper("wallets_journalentry", "UPDATE wallets_journalentry SET overdraft_after = 9 WHERE id = %s", [usage.pk])
    assert f"entry {usage.pk}: overdraft" in offenders(proofs.balances_follow_from_postings)


def test_a_lot_that_holds_something_else_is_named() -> None:
    lot = CreditLot.objects.filter(state="OPEN").first()
    assert lot is not None
    tamper("wallets_creditlot", "UPDATE wallets_creditlot SET remaining = remaining / 2 WHERE id = %s", [lot.pk])
    assert offenders(proofs.lots_hold_what_was_posted).startswith(f"lot {lot.public_id} holds")
    assert "its lots hold" in offenders(proofs.wallets_add_up)


def test_postings_moved_to_a_lot_of_another_wallet_are_named(wallet: Wallet) -> None:
    trial, moved = CreditLot.objects.get(kind="trial", wallet=wallet), CreditLot.objects.exclude(wallet=wallet).get()
    tamper("wallets_posting", "UPDATE wallets_posting SET lot_id = %s WHERE lot_id = %s", [trial.pk, moved.pk])
    assert offenders(proofs.lots_hold_what_was_posted) == f"lot {trial.public_id} has postings of another wallet"


def test_postings_of_a_lot_that_does_not_exist_are_named() -> None:
    tamper("wallets_posting", "UPDATE wallets_posting SET lot_id = 4711 WHERE lot_id IS NOT NULL")
    assert "lot row 4711, which does not exist" in offenders(proofs.lots_hold_what_was_posted)


def test_a_paid_lot_made_promotional_is_named() -> None:
    tamper("wallets_creditlot", "UPDATE wallets_creditlot SET kind = 'trial' WHERE kind = 'paid'")
    assert "of kind trial has postings on PREPAID_LIABILITY" in offenders(proofs.lots_hold_what_was_posted)


@pytest.mark.parametrize("change", ["balance = balance + 1", "overdraft = overdraft + 1"])
def test_a_wallet_that_does_not_add_up_is_named(wallet: Wallet, change: str) -> None:
    tamper("wallets_wallet", f"UPDATE wallets_wallet SET {change} WHERE id = %s", [wallet.pk])
    assert wallet.public_id in offenders(proofs.wallets_add_up)


def test_a_lot_that_got_back_more_than_it_gave_is_named() -> None:
    lot = CreditLot.objects.order_by("pk").first()
    assert lot is not None
    tamper("wallets_posting", "UPDATE wallets_posting SET amount = 1 WHERE lot_id = %s AND contra_id IS NOT NULL", [lot.pk])
    assert offenders(proofs.lots_get_back_no_more_than_they_gave) == (
        f"lot {lot.public_id} got back 1.000000000000 more than was drawn from it on calls"
    )


def test_a_transfer_that_did_not_arrive_is_named() -> None:
    into = entry("TRANSFER_IN")
    tamper("wallets_posting", "UPDATE wallets_posting SET amount = amount * 2 WHERE entry_id = %s", [into.pk])
    assert into.reference in offenders(proofs.transfers_arrive)


@pytest.mark.parametrize(
    "change",
    [
        "reason = reason || ' '",
        "actor = 'nobody'",
        "reference = 'lot_other'",
        "at = at + interval '1 microsecond'",
        "kind = 'ADJUSTMENT'",
        "currency = 'EUR'",
        "reverses_id = id",
        "hash = sha256('x')",
        "wallet_version = wallet_version + 50",
    ],
)
def test_whatever_is_altered_in_an_entry_is_named(change: str) -> None:
    usage = entry("USAGE")
    tamper("wallets_journalentry", f"UPDATE wallets_journalentry SET {change} WHERE id = %s", [usage.pk])
    assert f"entry {usage.pk} " in offenders(proofs.entries_are_unaltered)


@pytest.mark.parametrize(
    "change",
    ["lot_id = lot_id + 1", "contra_id = NULL", "ledger_account_id = ledger_account_id + 1", "line_from = 1", "line = 9"],
)
def test_whatever_is_altered_in_a_posting_is_named(change: str) -> None:
    posting = Posting.objects.filter(lot_id__isnull=False, contra__isnull=False, entry__kind="USAGE").first()
    assert posting is not None
    tamper(
        "wallets_posting",
        f"UPDATE wallets_posting SET {change} WHERE entry_id = %s AND line = %s",
        [posting.entry_id, posting.line],
    )
    assert f"entry {posting.entry_id} " in offenders(proofs.entries_are_unaltered)


def test_an_entry_altered_together_with_its_hash_is_betrayed_by_the_next() -> None:
    usage = entry("USAGE")
    tamper("wallets_journalentry", "UPDATE wallets_journalentry SET hash = sha256(hash) WHERE id = %s", [usage.pk])
    following = JournalEntry.objects.get(wallet_id=usage.wallet_id, wallet_version=usage.wallet_version + 1)
    assert f"entry {following.pk} " in offenders(proofs.entries_are_unaltered)


def test_a_trigger_that_is_switched_off_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE wallets_posting DISABLE TRIGGER USER")
    assert "trigger posting_is_append_only on wallets_posting is switched off" in offenders(schema_proofs.triggers_are_on)


def test_a_trigger_that_was_dropped_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT tgname FROM pg_trigger WHERE tgname LIKE 'pgtrigger_charge_is_append%'")
        cursor.execute(f"DROP TRIGGER {cursor.fetchone()[0]} ON metering_charge")
    assert offenders(schema_proofs.triggers_are_on) == "trigger charge_is_append_only on metering_charge does not exist"


def test_a_trigger_whose_function_does_nothing_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT proname FROM pg_proc WHERE proname LIKE 'pgtrigger_entry_is_append%'")
        cursor.execute(
            f"""CREATE OR REPLACE FUNCTION {cursor.fetchone()[0]}() RETURNS TRIGGER AS
                'BEGIN RETURN NEW; END' LANGUAGE plpgsql"""
        )
    assert "trigger entry_is_append_only" in offenders(schema_proofs.triggers_are_on)


def test_a_constraint_that_was_dropped_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("ALTER TABLE metering_usageevent DROP CONSTRAINT event_once_per_account")
        cursor.execute("DROP INDEX entry_reversed_once")
    assert set(schema_proofs.constraints_are_in_place().offenders) == {
        "constraint event_once_per_account on metering_usageevent does not exist",
        "constraint entry_reversed_once on wallets_journalentry does not exist",
    }


def test_a_column_that_cannot_hold_money_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("CREATE TABLE wallets_rounded (amount double precision)")
        cursor.execute("ALTER TABLE metering_hourlyusage ALTER COLUMN cost TYPE numeric(20,6)")
    assert set(schema_proofs.money_columns_are_exact().offenders) == {
        "column metering_hourlyusage.cost is numeric(20,6)",
        "column wallets_rounded.amount is double precision",
    }


def test_the_first_offenders_are_named_and_all_are_counted() -> None:
    proof = prove_rows("Numbers are even", "I0", "SELECT CASE WHEN n % 2 = 1 THEN n::text END FROM generate_series(1, 100) n")
    assert (proof.checked, proof.faults, len(proof.offenders), proof.holds) == (100, 50, MOST_NAMED, False)
