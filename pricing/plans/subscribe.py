"""Subscribe an account to a plan: its trial, or its first period with fee and allowances."""

from __future__ import annotations

from datetime import datetime

from django.db import IntegrityError, transaction

from pricing.periods import Period, days_later, period_start
from pricing.plans.begin import PRIORITY, begin_period, next_period
from pricing.plans.card import Collected, FeeNotCollected, collect
from pricing.plans.define import PlanClosed
from pricing.plans.models import Plan, Subscription, SubscriptionPeriod
from pricing.plans.move import move
from pricing.plans.price_book import assigned_book, use_book_of
from pricing.plans.states import ACTIVE, LIVE, TRIALING
from wallets.accounts.models import Account
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.errors import Conflict
from wallets.input import Input
from wallets.money import ZERO


class AlreadySubscribed(Conflict):
    """The account has a subscription to this plan that is not cancelled."""

    code = "already_subscribed"


class PlanPricesClash(Conflict):
    """The account has a subscription to another plan with prices of its own; only one plan can set the prices."""

    code = "plan_prices_clash"


def subscribe(
    *, account: Account, plan: Plan, at: datetime, wallet: Wallet | None = None, pay_by: str = "wallet", actor: str = ""
) -> Subscription:
    """Subscribe `account` to `plan` from `at` on; periods are counted from `at`, or from the end of the trial, in the
    account's time zone as it is now. Whoever had the plan before gets no second trial.

    wallet: the account's, in the plan's currency (None: its default one).  pay_by: wallet or card (`card.py`).
    Raises PlanClosed, AlreadySubscribed, PlanPricesClash, CreditExhausted (the fee), FeeNotCollected, NoCardPayments,
    WalletClosed, InvalidInput, LockBusy.
    """
    check = Input()
    check.choice("pay_by", pay_by, list(Subscription.PayBy))
    paying = wallet or _default_wallet(account, plan.currency)
    fits = paying is not None and paying.account_id == account.pk and paying.currency == plan.currency
    check.expect("wallet", fits, f"a wallet of the account in {plan.currency}")
    check.refuse("The account cannot be subscribed like this.")
    assert paying is not None, "refused above"
    if plan.closed_at is not None:
        raise PlanClosed(f"{plan.name} version {plan.version} is not sold any more.")
    earlier = Subscription.objects.filter(account=account, plan_code=plan.code)
    refuse_second(account, plan)
    number = earlier.count()
    subscription = _new(account, plan, paying, pay_by=pay_by, at=at, first=number == 0)
    if subscription.state == ACTIVE:
        key = f"{account.key}:{plan.code}:{number}"  # the same when it is sent again after a crash
        if collect(subscription, plan, amount=plan.fee, key=key, at=at) is not Collected.PAID:
            raise FeeNotCollected(f"The card did not pay the fee of {plan.name}; nothing was subscribed.")
    try:
        with transaction.atomic():
            lock_wallet(paying.pk)
            _begin(subscription, plan, first=number == 0, at=at, actor=actor)
    except IntegrityError as error:
        if "subscription_one_live" not in str(error):
            raise
        raise AlreadySubscribed(f"Account {account.key} is subscribed to {plan.code} already.") from error
    return subscription


def _default_wallet(account: Account, currency: str) -> Wallet | None:
    wallets = Wallet.objects.filter(account=account, currency=currency, is_default=True)
    return wallets.exclude(status=Wallet.Status.CLOSED).first()


def refuse_second(account: Account, plan: Plan, *, besides: Subscription | None = None) -> None:
    """Refuse a plan the account is subscribed to already, or whose prices clash with those of another.

    besides: a subscription that gives way to the plan. Raises AlreadySubscribed, PlanPricesClash.
    """
    live = Subscription.objects.filter(account=account, state__in=LIVE).select_related("plan").order_by("id")
    for other in live:
        if other == besides:
            continue
        if other.plan_code == plan.code:
            raise AlreadySubscribed(
                f"Account {account.key} is subscribed to {plan.code} already.", extra={"subscription": other.public_id}
            )
        if plan.price_book_id and other.plan.price_book_id:
            raise PlanPricesClash(f"Account {account.key} pays the prices of {other.plan.name}; change that subscription.")


def _new(account: Account, plan: Plan, wallet: Wallet, *, pay_by: str, at: datetime, first: bool) -> Subscription:
    """The subscription to be, not saved."""
    trial = first and plan.trial_days > 0
    anchor = days_later(at, days=plan.trial_days, zone=account.time_zone) if trial else at
    end = anchor if trial else period_start(at, interval="month", zone=account.time_zone, number=plan.months)
    return Subscription(
        account=account,
        wallet=wallet,
        plan=plan,
        plan_code=plan.code,
        state=TRIALING if trial else ACTIVE,
        pay_by=pay_by,
        time_zone=account.time_zone,
        anchor_at=anchor,
        period_index=0,
        period_start=at,
        period_end=end,
        next_due_at=end,
        book_before=assigned_book(account=account, at=at),
        created_at=at,
    )


def _begin(subscription: Subscription, plan: Plan, *, first: bool, at: datetime, actor: str) -> None:
    subscription.save(force_insert=True)
    use_book_of(plan, subscription=subscription, at=at)
    trial_lot = _trial_credit(subscription, plan, at=at, actor=actor) if first else None
    if subscription.state == TRIALING:
        SubscriptionPeriod.objects.create(
            subscription=subscription,
            index=0,
            starts_at=at,
            ends_at=subscription.period_end,
            trial_lot=trial_lot,
            begun_at=at,
        )
        what = f"Trial of {plan.name} for {plan.trial_days} days"
    else:
        period: Period = next_period(subscription, plan)
        begin_period(subscription, plan, period=period, at=at, leftovers={}, actor=actor)
        what = f"Subscribed to {plan.name}"
    move(subscription, subscription.state, what=what, at=at, actor=actor, before="")


def _trial_credit(subscription: Subscription, plan: Plan, *, at: datetime, actor: str) -> CreditLot | None:
    """Credit to try things with, until the trial (or the first period) ends."""
    if plan.trial_credit == ZERO:
        return None
    return grant_credit(
        wallet_id=subscription.wallet_id,
        amount=plan.trial_credit,
        kind=CreditLot.Kind.TRIAL,
        at=at,
        priority=PRIORITY,
        expires_at=subscription.period_end,
        reason=f"Trial of {plan.name}",
        source=subscription.public_id,
        actor=actor,
    )
