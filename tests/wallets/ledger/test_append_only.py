"""Money is never edited or deleted (I7): the database refuses, whoever asks."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import DatabaseError, connection, transaction

from tests.factories.balances import AT, spend, wallet_of
from tests.factories.events import event_pk, send
from tests.factories.prices import llm_prices

pytestmark = pytest.mark.django_db

TABLES = {
    "wallets_journalentry": "balance_after = 0",
    "wallets_posting": "amount = 0",
    "wallets_thresholdcrossing": "percent = 99",
    "metering_usageevent": "time = now()",
    "metering_charge": "amount = 0",
    "metering_eventvoid": "reason = ''",
}


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("statement", ["UPDATE {table} SET {change}", "DELETE FROM {table}", "TRUNCATE {table} CASCADE"])
def test_rows_are_neither_changed_nor_removed_by_sql(table: str, statement: str) -> None:
    from metering.usage.void import void_event  # noqa: PLC0415 - beside what it fills

    llm_prices(input_tokens="0.01", output_tokens="0.02", at=AT - timedelta(days=60))
    wallet = wallet_of("acme", credit="10")
    send(wallet, ("r1", {"input_tokens": 100, "output_tokens": 100}))
    void_event(event_pk=event_pk("r1"), at=AT)
    spend(wallet, "10")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"SELECT count(*) FROM {table}")
        assert cursor.fetchone()[0] > 0
        with pytest.raises(DatabaseError, match=r"Cannot update or delete|append-only"), transaction.atomic():
            cursor.execute(statement.format(table=table, change=TABLES[table]))


@pytest.mark.parametrize("table", ["wallets_wallet", "wallets_creditlot", "wallets_ledgeraccount"])
def test_what_the_journal_names_is_not_removed(table: str) -> None:
    wallet_of("acme", credit="10")
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        with pytest.raises(DatabaseError, match="Cannot"), transaction.atomic():
            cursor.execute(f"DELETE FROM {table}")


def test_the_terms_of_a_lot_stay() -> None:
    wallet_of("acme", credit="10")
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match=r"Cannot modify|Cannot update"):
        cursor.execute("UPDATE wallets_creditlot SET price_paid = 0")


def test_an_entry_that_does_not_balance_is_refused() -> None:
    wallet_of("acme", credit="10")
    with connection.cursor() as cursor, pytest.raises(DatabaseError, match="do not sum to zero"):
        cursor.execute(
            """INSERT INTO wallets_posting (bucket, entry_id, line, ledger_account_id, currency, amount)
               SELECT bucket, entry_id, line + 2, ledger_account_id, currency, amount FROM wallets_posting WHERE line = 0"""
        )
