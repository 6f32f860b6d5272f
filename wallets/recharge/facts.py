"""The facts a decision is made from, read under the wallet's lock."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.db.models import Max, Q, QuerySet, Sum

from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.errors import Refusal
from wallets.money import ZERO
from wallets.months import month_of
from wallets.payments.currencies import charge_step
from wallets.payments.find import cards_of
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.providers.registry import takes_cards
from wallets.payments.states import FAILED, IN_FLIGHT, PAID
from wallets.payments.terms import Quote, quote_top_up, terms_of
from wallets.recharge.models import AutoRecharge, RechargeDecision
from wallets.recharge.rules import DECLINES, HARD_DECLINES, CardFacts, Facts, recharge_amount
from wallets.recharge.states import IN_FLIGHT as UNDER_WAY
from wallets.recharge.states import Reason

NOBODY_THERE: Final = (TopUp.Origin.RECHARGE, TopUp.Origin.SCHEDULE)


def read_facts(rule: AutoRecharge, wallet: Wallet, *, at: datetime) -> tuple[Facts, Quote | None]:
    """What `decide_recharge` needs about a wallet (with its account, its lock held), and what a recharge would cost; None when
    it cannot be said."""
    quote = quote_recharge(
        wallet, threshold=rule.threshold, amount=rule.amount, target=rule.target, balance=wallet.balance, at=at
    )
    zone = wallet.account.time_zone
    month_begins_at, month_ends_at = (moment.astimezone(ZoneInfo(zone)) for moment in month_of(at, zone))
    facts = Facts(
        balance=wallet.balance,
        threshold=rule.threshold,
        total=ZERO if quote is None else quote.total,
        cap=rule.monthly_cap,
        charged=_charged(wallet, since=month_begins_at, until=month_ends_at),
        month_ends_at=month_ends_at,
        in_flight=_of(wallet).filter(state=UNDER_WAY).exists(),
        last_charged_at=_top_ups(wallet).filter(state__in=PAID).aggregate(last=Max("settled_at"))["last"],
        cool_down=timedelta(seconds=rule.cool_down_seconds),
        cards=card_facts(wallet.account, since=rule.resumed_at),
        stopped=_stopped(rule, wallet, quote),
    )
    return facts, quote


def quote_recharge(
    wallet: Wallet,
    *,
    threshold: Decimal,
    amount: Decimal | None,
    target: Decimal | None,
    balance: Decimal | None = None,
    at: datetime,
) -> Quote | None:
    """What one recharge costs from a balance (left out: from just below the threshold); None in a currency no card pays."""
    try:
        terms = terms_of(wallet.currency)
        buys = recharge_amount(
            balance=threshold if balance is None else balance,
            amount=amount,
            target=target,
            least=terms.minimum,
            most=terms.maximum,
            step=charge_step(wallet.currency),
        )
        return quote_top_up(wallet=wallet, amount=buys, at=at)
    except Refusal:
        return None


def chargeable_cards(account: Account) -> list[PaymentMethod]:
    """The cards that are charged when nobody is there, in order: the default one, then the backup."""
    cards = cards_of(account_id=account.pk)
    return [card for card in cards if card.is_default or card.is_backup] or cards[:1]


def card_facts(account: Account, *, since: datetime) -> list[CardFacts]:
    """How those cards fared since then."""
    return [facts_of(card, since=since) for card in chargeable_cards(account)]


def facts_of(card: PaymentMethod, *, since: datetime) -> CardFacts:
    """How a card fared since then: the same card saved anew is the same card."""
    same = Q(method__fingerprint=card.fingerprint) if card.fingerprint else Q(method_id=card.pk)
    ended = TopUp.objects.filter(same, method__account_id=card.account_id, created_at__gte=since)
    ended = ended.filter(Q(state__in=PAID) | Q(state=FAILED, origin__in=NOBODY_THERE))
    declined: list[tuple[datetime, str]] = []
    for state, moved_at, code in ended.order_by("-id").values_list("state", "moved_at", "failure_code")[:DECLINES]:
        if state != FAILED:
            break
        declined.append((moved_at, code))
    if not declined:
        return CardFacts(card.pk)
    moved_at, code = declined[0]
    return CardFacts(card.pk, DECLINES if code in HARD_DECLINES else len(declined), moved_at)


def _charged(wallet: Wallet, *, since: datetime, until: datetime) -> Decimal:
    """What recharges charged in the month, what is in flight included."""
    counted = _top_ups(wallet).filter(created_at__gte=since, created_at__lt=until, state__in=(*IN_FLIGHT, *PAID))
    return counted.aggregate(sum=Sum("total"))["sum"] or ZERO


def _top_ups(wallet: Wallet) -> QuerySet[TopUp]:
    return TopUp.objects.filter(bucket=wallet.bucket, wallet=wallet, origin=TopUp.Origin.RECHARGE)


def _of(wallet: Wallet) -> QuerySet[RechargeDecision]:
    return RechargeDecision.objects.filter(bucket=wallet.bucket, wallet=wallet, day__isnull=True)


def _stopped(  # noqa: PLR0911 - one line a reason
    rule: AutoRecharge, wallet: Wallet, quote: Quote | None
) -> Reason | None:
    """What stands in the way before any card or cap."""
    if not rule.is_on:
        return Reason.OFF
    if wallet.status == Wallet.Status.CLOSED:
        return Reason.WALLET_CLOSED
    if wallet.balance >= rule.threshold:
        return None
    if wallet.status == Wallet.Status.FROZEN:
        return Reason.WALLET_FROZEN
    if wallet.account.status != Account.Status.ACTIVE:
        return Reason.ACCOUNT_SUSPENDED
    if not takes_cards():
        return Reason.NO_CARDS_TAKEN
    return Reason.NO_TERMS if quote is None else None
