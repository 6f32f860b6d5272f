"""Internal chargeback: one account's usage split by cost centre, team or any tag its events carry."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from metering.usage.explore import Cut, explore_usage
from metering.usage.models import HourlyUsage
from wallets.accounts.queries import account_by_key
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Report, Tie, column_totals, share

UNTAGGED: Final = "without a tag"
COLUMNS: Final = (
    Column("tag", "Tag"),
    Column("charges", "Charges", "count"),
    Column("amount", "Amount", "amount"),
    Column("percent", "Of all", "percent"),
)


def read_chargeback(*, start: datetime, end: datetime, currency: str, account: str, by: str = "cost_centre") -> Report:
    """Usage of the account (its key) from `start` until before `end`, by the property `by` of its events. Adds up to the
    account's roll-ups. Raises NotFound, TooMuchToRead."""
    its = account_by_key(key=account)
    cut = Cut(account=its, currency=currency, start=start, end=end, by=by)
    found: dict[str, list[Decimal]] = defaultdict(lambda: [ZERO, ZERO])
    for one in explore_usage(cut, granularity="month", zone=UTC):
        sums = found[one.value or UNTAGGED]
        sums[0] += one.charges
        sums[1] += one.amount
    whole = sum((amount for _, amount in found.values()), ZERO)
    rows: list[list[Any]] = [[tag, int(charges), amount, share(amount, whole)] for tag, (charges, amount) in found.items()]
    rows.sort(key=lambda row: (-row[2], row[0]))
    hours = HourlyUsage.objects.filter(bucket=its.bucket, account=its, hour__gte=start, hour__lt=end, currency=currency)
    booked = sum(hours.values_list("amount", flat=True), ZERO)
    return Report(
        currency=currency,
        total=Figure(f"Used by {its.name}", whole),
        columns=COLUMNS,
        rows=rows,
        totals=column_totals(COLUMNS, rows),
        ties=[Tie("Usage of the account", whole, booked)],
        chart=Chart(f"Amount by {by.replace('_', ' ')}", [(row[0], row[2]) for row in rows[:12]]),
        notes=("Tags are properties of the events; the account's own spend caps by cost centre use the same ones.",),
    )
