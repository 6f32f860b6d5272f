"""The part of the provider in memory that gives money back, and takes it back: refunds, and disputes that the bank decides."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from wallets.payments.providers.contract import (
    DisputeOutcome,
    ProviderDispute,
    ProviderPayment,
    ProviderRefund,
    ProviderRefused,
    RefundOutcome,
)


@dataclass
class FaultyRefunds:
    """Refunds and disputes by id, in the order in which they came about."""

    payments: dict[str, ProviderPayment] = field(default_factory=dict)
    now: datetime | None = None
    refunds: dict[str, ProviderRefund] = field(default_factory=dict)
    disputes: dict[str, ProviderDispute] = field(default_factory=dict)
    refunds_end: RefundOutcome = RefundOutcome.SUCCEEDED
    """how a refund stands right after it was made"""
    refuses_refunds: bool = False

    @property
    def given_back(self) -> list[Decimal]:
        """What was really given back, refund by refund."""
        return [one.amount for one in self.refunds.values() if one.outcome is not RefundOutcome.FAILED]

    def create_refund(
        self, *, key: str, payment_id: str, amount: Decimal, currency: str, reference: str, reason: str
    ) -> ProviderRefund:
        if self.refuses_refunds:
            raise ProviderRefused("The payment provider did not take this (charge_disputed).")
        made: ProviderRefund = self._once(
            "create_refund",
            key,
            lambda: self.refund(payment_id, amount, currency, outcome=self.refunds_end, reference=reference),
        )
        return made

    def refund(
        self,
        payment_id: str,
        amount: Decimal,
        currency: str,
        *,
        outcome: RefundOutcome = RefundOutcome.SUCCEEDED,
        reference: str = "",
    ) -> ProviderRefund:
        """A refund is made: by us, or by somebody in the provider's own dashboard."""
        standing = [one.amount for one in self.refunds_of(payment_id) if one.outcome is not RefundOutcome.FAILED]
        if sum(standing, amount) > self.payments[payment_id].amount:
            raise ProviderRefused("The payment provider did not take this (charge_already_refunded).")
        assert self.now is not None
        number = len(self.refunds) + len(self.disputes) + 1
        made = ProviderRefund(
            f"re_{number}", payment_id, outcome, amount, currency, self.now + timedelta(seconds=number), reference
        )
        self.refunds[made.id] = made
        return made

    def refund_is(self, refund_id: str, outcome: RefundOutcome, code: str = "") -> None:
        """The bank has decided about a refund."""
        self.refunds[refund_id] = replace(self.refunds[refund_id], outcome=outcome, failure_code=code)

    def read_refund(self, refund_id: str) -> ProviderRefund | None:
        found: ProviderRefund | None = self._once("read_refund", "", lambda: self.refunds.get(refund_id))
        return found

    def refunds_of(self, payment_id: str) -> list[ProviderRefund]:
        return [one for one in self.refunds.values() if one.payment_id == payment_id]

    def dispute(self, payment_id: str, amount: Decimal, currency: str) -> ProviderDispute:
        """The card's holder disputes a payment."""
        assert self.now is not None
        number = len(self.refunds) + len(self.disputes) + 1
        made = ProviderDispute(
            f"dp_{number}",
            payment_id,
            DisputeOutcome.OPEN,
            amount,
            currency,
            "fraudulent",
            self.now + timedelta(seconds=number),
            self.now + timedelta(days=20),
        )
        self.disputes[made.id] = made
        return made

    def dispute_is(self, dispute_id: str, outcome: DisputeOutcome) -> None:
        """The bank has decided about a dispute."""
        self.disputes[dispute_id] = replace(self.disputes[dispute_id], outcome=outcome)

    def read_dispute(self, dispute_id: str) -> ProviderDispute | None:
        found: ProviderDispute | None = self._once("read_dispute", "", lambda: self.disputes.get(dispute_id))
        return found

    def disputes_of(self, payment_id: str) -> list[ProviderDispute]:
        return [one for one in self.disputes.values() if one.payment_id == payment_id]

    def payment_of_charge(self, charge_id: str) -> str:
        """The charge of `pi_1` is `ch_1`."""
        return f"pi_{charge_id.removeprefix('ch_')}"

    def _once(self, call: str, key: str, act: Callable[[], Any]) -> Any:
        raise NotImplementedError
