"""A wallet's history as people read it: one line an entry, what it was, how it changed the balance, what was left."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Sum

from wallets.ledger.models import JournalEntry, LedgerAccount, Posting
from wallets.money import ZERO

Kind = JournalEntry.Kind

LABELS: Final[dict[str, str]] = {
    Kind.GRANT: "Credit granted",
    Kind.USAGE: "Usage",
    Kind.FEE: "Fee",
    Kind.REVERSAL: "Reversal",
    Kind.GIVE_BACK: "Usage given back",
    Kind.EXPIRY: "Credit expired",
    Kind.LOT_VOID: "Credit voided",
    Kind.TRANSFER_OUT: "Transfer out",
    Kind.TRANSFER_IN: "Transfer in",
    Kind.ADJUSTMENT: "Adjustment",
    Kind.REFUND: "Refund",
    Kind.DISPUTE: "Disputed payment",
}


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One entry. `change` is what it did to the balance; `meters`: code and amount of its revenue, largest first."""

    pk: int
    at: datetime
    kind: str
    label: str
    change: Decimal
    balance_after: Decimal
    wallet_version: int
    reference: str
    reason: str
    actor: str
    meters: tuple[tuple[str, Decimal], ...]


def entry_label(kind: str) -> str:
    """What an entry of this kind is called on a page."""
    return LABELS.get(kind, kind)


def history_of(*, wallet_id: int, limit: int, before_version: int | None = None) -> list[HistoryLine]:
    """The wallet's latest `limit` entries, newest first; those before a version to read on. Two queries."""
    entries = JournalEntry.objects.filter(wallet_id=wallet_id)
    if before_version is not None:
        entries = entries.filter(wallet_version__lt=before_version)
    found = list(entries.order_by("-wallet_version").defer("hash")[: limit + 1])
    shown = found[:limit]
    balances_before = [entry.balance_after for entry in found[1:]]
    if found and len(found) <= limit:
        balances_before.append(ZERO)
    meters = _revenue([entry.pk for entry in shown])
    return [
        HistoryLine(
            pk=entry.pk,
            at=entry.at,
            kind=entry.kind,
            label=entry_label(entry.kind),
            change=entry.balance_after - before,
            balance_after=entry.balance_after,
            wallet_version=entry.wallet_version,
            reference=entry.reference,
            reason=entry.reason,
            actor=entry.actor,
            meters=tuple(meters[entry.pk]),
        )
        for entry, before in zip(shown, balances_before, strict=True)
    ]


def balance_steps(*, wallet_id: int, limit: int) -> list[tuple[datetime, Decimal]]:
    """(time, balance after) of the wallet's latest `limit` entries, oldest first: a stepped line. One index range."""
    entries = JournalEntry.objects.filter(wallet_id=wallet_id).order_by("-wallet_version")
    return list(reversed(entries.values_list("at", "balance_after")[:limit]))


def _revenue(entry_ids: Collection[int]) -> dict[int, list[tuple[str, Decimal]]]:
    """By entry: the meters it earned (or gave back) revenue on."""
    revenue: dict[int, list[tuple[str, Decimal]]] = defaultdict(list)
    rows = Posting.objects.filter(entry_id__in=entry_ids, ledger_account__kind=LedgerAccount.Kind.REVENUE)
    for entry_id, meter, amount in rows.values_list("entry_id", "ledger_account__qualifier", "amount"):
        revenue[entry_id].append((meter, amount))
    for lines in revenue.values():
        lines.sort(key=lambda line: (-abs(line[1]), line[0]))
    return revenue


@dataclass(frozen=True, slots=True)
class LotLine:
    """What one entry did to one lot; `change` negative when it drew from it."""

    entry_pk: int
    at: datetime
    label: str
    change: Decimal
    reason: str


def history_of_lot(*, lot_pk: int, limit: int) -> list[LotLine]:
    """The latest `limit` entries that moved a lot, newest first. One query."""
    sums = (
        Posting.objects.filter(lot_id=lot_pk)
        .values("entry_id", "entry__at", "entry__kind", "entry__reason")
        .annotate(change=Sum("amount"))
        .order_by("-entry_id")[:limit]
    )
    return [
        LotLine(row["entry_id"], row["entry__at"], entry_label(row["entry__kind"]), row["change"], row["entry__reason"])
        for row in sums
    ]
