"""The lines of a journal entry: for each meter, the draws that cover its charges, laid end to end.

A charge has its place on its meter's line (`line_from`, `amount`); what it shares with a draw is what it drew from that
lot. Usage and what is given back later are told the same way (`amount` without its sign).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable
from decimal import Decimal
from typing import NamedTuple

from wallets.ledger.models import LedgerAccount, Posting


class LineDraw(NamedTuple):
    """Part of a line: covered by a lot (row id; None: overdraft) from `line_from` on, for `amount` (at least zero)."""

    lot_id: int | None
    line_from: Decimal
    amount: Decimal


class DrawShare(NamedTuple):
    """What one charge has of one lot (None: overdraft)."""

    lot_id: int | None
    amount: Decimal


def draws_of_charge(line: Iterable[LineDraw], *, line_from: Decimal, amount: Decimal) -> list[DrawShare]:
    """The parts of a line that cover [line_from, line_from + amount), in line order. Pure.

    The shares add up to `amount` when the line covers the interval. Neighbours from the same lot are one share.
    """
    line_to = line_from + amount
    shares: list[DrawShare] = []
    for draw in sorted(line, key=lambda one: one.line_from):
        start = max(draw.line_from, line_from)
        end = min(draw.line_from + draw.amount, line_to)
        if end <= start:
            continue
        if shares and shares[-1].lot_id == draw.lot_id:
            shares[-1] = DrawShare(draw.lot_id, shares[-1].amount + end - start)
        else:
            shares.append(DrawShare(draw.lot_id, end - start))
    return shares


def lines_of_entries(entry_ids: Collection[int], *, meters: Collection[str]) -> dict[tuple[int, str, bool], list[LineDraw]]:
    """The lines of these entries for these meter codes, by (entry id, meter code, whether it counts units). One query."""
    lines: dict[tuple[int, str, bool], list[LineDraw]] = defaultdict(list)
    if not entry_ids:
        return lines
    rows = Posting.objects.filter(
        entry_id__in=entry_ids,
        line_from__isnull=False,
        contra__kind__in=[LedgerAccount.Kind.REVENUE, LedgerAccount.Kind.ALLOWANCE_USED],
        contra__qualifier__in=meters,
    ).order_by("entry_id", "line")
    for entry_id, meter, kind, lot_id, line_from, amount in rows.values_list(
        "entry_id", "contra__qualifier", "contra__kind", "lot_id", "line_from", "amount"
    ):
        assert line_from is not None, "filtered above"
        units = kind == LedgerAccount.Kind.ALLOWANCE_USED
        lines[entry_id, meter, units].append(LineDraw(lot_id, line_from, abs(amount)))
    return lines
