"""A bank that collects plans' fees by card, in the place of the payments room."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from pricing.plans.card import Collected, FeeDemand
from wallets.credit.grant import grant_credit


class Bank:
    """A bank that answers as it is told to and pays once per key."""

    def __init__(self) -> None:
        self.answers: list[Collected] = []
        self.paid: dict[str, Decimal] = {}
        self.asked: list[str] = []

    def reset(self) -> None:
        """Forget everything."""
        self.__init__()  # type: ignore[misc]

    def __call__(self, demand: FeeDemand, *, at: datetime) -> Collected:
        self.asked.append(demand.key)
        answer = self.answers.pop(0) if self.answers else Collected.PAID
        if answer is Collected.PAID and demand.key not in self.paid:
            self.paid[demand.key] = demand.amount
            grant_credit(wallet_id=demand.wallet_id, amount=demand.amount, kind="paid", at=at, source="card")
        return answer


BANK = Bank()
