"""Quotas at the gate: a plan can say that calls of a meter stop when the units it includes are used up (block), instead of
going on at a price (overage). A call goes ahead while any unit is left, so what is used beyond is at most what was in flight;
usage that did happen is charged at its price, as always."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from metering.gate.decide import Decision
from pricing.plans.queries import blocked_meters
from wallets.holds.refusals import HoldRefused


class AllowanceExhausted(HoldRefused):
    """The units included in the plan are used up, and the plan sells none beyond them."""

    code = "allowance_exhausted"


def stop_at_quota(decision: Decision, *, account_id: int, meters: Collection[str], at: datetime) -> Decision:
    """The decision for a call on these meters (codes): refused where a plan blocks one of them."""
    if decision.verdict == "refuse" or blocked_meters(account_id=account_id, at=at).isdisjoint(meters):
        return decision
    return replace(decision, verdict="refuse", reason="allowance_exhausted", retry_after_seconds=None)


def refuse_spent_quota(*, account_id: int, meters: Collection[str], at: datetime) -> None:
    """Raise AllowanceExhausted where a plan blocks one of these meters."""
    spent = blocked_meters(account_id=account_id, at=at).intersection(meters)
    if spent:
        raise AllowanceExhausted(
            f"The units of {', '.join(sorted(spent))} that the plan includes are used up; they come back with the next period, "
            "or with another plan.",
            extra={"reason": AllowanceExhausted.code, "meters": sorted(spent)},
        )
