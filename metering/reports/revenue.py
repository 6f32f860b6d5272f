"""Revenue and margin by what customers used: meter, model, endpoint or any other dimension, account, price version."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from django.db import connection

from metering.reports.used import NONE, Used, account_refs, dimensions_used, usage_ties, used_by
from wallets.errors import Refusal
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Report, column_totals, share

CHARTED: Final = 12
MOST_READ: Final = 1_000_000  # charges read one by one for what no roll-up carries
MONEY: Final = (
    Column("charges", "Charges", "count"),
    Column("revenue", "Revenue", "amount"),
    Column("cost", "Cost", "amount"),
    Column("margin", "Margin", "amount"),
    Column("margin_percent", "Margin", "percent"),
)


class TooManyCharges(Refusal):
    """Price versions stand in no roll-up, and there are too many charges to read them one by one."""

    code = "too_much_to_read"


def read_revenue(*, start: datetime, end: datetime, currency: str, by: str = "meter") -> Report:
    """Revenue of the hours from `start` until before `end`. by: `meter`, `account`, `version` (of prices), or a
    dimension's name. Ties to the revenue accounts. Raises TooManyCharges."""
    found = _by_version(start, end, currency) if by == "version" else used_by(by, start=start, end=end, currency=currency)
    return _report(found, by=by, start=start, end=end, currency=currency, worst_first=False)


def read_margin(*, start: datetime, end: datetime, currency: str, by: str = "endpoint") -> Report:
    """As read_revenue, the worst margin first: usage that costs more than it brings stands on top."""
    found = used_by(by, start=start, end=end, currency=currency)
    return _report(found, by=by, start=start, end=end, currency=currency, worst_first=True)


def _report(found: list[Used], *, by: str, start: datetime, end: datetime, currency: str, worst_first: bool) -> Report:
    columns = (Column(by, by.replace("_", " ").capitalize()), *MONEY)
    refs: dict[str, Any] = account_refs([one.key for one in found]) if by == "account" else {}
    if worst_first:
        found = sorted(found, key=lambda one: (one.margin / one.amount if one.amount else one.margin, one.key))
    rows = [
        [refs.get(one.key, one.key), one.charges, one.amount, one.cost, one.margin, share(one.margin, one.amount)]
        for one in found
    ]
    totals = column_totals(columns, rows)
    revenue, margin = totals[2], totals[4]
    totals[5] = share(margin, revenue)
    ties, notes = usage_ties(amount=revenue, start=start, end=end, currency=currency)
    if by not in {"meter", "account", "version"} and any(one.key == NONE for one in found):
        carried = ", ".join(dimensions_used(start=start, end=end, currency=currency)) or "none"
        notes.append(f"Usage of meters that do not carry “{by}” is under “{NONE}”. Carried: {carried}.")
    caption = "Margin in percent, the worst first" if worst_first else f"Revenue by {by}"
    bars = [(str(row[0]), (row[5] or ZERO) if worst_first else row[2]) for row in rows[:CHARTED]]
    return Report(
        currency=currency,
        total=Figure("Margin", margin) if worst_first else Figure("Revenue", revenue),
        figures=[
            *([Figure("Revenue", revenue)] if worst_first else [Figure("Margin", margin)]),
            Figure("Cost", totals[3]),
            Figure("Of revenue", totals[5], "percent"),
        ],
        columns=columns,
        rows=rows,
        totals=totals,
        ties=ties,
        chart=Chart(caption, bars, "percent" if worst_first else "amount"),
        notes=[*notes, "Hours are those of the events, in UTC. Costs are the prices' unit costs."],
    )


def _by_version(start: datetime, end: datetime, currency: str) -> list[Used]:
    charges = sum(one.charges for one in used_by("meter", start=start, end=end, currency=currency))
    if charges > MOST_READ:
        raise TooManyCharges(f"{charges:,} charges would have to be read one by one; choose a shorter time.")
    with connection.cursor() as cursor:
        cursor.execute(_VERSIONS, [start, end, currency])
        return [Used(*row) for row in cursor.fetchall()]


_VERSIONS: Final = """
    SELECT b.name || ' v' || v.number AS key, count(*), sum(c.quantity), sum(c.amount), sum(c.cost)
    FROM metering_usageevent e
    JOIN metering_charge c ON c.bucket = e.bucket AND c.event_id = e.id
    JOIN wallets_wallet w ON w.id = c.wallet_id
    JOIN pricing_price p ON p.id = c.price_id
    JOIN pricing_priceversion v ON v.id = p.version_id JOIN pricing_pricebook b ON b.id = v.book_id
    WHERE e.time >= %s AND e.time < %s AND w.currency = %s
    GROUP BY 1 ORDER BY 4 DESC, 1
"""
