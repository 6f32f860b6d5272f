"""Wallets in the plainest way that can be thought of: every coin is moved by itself, nothing is summed up, nothing is quick.

What DESIGN sections 2 and 4 say of lots, overdraft, expiry, transfers and corrections, to compare the real thing with.
Amounts are whole coins, times are hours.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from itertools import groupby

FOREVER = 10**9


@dataclass
class NaiveLot:
    kind: str
    priority: int
    start: int
    end: int
    meters: frozenset[str]
    coins: int
    state: str = "OPEN"
    left: int = 0

    def valid(self, hour: int) -> bool:
        return self.start <= hour < self.end

    def add(self, coins: int) -> None:
        """Coins go into the lot (or out of it); a voided lot keeps none."""
        if self.state == "VOIDED":
            return
        self.left += coins
        assert 0 <= self.left <= self.coins
        self.state = "OPEN" if self.left else "EXHAUSTED"


@dataclass
class NaiveCharge:
    """What paid for each coin of it, in order; None: nobody yet (overdraft)."""

    paid_by: list[NaiveLot | None]


@dataclass
class NaiveWallet:
    lots: list[NaiveLot] = field(default_factory=list)
    owed: int = 0
    repaid_by: list[NaiveLot] = field(default_factory=list)  # a lot for each coin of overdraft repaid, oldest first

    @property
    def balance(self) -> int:
        return sum(lot.left for lot in self.lots) - self.owed

    def grant(self, lot: NaiveLot, hour: int) -> None:
        self.lots.append(lot)
        lot.state = "SCHEDULED"
        if lot.start <= hour:
            self._enter(lot, hour)

    def _enter(self, lot: NaiveLot, hour: int) -> None:
        lot.state = "OPEN"
        lot.add(lot.coins)
        self._repay(lot, lot.coins, hour)

    def _repay(self, lot: NaiveLot, at_most: int, hour: int) -> None:
        """Coins of a lot that is good for everything, now, go to what is owed."""
        for _ in range(at_most):
            if self.owed and not lot.meters and lot.valid(hour) and lot.state != "VOIDED":
                lot.add(-1)
                self.owed -= 1
                self.repaid_by.append(lot)

    def activate(self, hour: int) -> int:
        due = [lot for lot in self.lots if lot.state == "SCHEDULED" and lot.start <= hour]
        for lot in sorted(due, key=lambda lot: lot.start):
            self._enter(lot, hour)
        return len(due)

    def _best(self, usable: Iterable[NaiveLot]) -> NaiveLot | None:
        order = [(lot.priority, lot.end, lot.kind == "paid", lot.start, self.lots.index(lot)) for lot in usable]
        return self.lots[min(order)[-1]] if order else None

    def charge(self, meter: str, coins: int, hour: int) -> NaiveCharge:
        paid_by = []
        for _ in range(coins):
            usable = [lot for lot in self.lots if lot.left and lot.valid(hour) and (not lot.meters or meter in lot.meters)]
            lot = self._best(usable)
            if lot is None:
                self.owed += 1
            else:
                lot.add(-1)
            paid_by.append(lot)
        return NaiveCharge(paid_by)

    def give_back(self, charge: NaiveCharge, hour: int) -> None:
        came_back: dict[int, tuple[NaiveLot, int]] = {}
        nobody_paid = 0
        for lot in reversed(charge.paid_by):
            if lot is None:
                nobody_paid += 1
            else:
                lot.add(1)
                came_back[id(lot)] = (lot, came_back.get(id(lot), (lot, 0))[1] + 1)
        for _ in range(nobody_paid):
            if self.owed:
                self.owed -= 1
            else:
                self.repaid_by.pop().add(1)
        for lot, coins in came_back.values():
            self._repay(lot, coins, hour)

    def void(self, lot: NaiveLot) -> None:
        lot.left = 0
        lot.state = "VOIDED"

    def expire(self, hour: int) -> int:
        over = [lot for lot in self.lots if lot.state == "OPEN" and lot.end <= hour]
        for lot in over:
            lot.left = 0
            lot.state = "EXPIRED"
        return len(over)

    def can_give(self, hour: int) -> int:
        return min(self.balance, sum(lot.left for lot in self.lots if lot.valid(hour)))

    def transfer(self, target: NaiveWallet, coins: int, hour: int) -> None:
        taken = []
        for _ in range(coins):
            lot = self._best(lot for lot in self.lots if lot.left and lot.valid(hour))
            assert lot is not None
            lot.add(-1)
            taken.append(lot)
        for _, group in groupby(taken, key=id):
            of_lot = list(group)
            old = of_lot[0]
            new = NaiveLot(old.kind, old.priority, old.start, old.end, old.meters, len(of_lot))
            target.grant(new, hour)
