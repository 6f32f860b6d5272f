"""Adding up what usage cost and would cost: by meter, model, account and day. In memory, exact."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from metering.simulation.result import Figures, Row
from wallets.money import ZERO


@dataclass(slots=True)
class _Sums:
    before: Decimal = ZERO
    before_cost: Decimal = ZERO
    after: Decimal = ZERO
    after_cost: Decimal = ZERO

    def row(self, name: str, currency: str) -> Row:
        """As a part of the answer."""
        return Row(name, currency, Figures(self.before, self.before_cost), Figures(self.after, self.after_cost))


Named = dict[tuple[str, str], _Sums]


def _named() -> Named:
    return defaultdict(_Sums)


@dataclass(slots=True)
class Tally:
    """Sums by (name, currency); `days`: by account's row id, currency and day."""

    totals: Named = field(default_factory=_named)
    meters: Named = field(default_factory=_named)
    models: Named = field(default_factory=_named)
    accounts: Named = field(default_factory=_named)
    days: dict[tuple[int, str, date], _Sums] = field(default_factory=lambda: defaultdict(_Sums))

    def charged(
        self, meter: str, model: str, account: tuple[int, str], day: date, currency: str, amount: Decimal, cost: Decimal
    ) -> None:
        """Add what was charged. account: row id and key."""
        for sums in self._places(meter, model, account, day, currency):
            sums.before += amount
            sums.before_cost += cost

    def priced(
        self, meter: str, model: str, account: tuple[int, str], day: date, currency: str, amount: Decimal, cost: Decimal
    ) -> None:
        """Add what it would cost."""
        for sums in self._places(meter, model, account, day, currency):
            sums.after += amount
            sums.after_cost += cost

    def _places(
        self, meter: str, model: str, account: tuple[int, str], day: date, currency: str
    ) -> tuple[_Sums, _Sums, _Sums, _Sums, _Sums]:
        return (
            self.totals["", currency],
            self.meters[meter, currency],
            self.models[model, currency],
            self.accounts[account[1], currency],
            self.days[account[0], currency, day],
        )

    def by_day(self) -> tuple[tuple[date, Row], ...]:
        """All accounts together, in order."""
        found: dict[tuple[date, str], _Sums] = defaultdict(_Sums)
        for (_, currency, day), sums in self.days.items():
            of_day = found[day, currency]
            of_day.before += sums.before
            of_day.before_cost += sums.before_cost
            of_day.after += sums.after
            of_day.after_cost += sums.after_cost
        return tuple((day, sums.row("", currency)) for (day, currency), sums in sorted(found.items()))


def rows_of(named: Mapping[tuple[str, str], _Sums]) -> tuple[Row, ...]:
    """The largest revenue first."""
    rows = [sums.row(name, currency) for (name, currency), sums in named.items()]
    return tuple(sorted(rows, key=lambda row: (-max(row.before.revenue, row.after.revenue), row.name, row.currency)))
