"""What a simulation came to. Plain values; amounts in the currency their row names."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from wallets.money import ZERO

HUNDRED = Decimal(100)


@dataclass(frozen=True, slots=True)
class Figures:
    """What customers pay, and what that costs us."""

    revenue: Decimal = ZERO
    cost: Decimal = ZERO

    @property
    def margin(self) -> Decimal:
        """What is left."""
        return self.revenue - self.cost


@dataclass(frozen=True, slots=True)
class Row:
    """One meter, model, account or day in one currency (a total: no name). before: as charged; after: at the version."""

    name: str
    currency: str
    before: Figures
    after: Figures

    @property
    def difference(self) -> Decimal:
        """How much more customers pay; negative: less."""
        return self.after.revenue - self.before.revenue

    @property
    def percent(self) -> Decimal | None:
        """The difference in percent of what was paid; None where nothing was."""
        paid = self.before.revenue
        return self.difference / paid * HUNDRED if paid > ZERO else None

    def is_dearer_by(self, percent: Decimal) -> bool:
        """Is more than so many percent more paid?"""
        return self.difference > ZERO and self.difference * HUNDRED > percent * max(self.before.revenue, ZERO)


@dataclass(frozen=True, slots=True)
class RanEmpty:
    """A wallet that would have fallen below zero: on which day first, as a day of its account's time zone, and how far at its
    lowest. before: the first such day as it was; recharges: how many more of its usual size (its mean paid credit) it takes
    to be no worse off than it was; None when it never paid for credit."""

    account: str
    wallet_id: int
    currency: str
    day: date
    before: date | None
    lowest: Decimal
    recharges: int | None


@dataclass(frozen=True, slots=True)
class Source:
    """From what a meter's usage was priced: charges in hourly sums, and charges looked at one by one."""

    meter: str
    from_hours: int
    from_events: int


@dataclass(frozen=True, slots=True)
class Simulation:
    """Past usage at a version. Rows: the largest revenue first; days in order.

    unpriced: charges for which the version has no price (their events would wait; they count as nothing).
    waiting: events of the window that wait for a price today; they are in neither figure.
    """

    version: str
    start: datetime
    end: datetime
    totals: tuple[Row, ...]
    by_meter: tuple[Row, ...]
    by_model: tuple[Row, ...]
    by_account: tuple[Row, ...]
    by_day: tuple[tuple[date, Row], ...]
    ran_empty: tuple[RanEmpty, ...]
    sources: tuple[Source, ...]
    unpriced: int
    waiting: int

    @property
    def recharges(self) -> int:
        """How many recharges more, of all who would have run empty."""
        return sum(one.recharges or 0 for one in self.ran_empty)

    @property
    def from_events(self) -> int:
        """Charges that were looked at one by one."""
        return sum(one.from_events for one in self.sources)

    @property
    def from_hours(self) -> int:
        """Charges that hourly sums stood for."""
        return sum(one.from_hours for one in self.sources)

    def dearer(self, percent: Decimal) -> list[Row]:
        """The accounts that pay more than so many percent more, the largest share first."""
        found = [row for row in self.by_account if row.is_dearer_by(percent)]
        return sorted(found, key=lambda row: (row.percent is not None, -(row.percent or ZERO), row.name))
