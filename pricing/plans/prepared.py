"""Lots that were granted for a period before it began (`prepare.py`): made use of by the period, or taken back."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from pricing.periods import Period
from pricing.plans.models import PeriodAllowance, PlanAllowance, PreparedAllowance, Subscription
from wallets.credit.models import CreditLot
from wallets.credit.void import void_lot

WAITING: Final = (CreditLot.State.SCHEDULED, CreditLot.State.OPEN)


def take_prepared(
    subscription: Subscription, allowance: PlanAllowance, *, index: int, period: Period, at: datetime
) -> CreditLot | None:
    """The lot prepared for this allowance of period `index`; None when there is none. One for other units or another time (the
    plan was changed meanwhile) is taken back. The caller holds the wallet's lock."""
    rows = PreparedAllowance.objects.filter(subscription=subscription, index=index, meter=allowance.meter)
    for row in rows.select_related("lot").order_by("id"):
        fits = (row.lot.amount, row.lot.effective_at, row.lot.expires_at) == (allowance.quantity, period.start, period.end)
        if fits and row.lot.state != CreditLot.State.VOIDED:
            return row.lot
        if row.lot.state in WAITING:
            void_lot(lot_public_id=row.lot.public_id, at=at, reason="The plan was changed")
    return None


def drop_prepared(subscription: Subscription, *, at: datetime, reason: str) -> None:
    """Take back every lot that was prepared and that no period has made use of; the subscription's field follows (not saved).
    The caller holds the wallet's lock."""
    rows = PreparedAllowance.objects.filter(subscription=subscription, lot__state__in=WAITING)
    used = PeriodAllowance.objects.filter(lot_id__in=rows.values("lot_id")).values("lot_id")
    for row in rows.exclude(lot_id__in=used).select_related("lot").order_by("id"):
        void_lot(lot_public_id=row.lot.public_id, at=at, reason=reason)
    subscription.prepared = False
