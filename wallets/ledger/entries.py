"""A wallet's journal entries with their postings, in a controller's words, for the API."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import QuerySet

from wallets.ledger.chart import wallet_side_kinds
from wallets.ledger.models import JournalEntry, LedgerAccount, Posting
from wallets.money import ZERO


@dataclass(frozen=True, slots=True)
class PostingRow:
    """One line: credit positive, debit negative. account: `revenue:llm.output_tokens`.  lot: `lot_…`, or None."""

    account: str
    lot: str | None
    amount: Decimal


@dataclass(frozen=True, slots=True)
class EntryRow:
    """One entry; amount: what it did to the balance."""

    id: str
    version: int
    kind: str
    at: datetime
    amount: Decimal
    balance_after: Decimal
    overdraft_after: Decimal
    reverses: str | None
    reference: str
    reason: str
    actor: str
    hash: str
    postings: list[PostingRow]


def entries_of(*, wallet_id: int) -> QuerySet[JournalEntry]:
    """A wallet's entries."""
    return JournalEntry.objects.filter(wallet_id=wallet_id)


def entry_id(row_id: int) -> str:
    """An entry's id on the wire."""
    return f"ent_{row_id}"


def entry_rows(entries: Sequence[JournalEntry]) -> list[EntryRow]:
    """These entries with their postings; two queries for all of them."""
    postings = list(
        Posting.objects.filter(entry_id__in=[entry.pk for entry in entries])
        .select_related("ledger_account")
        .order_by("entry_id", "line")
    )
    lots = _lot_ids({posting.lot_id for posting in postings if posting.lot_id is not None})
    lines: dict[int, list[PostingRow]] = defaultdict(list)
    change: dict[int, Decimal] = defaultdict(lambda: ZERO)
    wallet_side = wallet_side_kinds()
    for posting in postings:
        account: LedgerAccount = posting.ledger_account
        lot = None if posting.lot_id is None else lots[posting.lot_id]
        lines[posting.entry_id].append(PostingRow(account.code, lot, posting.amount))
        if account.kind in wallet_side:
            change[posting.entry_id] += posting.amount
    return [
        EntryRow(
            id=entry_id(entry.pk),
            version=entry.wallet_version,
            kind=entry.kind,
            at=entry.at,
            amount=change[entry.pk],
            balance_after=entry.balance_after,
            overdraft_after=entry.overdraft_after,
            reverses=None if entry.reverses_id is None else entry_id(entry.reverses_id),
            reference=entry.reference,
            reason=entry.reason,
            actor=entry.actor,
            hash=bytes(entry.hash).hex(),
            postings=lines[entry.pk],
        )
        for entry in entries
    ]


def _lot_ids(row_ids: set[int]) -> dict[int, str]:
    """Row ids of lots -> their ids on the wire; lots stand above the ledger, so by SQL."""
    if not row_ids:
        return {}
    with connection.cursor() as cursor:
        cursor.execute("SELECT id, public_id FROM wallets_creditlot WHERE id = ANY(%s)", [sorted(row_ids)])
        return dict(cursor.fetchall())


def wallets_of_entries(entry_ids: Iterable[int]) -> set[int]:
    """Row ids of the wallets that these entries changed."""
    return set(JournalEntry.objects.filter(pk__in=entry_ids).values_list("wallet_id", flat=True))
