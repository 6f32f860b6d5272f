"""Top-ups of the calendar: every month on a day, in the account's time zone. Not bound by auto-recharge's cap: its customer
chose amount and day."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.accounts.models import Account
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import NotFound, Refusal
from wallets.input import Input
from wallets.outbox.topics import RechargeNotDone
from wallets.outbox.write import add_news
from wallets.payments.providers.registry import takes_cards
from wallets.payments.terms import quote_top_up, terms_of
from wallets.recharge.configure import check_amount
from wallets.recharge.facts import chargeable_cards
from wallets.recharge.models import RechargeDecision, ScheduledTopUp
from wallets.recharge.rules import beginning_of, day_after
from wallets.recharge.states import IN_FLIGHT, NOT_DONE, Cause, Reason
from wallets.recharge.wake import wake_after_commit

LAST_DAY: Final = 31


def schedule_top_up(
    *, wallet_id: int, amount: Decimal, day: int, at: datetime, is_on: bool = True, actor: str = ""
) -> ScheduledTopUp:
    """Top a wallet (row id) up by `amount` every month from the next `day` of a month on (29 to 31: a shorter month's last).

    Raises InvalidInput, CurrencyNotCharged, WalletClosed, LockBusy, NotFound.
    """
    wallet = Wallet.objects.select_related("account").filter(pk=wallet_id).first()
    if wallet is None:
        raise NotFound(f"No wallet with id {wallet_id}.")
    check = Input()
    check_amount(check, "amount", amount, wallet=wallet, offered=terms_of(wallet.currency))
    check.whole("day", day, least=1, most=LAST_DAY)
    check.refuse("The top-up cannot be scheduled like this.")
    zone = wallet.account.time_zone
    next_date = day_after(at, zone, day=day)
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        if locked.status == Wallet.Status.CLOSED:
            raise WalletClosed(f"Wallet {locked.public_id} is closed.")
        schedule, _ = ScheduledTopUp.objects.update_or_create(
            wallet_id=wallet_id,
            defaults={
                "bucket": locked.bucket,
                "is_on": is_on,
                "amount": amount,
                "day": day,
                "next_date": next_date,
                "next_at": beginning_of(next_date, zone),
                "changed_at": at,
                "changed_by": actor[:200],
            },
        )
    return schedule


def decide_day(*, wallet_id: int, at: datetime) -> RechargeDecision | None:
    """Write the decision of a schedule whose day has come, and set the next day; None when it has not come. Raises LockBusy."""
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        schedule = ScheduledTopUp.objects.filter(bucket=locked.bucket, wallet_id=wallet_id, is_on=True, next_at__lte=at).first()
        if schedule is None:
            return None
        wallet = Wallet.objects.select_related("account").get(bucket=locked.bucket, pk=wallet_id)
        decision = _decided(schedule, wallet, at=at)
        zone = wallet.account.time_zone
        next_date = day_after(at, zone, day=schedule.day)
        ScheduledTopUp.objects.filter(pk=schedule.pk).update(
            next_date=next_date, next_at=beginning_of(next_date, zone), is_on=wallet.status != Wallet.Status.CLOSED
        )
        wake_after_commit()
    return decision


def _decided(schedule: ScheduledTopUp, wallet: Wallet, *, at: datetime) -> RechargeDecision:
    reason, quote = _stopped(wallet), None
    try:
        quote = quote_top_up(wallet=wallet, amount=schedule.amount, at=at)
    except Refusal:
        reason = reason or Reason.NO_TERMS
    cards = chargeable_cards(wallet.account)
    if not cards:
        reason = reason or Reason.NO_CARD
    decision = RechargeDecision(
        bucket=wallet.bucket,
        wallet=wallet,
        cause=Cause.SCHEDULE,
        state=NOT_DONE if reason else IN_FLIGHT,
        reason=reason or "",
        balance=wallet.balance,
        amount=schedule.amount,
        total=None if quote is None else quote.total,
        method=None if reason else cards[0],
        day=schedule.next_date,
        look_at=None if reason else at,
        decided_at=at,
        ended_at=at if reason else None,
    )
    decision.save(force_insert=True)
    if reason is not None:
        told = RechargeNotDone(
            wallet_id=wallet.pk, decision=decision.public_id, reason=reason, balance=f"{wallet.balance:f}", below="",
            currency=wallet.currency, next_at="",
        )  # fmt: skip
        add_news([(f"wallet:{wallet.pk}", told)], at=at, bucket=wallet.bucket)
    return decision


def _stopped(wallet: Wallet) -> Reason | None:
    if wallet.status == Wallet.Status.CLOSED:
        return Reason.WALLET_CLOSED
    if wallet.account.status != Account.Status.ACTIVE:
        return Reason.ACCOUNT_SUSPENDED
    return None if takes_cards() else Reason.NO_CARDS_TAKEN
