"""Looking plans and subscriptions up. `only_account_id` is the account a caller is confined to (I12)."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction
from django.db.models import QuerySet

from pricing.plans.models import PeriodAllowance, Plan, PlanAllowance, Subscription, SubscriptionChange, SubscriptionPeriod
from pricing.plans.states import LIVE
from wallets.balances.lock import lock_wallet
from wallets.credit.models import CreditLot
from wallets.errors import NotFound


def all_plans() -> QuerySet[Plan]:
    """Every version of every plan, with its allowances."""
    return Plan.objects.select_related("price_book").prefetch_related("allowances__meter")


def plan_by_id(*, public_id: str) -> Plan:
    """The version with this id (`pln_…`). Raises NotFound."""
    plan = all_plans().filter(public_id=public_id).first()
    if plan is None:
        raise NotFound(f"There is no plan {public_id[:40]}.")
    return plan


def plan_on_sale(*, name: str) -> Plan:
    """The plan with this id, or the open version of the plan with this code. Raises NotFound."""
    plan = all_plans().filter(code=name, closed_at__isnull=True).first()
    return plan if plan is not None else plan_by_id(public_id=name)


def subscriptions_seen(*, only_account_id: int | None = None) -> QuerySet[Subscription]:
    """Subscriptions with what answers about them need."""
    found = Subscription.objects.select_related("account", "wallet", "plan", "next_plan")
    return found if only_account_id is None else found.filter(account_id=only_account_id)


def subscription_by_id(*, public_id: str, only_account_id: int | None = None) -> Subscription:
    """The subscription with this id (`sub_…`). Raises NotFound, also when it is another account's than the caller's."""
    found = subscriptions_seen(only_account_id=only_account_id).filter(public_id=public_id).first()
    if found is None:
        raise NotFound(f"There is no subscription {public_id[:40]}.")
    return found


def periods_of(*, subscription: Subscription) -> QuerySet[SubscriptionPeriod]:
    """A subscription's periods with fees and allowances."""
    periods = SubscriptionPeriod.objects.filter(subscription=subscription)
    return periods.prefetch_related("fees__plan", "allowances__meter", "allowances__lot", "allowances__rolled_from")


def changes_of(*, subscription: Subscription) -> QuerySet[SubscriptionChange]:
    """A subscription's history, newest first."""
    return SubscriptionChange.objects.filter(subscription=subscription).order_by("-id")


def locked_subscription(subscription: Subscription) -> Subscription:
    """The subscription as it is under its wallet's lock, which is held until the transaction ends. Raises LockBusy."""
    assert transaction.get_connection().in_atomic_block, subscription.public_id
    lock_wallet(subscription.wallet_id)
    return subscriptions_seen().get(pk=subscription.pk)


def blocked_meters(*, account_id: int, at: datetime) -> frozenset[str]:
    """Codes of the meters whose calls the gate refuses at `at`: a live plan of the account includes units of them, says block
    on exhaustion, and none of the units is left. Two queries, one for an account without such a plan."""
    live = Subscription.objects.filter(
        account_id=account_id, state__in=LIVE, plan__allowances__on_exhaustion=PlanAllowance.OnExhaustion.BLOCK
    )
    blocking = set(live.values_list("wallet_id", "plan__allowances__meter__code"))
    if not blocking:
        return frozenset()
    lots = CreditLot.objects.filter(
        wallet_id__in={wallet_id for wallet_id, _ in blocking},
        unit_meter__in={code for _, code in blocking},
        state__in=[CreditLot.State.OPEN, CreditLot.State.SCHEDULED],
        effective_at__lte=at,
        expires_at__gt=at,
    )
    left = set(lots.values_list("wallet_id", "unit_meter"))
    return frozenset(code for wallet_id, code in blocking if (wallet_id, code) not in left)


def included_meters(*, subscription: Subscription) -> dict[int, list[PeriodAllowance]]:
    """The present period's allowances by meter row id, each with its lot."""
    rows = PeriodAllowance.objects.filter(period__subscription=subscription, period__index=subscription.period_index)
    by_meter: dict[int, list[PeriodAllowance]] = {}
    for row in rows.select_related("meter", "lot", "rolled_from").order_by("id"):
        by_meter.setdefault(row.meter_id, []).append(row)
    return by_meter
