"""Begin a period: its fee, its allowances, and what rolls over into it. The caller holds the wallet's lock, and all of it is
one transaction; the row of the period exists once, so nothing of it can happen twice."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from pricing.periods import Interval, Period, period_start
from pricing.plans.models import PeriodAllowance, PeriodFee, Plan, PlanAllowance, Subscription, SubscriptionPeriod
from pricing.plans.prepared import drop_prepared, take_prepared
from pricing.plans.roll_over import Leftover, Rule, roll_over
from wallets.balances.lock import LockedWallet
from wallets.credit.activate import activate_due
from wallets.credit.expire import expire_due
from wallets.credit.fee import charge_fee
from wallets.credit.grant import grant_allowance
from wallets.credit.models import CreditLot
from wallets.credit.queries import expired_amounts
from wallets.money import ZERO

# Before other credit of the customer, after what was granted with a higher claim by hand.
PRIORITY = 40


def next_period(subscription: Subscription, plan: Plan) -> Period:
    """When the period after the present one starts and ends, if it is of `plan`."""

    def after(months: int) -> datetime:
        return period_start(
            subscription.anchor_at,
            interval=Interval.MONTH,
            zone=subscription.time_zone,
            number=subscription.months_begun + months,
        )

    return Period(after(0), after(plan.months))


def begin_period(
    subscription: Subscription,
    plan: Plan,
    *,
    period: Period,
    at: datetime,
    leftovers: Mapping[int, Sequence[Leftover]],
    actor: str,
) -> SubscriptionPeriod:
    """Charge the fee of `plan` for `period` and grant what it includes; the subscription's fields follow (not saved).

    leftovers: by meter, what is left of the period before. For a period that has passed already (nothing ran while it was
    due) there are no lots: its units count as left over. Raises CreditExhausted, WalletClosed.
    """
    assert transaction.get_connection().in_atomic_block, subscription.public_id
    index = subscription.period_index + 1
    row = SubscriptionPeriod.objects.create(
        subscription=subscription, index=index, starts_at=period.start, ends_at=period.end, begun_at=at
    )
    charge_period_fee(subscription, row, plan, amount=plan.fee, since=period.start, at=at, actor=actor)
    for allowance in PlanAllowance.objects.filter(plan=plan).select_related("meter").order_by("id"):
        rule = Rule(allowance.roll_over, allowance.roll_over_cap, allowance.roll_over_periods)
        for left in roll_over(rule, leftovers.get(allowance.meter_id, ()), into=index):
            add_allowance(subscription, row, allowance, quantity=left.quantity, at=at, origin=left.origin, rolled_from=left.lot)
        lot = take_prepared(subscription, allowance, index=index, period=period, at=at)
        if lot is None:
            add_allowance(subscription, row, allowance, quantity=allowance.quantity, at=at, origin=index)
        else:
            _note_allowance(row, allowance, quantity=lot.amount, origin=index, lot=lot)
    drop_prepared(subscription, at=at, reason="The plan was changed")
    subscription.plan, subscription.plan_code = plan, plan.code
    subscription.period_index, subscription.period_start, subscription.period_end = index, period.start, period.end
    subscription.months_begun += plan.months
    subscription.next_due_at, subscription.attempts, subscription.past_due_since = period.end, 0, None
    return row


def charge_period_fee(
    subscription: Subscription,
    row: SubscriptionPeriod,
    plan: Plan,
    *,
    amount: Decimal,
    since: datetime,
    at: datetime,
    actor: str,
) -> PeriodFee:
    """Charge the plan's fee for a period from `since` on to the wallet. Raises CreditExhausted, WalletClosed."""
    entry_id = None
    if amount:
        entry_id = charge_fee(
            wallet_id=subscription.wallet_id,
            amount=amount,
            code=plan.fee_code,
            at=at,
            reference=subscription.public_id,
            reason=f"{plan.name}, {since:%d %b %Y} to {row.ends_at:%d %b %Y}",
            actor=actor,
        )
    return PeriodFee.objects.create(period=row, plan=plan, since=since, amount=amount, entry_id=entry_id)


def add_allowance(
    subscription: Subscription,
    row: SubscriptionPeriod,
    allowance: PlanAllowance,
    *,
    quantity: Decimal,
    at: datetime,
    origin: int,
    rolled_from: int | None = None,
) -> None:
    """Grant units for a period, as a lot that ends with it; rolled over ones are usable from when they were at first, so that
    usage told late still finds them."""
    lot: CreditLot | None = None
    if row.ends_at > at:
        before = None if rolled_from is None else CreditLot.objects.get(pk=rolled_from)
        period = Period(row.starts_at, row.ends_at)
        lot = grant_units(subscription, allowance, period=period, quantity=quantity, at=at, before=before)
    _note_allowance(row, allowance, quantity=quantity, origin=origin, lot=lot, rolled_from=rolled_from)


def grant_units(
    subscription: Subscription,
    allowance: PlanAllowance,
    *,
    period: Period,
    quantity: Decimal,
    at: datetime,
    before: CreditLot | None = None,
) -> CreditLot:
    """A lot of units for a period; `before`: the lot they were left over in."""
    return grant_allowance(
        wallet_id=subscription.wallet_id,
        meter=allowance.meter.code,
        quantity=quantity,
        at=at,
        priority=PRIORITY,
        effective_at=period.start if before is None else before.effective_at,
        expires_at=period.end,
        reason="Included in the plan" if before is None else f"Rolled over from {before.public_id}",
        source=subscription.public_id if before is None else before.public_id,
    )


def _note_allowance(
    row: SubscriptionPeriod,
    allowance: PlanAllowance,
    *,
    quantity: Decimal,
    origin: int,
    lot: CreditLot | None,
    rolled_from: int | None = None,
) -> None:
    PeriodAllowance.objects.create(
        period=row, meter=allowance.meter, origin=origin, quantity=quantity, lot=lot, rolled_from_id=rolled_from
    )


def leftovers_of(subscription: Subscription, *, wallet: LockedWallet, at: datetime) -> dict[int, list[Leftover]]:
    """By meter, what the present period's allowances held when it ended. Those lots of the wallet whose time has come enter
    and end first.

    What was left is what expired, whether the lots expired just now or with the sweep before.
    """
    activate_due({wallet.id: wallet}, bucket=wallet.bucket, at=at)
    expire_due({wallet.id: wallet}, bucket=wallet.bucket, at=at)
    rows = list(
        PeriodAllowance.objects.filter(period__subscription=subscription, period__index=subscription.period_index).order_by(
            "id"
        )
    )
    expired = expired_amounts([row.lot_id for row in rows if row.lot_id is not None], bucket=wallet.bucket)
    left: dict[int, list[Leftover]] = defaultdict(list)
    for row in rows:
        quantity = row.quantity if row.lot_id is None else expired.get(row.lot_id, ZERO)
        if quantity > ZERO:
            left[row.meter_id].append(Leftover(row.origin, quantity, row.lot_id))
    return left
