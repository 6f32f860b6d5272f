"""The plan page: what the account has subscribed to, what is left of the units it includes, and vouchers to redeem."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final
from urllib.parse import urlencode

from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from billing_site.portal.access import Customer, customer_page
from pricing.credit_products.redeem import redeem_voucher
from pricing.plans.models import Subscription
from pricing.plans.queries import included_meters, subscriptions_seen
from pricing.plans.states import LIVE
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.credit.models import CreditLot
from wallets.errors import Refusal
from wallets.money import ZERO

LONGEST_CODE: Final = 120


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
    """Everything on the page. refusal: why the code was not redeemed; redeemed: the credit a code became just now."""

    as_of: datetime
    account_key: str
    account_name: str
    subscriptions: list[SubscriptionShown]
    wallets: list[tuple[str, str]]
    code: str = ""
    refusal: str = ""
    redeemed: tuple[Decimal, str, datetime | None] | None = None


@require_http_methods(["GET", "HEAD", "POST"])
@customer_page
def plan(request: HttpRequest, customer: Customer) -> HttpResponse:
    """The plan of one account: `?account=KEY`, else the first. POST redeems a voucher."""
    account = _account(customer, request.GET.get("account"))
    code = refusal = ""
    if request.method == "POST":
        code = request.POST.get("code", "")[:LONGEST_CODE]
        wallet = customer.wallets(account).filter(public_id=request.POST.get("wallet", "")).first()
        if wallet is None:
            raise Http404
        try:
            redeemed = redeem_voucher(wallet=wallet, code=code, at=now(), actor=customer.user.email)
        except Refusal as error:
            refusal = error.message
        else:
            query = urlencode({"account": account.key, "redeemed": redeemed.lot.public_id})
            return HttpResponseRedirect(f"{reverse('portal:plan')}?{query}")
    page = read_plan_page(customer, account, at=now(), code=code, refusal=refusal, lot=request.GET.get("redeemed", ""))
    return render(request, "portal/plan.html", {"page": page}, status=422 if refusal else 200)


def read_plan_page(
    customer: Customer, account: Account, *, at: datetime, code: str = "", refusal: str = "", lot: str = ""
) -> PlanPage:
    """The page as of `at`. lot: the id of one that a voucher became."""
    live = subscriptions_seen(only_account_id=account.pk).filter(state__in=LIVE).order_by("id")
    wallets = list(customer.wallets(account))
    found = CreditLot.objects.filter(public_id=lot, wallet__in=wallets).select_related("wallet").first() if lot else None
    return PlanPage(
        as_of=at,
        account_key=account.key,
        account_name=account.name,
        subscriptions=[_shown(subscription) for subscription in live],
        wallets=[(wallet.public_id, _label(wallet)) for wallet in wallets],
        code=code,
        refusal=refusal,
        redeemed=None if found is None else (found.amount, found.wallet.currency, found.expires_at),
    )


def _account(customer: Customer, key: str | None) -> Account:
    if key is not None:
        return customer.account(key)
    first = customer.accounts().first()
    if first is None:
        raise Http404
    return first


def _label(wallet: Wallet) -> str:
    return f"{wallet.currency} · {wallet.name}" if wallet.name else wallet.currency


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
