"""Every verb that moves money locks first: one ordered FOR UPDATE before the first row is changed, then lots, by bucket.

Two callers that lock in one order never wait for each other in a circle; a statement without its bucket would go to every
machine once the tables are spread over several.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from tests.factories.balances import AT, spend, wallet_of
from wallets.balances.lock import lock_wallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.expire import expire_lots
from wallets.credit.give_back import Part, give_back
from wallets.credit.grant import grant_credit
from wallets.credit.reverse import reverse_entry
from wallets.credit.transfer import transfer_credit
from wallets.credit.void import void_lot
from wallets.ledger.models import JournalEntry

pytestmark = pytest.mark.django_db

HOT = ("wallets_wallet", "wallets_creditlot", "wallets_journalentry", "wallets_posting")


def grant(wallet: Wallet, other: Wallet) -> None:
    grant_credit(wallet_id=wallet.pk, amount=D(1), kind="paid", at=AT)


def debit(wallet: Wallet, other: Wallet) -> None:
    with transaction.atomic():
        locked = lock_wallets([other.pk, wallet.pk], bucket=wallet.bucket)
        debit_wallets([WalletDebit(one, [("calls", D(1), AT)]) for one in locked.values()], at=AT)


def transfer(wallet: Wallet, other: Wallet) -> None:
    transfer_credit(from_wallet_id=other.pk, to_wallet_id=wallet.pk, amount=D(1), at=AT)


def void(wallet: Wallet, other: Wallet) -> None:
    void_lot(lot_public_id=wallet.lots.get().public_id, at=AT, reason="")


def reverse(wallet: Wallet, other: Wallet) -> None:
    reverse_entry(entry_id=JournalEntry.objects.get(wallet=other).pk, at=AT, reason="Wrong")


def expire(wallet: Wallet, other: Wallet) -> None:
    expire_lots(at=AT + timedelta(days=99))


def undo(wallet: Wallet, other: Wallet) -> None:
    entry = JournalEntry.objects.get(wallet=wallet, kind="USAGE")
    with transaction.atomic():
        give_back(wallet=lock_wallet(wallet.pk), parts=[Part(entry.pk, "calls", D(0), D(1))], at=AT, reference="r1")


@pytest.fixture
def wallets() -> tuple[Wallet, Wallet]:
    wallet = wallet_of("acme")
    other = open_wallet(account=wallet.account, currency="USD", at=AT)
    for one in (wallet, other):
        grant_credit(wallet_id=one.pk, amount=D(10), kind="paid", at=AT, expires_at=AT + timedelta(days=9))
    spend(wallet, "2")
    return wallet, other


@pytest.mark.parametrize("verb", [grant, debit, transfer, void, reverse, expire, undo])
def test_wallets_are_locked_in_order_before_anything_changes(
    verb: Callable[[Wallet, Wallet], None], wallets: tuple[Wallet, Wallet]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        verb(*wallets)
    statements = [" ".join(query["sql"].split()) for query in captured.captured_queries]
    locks = [place for place, sql in enumerate(statements) if "FOR UPDATE" in sql]
    changes = [
        place
        for place, sql in enumerate(statements)
        if re.match(r"(INSERT INTO|COPY|UPDATE|DELETE FROM) \"?(" + "|".join(HOT) + r")\b", sql)
    ]
    assert len(locks) == 1
    assert statements[locks[0]].endswith("ORDER BY w.id FOR UPDATE OF w")
    assert changes, "the verb changed nothing"
    assert locks[0] < changes[0]


@pytest.mark.parametrize("verb", [grant, debit, transfer, void, reverse, expire, undo])
def test_under_the_lock_every_statement_on_a_hot_table_names_its_bucket(
    verb: Callable[[Wallet, Wallet], None], wallets: tuple[Wallet, Wallet]
) -> None:
    with CaptureQueriesContext(connection) as captured:
        verb(*wallets)
    statements = [" ".join(query["sql"].split()) for query in captured.captured_queries]
    first = next(place for place, sql in enumerate(statements) if "FOR UPDATE" in sql)
    for sql in statements[first:]:
        if any(table in sql for table in HOT) and not sql.startswith(("INSERT", "COPY")):
            assert re.search(r"bucket\"? = \d", sql), sql


def test_a_debit_is_so_many_statements_however_many_wallets_and_charges(wallets: tuple[Wallet, Wallet]) -> None:
    """The chart is left out: it is remembered once a transaction commits. Lots are read past the listing, in binary form."""
    with CaptureQueriesContext(connection) as captured:
        debit(*wallets)
    words = [(query["sql"].split()[0], *re.findall(r"wallets_\w+", query["sql"])[:1]) for query in captured.captured_queries]
    assert [word for word in words if "wallets_ledgeraccount" not in word] == [
        ("SAVEPOINT",),
        ("SELECT",),  # how long to wait for a lock
        ("SELECT", "wallets_wallet"),
        ("COPY", "wallets_journalentry"),
        ("COPY", "wallets_posting"),
        ("UPDATE", "wallets_wallet"),
        ("INSERT", "wallets_news"),
        ("UPDATE", "wallets_creditlot"),
        ("RELEASE",),
    ]
