"""The plan page: what the account has subscribed to, and what is left of the units it includes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page
from pricing.plans.models import Subscription
from pricing.plans.queries import included_meters, subscriptions_seen
from pricing.plans.states import LIVE
from wallets.accounts.models import Account
from wallets.clock import now
from wallets.money import ZERO


@dataclass(frozen=True, slots=True)
class UnitsShown:
    """Units of a meter that the period includes. share: what is left of them, 0 to 100."""

    meter: str
    left: Decimal
    granted: Decimal
    rolled_over: Decimal
    share: Decimal


@dataclass(frozen=True, slots=True)
class SubscriptionShown:
    """A subscription, as values."""

    plan: str
    fee: Decimal
    currency: str
    interval: str
    state: str
    period_end: datetime
    ends: bool
    next_plan: str
    units: list[UnitsShown]


@dataclass(frozen=True, slots=True)
class PlanPage:
    """Everything on the page."""

    as_of: datetime
    account_key: str
    account_name: str
    subscriptions: list[SubscriptionShown]


@require_safe
@customer_page
def plan(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The plan of one account: `?account=KEY`, else the first."""
    account = _account(customer, request.GET.get("account"))
    return render(request, "portal/plan.html", {"page": read_plan_page(account, at=now())})


def read_plan_page(account: Account, *, at: datetime) -> PlanPage:
    """The page as of `at`."""
    live = subscriptions_seen(only_account_id=account.pk).filter(state__in=LIVE).order_by("id")
    return PlanPage(
        as_of=at,
        account_key=account.key,
        account_name=account.name,
        subscriptions=[_shown(subscription) for subscription in live],
    )


def _account(customer: Customer, key: str | None) -> Account:
    if key is not None:
        return customer.account(key)
    first = customer.accounts().first()
    if first is None:
        raise Http404
    return first


def _shown(subscription: Subscription) -> SubscriptionShown:
    units = []
    for rows in included_meters(subscription=subscription).values():
        granted = sum((row.quantity for row in rows), ZERO)
        left = sum((row.lot.remaining for row in rows if row.lot is not None), ZERO)
        rolled = sum((row.quantity for row in rows if row.rolled_from_id is not None), ZERO)
        meter = rows[0].meter
        units.append(UnitsShown(meter.name or meter.code, left, granted, rolled, left * 100 / granted))
    return SubscriptionShown(
        plan=subscription.plan.name,
        fee=subscription.plan.fee,
        currency=subscription.plan.currency,
        interval=subscription.plan.interval,
        state=subscription.state,
        period_end=subscription.period_end,
        ends=subscription.cancel_at_period_end,
        next_plan=subscription.next_plan.name if subscription.next_plan else "",
        units=units,
    )
