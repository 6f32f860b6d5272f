"""Usage of all customers added up, from the hourly roll-ups: what the reports on usage are made of, and how they tie to the
journal."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from metering.usage.days import usage_rows_sql
from wallets.accounts.models import Account
from wallets.ledger.days import BEGINNING, journal_sums
from wallets.money import ZERO
from wallets.reports.report import Ref, Tie

NONE: Final = "none"  # usage without the dimension


@dataclass(frozen=True, slots=True)
class Used:
    """A sum of usage. key: what it has in common. cost: what it cost us."""

    key: str
    charges: int
    quantity: Decimal
    amount: Decimal
    cost: Decimal

    @property
    def margin(self) -> Decimal:
        """What is left of the amount."""
        return self.amount - self.cost


def used_by(by: str, *, start: datetime, end: datetime, currency: str) -> list[Used]:
    """Usage of hours from `start` until before `end`, the largest amount first. by: `meter`, `account`, or the name of a
    dimension (usage without it is told apart as `NONE`)."""
    rows, values = usage_rows_sql(start=start, end=end, currency=currency, by_account=by == "account")
    column, join = _COLUMNS.get(by, ("coalesce(h.dimensions ->> %s, %s)", ""))
    if by not in _COLUMNS:
        values = [by, NONE, *values]
    with connection.cursor() as cursor:
        cursor.execute(_USED.format(column=column, join=join, rows=rows), values)
        return [Used(*row) for row in cursor.fetchall()]


def dimensions_used(*, start: datetime, end: datetime, currency: str) -> list[str]:
    """Names of the dimensions that the meters of this usage carry, in alphabetical order."""
    rows, values = usage_rows_sql(start=start, end=end, currency=currency, by_account=False)
    with connection.cursor() as cursor:
        cursor.execute(_CARRIED.format(rows=rows), values)
        return [row[0] for row in cursor.fetchall()]


def account_refs(keys: list[str]) -> dict[str, Ref]:
    """Accounts by their row id as text, as references that open them."""
    accounts = Account.objects.filter(pk__in=[int(key) for key in keys]).values_list("pk", "key")
    return {str(pk): Ref("account", pk, name) for pk, name in accounts}


def usage_ties(*, amount: Decimal, start: datetime, end: datetime, currency: str) -> tuple[list[Tie], list[str]]:
    """All usage that was ever charged and what the journal says of it; and a note on what stands in the journal on other days:
    usage belongs to the hour of its event, an entry to the moment it was written."""
    ever = sum((one.amount for one in used_by("meter", start=BEGINNING, end=FOREVER, currency=currency)), ZERO)
    booked = journal_sums(end=FOREVER, currency=currency, kinds=["REVENUE"])
    tie = Tie("All usage charged until now", ever, sum((one.amount for one in booked), ZERO))
    these = journal_sums(start=start, end=end, currency=currency, kinds=["REVENUE"])
    apart = sum((one.amount for one in these), ZERO) - amount
    note = (
        f"Booked in these days: {apart:+,.2f} {currency} against usage of these days, by events that came late or were voided"
        " later."
    )
    return [tie], [note] if apart else []


FOREVER: Final = datetime(9999, 1, 1, tzinfo=UTC)
_COLUMNS: Final = {
    "meter": ("m.code", "JOIN pricing_meter m ON m.id = h.meter_id"),
    "account": ("h.account_id::text", ""),
}
_USED: Final = """
    SELECT {column} AS key, sum(h.events), sum(h.quantity), sum(h.amount), sum(h.cost)
    FROM ({rows}) AS h {join}
    GROUP BY 1 ORDER BY 4 DESC, 1
"""
_CARRIED: Final = """
    SELECT DISTINCT jsonb_array_elements_text(to_jsonb(dimensions)) FROM pricing_meter
    WHERE id IN (SELECT meter_id FROM ({rows}) AS h) ORDER BY 1
"""
