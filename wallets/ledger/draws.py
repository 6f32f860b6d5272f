"""What entries of one wallet drew from its lots, and what its lots repaid: read under the wallet's lock, to be undone."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection
from decimal import Decimal

from django.db import connection

from wallets.ledger.lines import LineDraw
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.money import ZERO

Account = LedgerAccount.Kind


def usage_lines(
    *, wallet_id: int, bucket: int, entry_ids: Collection[int], meters: Collection[str]
) -> dict[tuple[int, str, bool], list[LineDraw]]:
    """The lines of the wallet's USAGE and FEE entries among these, by (entry row id, meter code, whether it counts units)."""
    lines: dict[tuple[int, str, bool], list[LineDraw]] = defaultdict(list)
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.entry_id, contra.qualifier, contra.kind, p.lot_id, p.line_from, -p.amount
               FROM wallets_posting p
               JOIN wallets_journalentry e ON e.bucket = p.bucket AND e.id = p.entry_id
               JOIN wallets_ledgeraccount contra ON contra.id = p.contra_id
               WHERE p.bucket = %s AND p.entry_id = ANY(%s) AND p.line_from IS NOT NULL
                 AND e.bucket = %s AND e.id = ANY(%s) AND e.wallet_id = %s AND e.kind = ANY(%s)
                 AND contra.kind = ANY(%s) AND contra.qualifier = ANY(%s)""",
            [
                bucket,
                list(entry_ids),
                bucket,
                list(entry_ids),
                wallet_id,
                [JournalEntry.Kind.USAGE.value, JournalEntry.Kind.FEE.value],
                [kind.value for kind in (Account.REVENUE, Account.FEES, Account.ALLOWANCE_USED)],
                list(meters),
            ],
        )
        for entry_id, meter, kind, lot_id, line_from, amount in cursor:
            units = kind == Account.ALLOWANCE_USED
            lines[entry_id, meter, units].append(LineDraw(lot_id, line_from, amount))
    return lines


def standing_repayments(*, wallet_id: int, bucket: int, overdraft_account_id: int) -> list[tuple[int, Decimal]]:
    """(lot row id, amount) of what lots repaid of the wallet's overdraft and did not get back, newest first.

    A repayment is a lot's posting against the overdraft; a positive one gave a repayment back, always the lot's newest.
    """
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT p.lot_id, p.amount
               FROM wallets_posting p JOIN wallets_journalentry e ON e.bucket = p.bucket AND e.id = p.entry_id
               WHERE p.bucket = %s AND p.contra_id = %s AND e.bucket = %s
                 AND p.lot_id IN (SELECT id FROM wallets_creditlot WHERE bucket = %s AND wallet_id = %s)
               ORDER BY e.wallet_version DESC, p.line DESC""",
            [bucket, overdraft_account_id, bucket, bucket, wallet_id],
        )
        rows: list[tuple[int, Decimal]] = cursor.fetchall()
    given_back: dict[int, Decimal] = defaultdict(Decimal)
    standing: list[tuple[int, Decimal]] = []
    for lot_id, amount in rows:
        if amount > 0:
            given_back[lot_id] += amount
            continue
        undone = min(given_back[lot_id], -amount)
        given_back[lot_id] -= undone
        if undone < -amount:
            standing.append((lot_id, -amount - undone))
    return standing


def overdraft_of_last_entry(*, wallet_id: int, bucket: int, version: int) -> Decimal:
    """What the entry at this version of a locked wallet drew as overdraft; zero when it drew none."""
    figures = JournalEntry.objects.filter(bucket=bucket, wallet_id=wallet_id, wallet_version__in=[version - 1, version])
    after = dict(figures.values_list("wallet_version", "overdraft_after"))
    return max(after.get(version, ZERO) - after.get(version - 1, ZERO), ZERO)
