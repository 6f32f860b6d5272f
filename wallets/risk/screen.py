"""Screen a top-up before it is made: measure it against the rules, note the attempt, leave a review item for each hit.

Attempts of one account, card or address wait for each other, so that of many at the same moment no more get through than a
rule allows.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from ipaddress import IPv6Address, IPv6Network, ip_address
from typing import Final

from django.db import connection, transaction
from django.db.models import F, Q, Sum

from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.errors import Conflict
from wallets.money import ZERO, plain
from wallets.risk.models import ReviewItem, TopUpAttempt, TrustTier, VelocityRule
from wallets.risk.velocity import Hit, Limit, Try, check_velocity

Outcome = TopUpAttempt.Outcome
_LOCK: Final = "SELECT pg_advisory_xact_lock(hashtext('risk'), hashtext(key)) FROM unnest(%s::text[]) AS key"
_HOUSEHOLD_BITS: Final = 64
TIER_AMOUNT: Final = "Trust tier: amount"
TIER_BALANCE: Final = "Trust tier: balance"


class VelocityExceeded(Conflict):
    """More was topped up, tried or declined in a short time than is usual; somebody looks at it."""

    code = "velocity_exceeded"


class TrustLimit(Conflict):
    """The account is too new for a top-up, or a balance, of this size."""

    code = "trust_limit"


@dataclass(frozen=True, slots=True)
class Candidate:
    """A top-up to be. top_up: the public id it will have. card: fingerprint. machine: nobody chose it just now."""

    top_up: str
    account: Account
    wallet: Wallet
    card: str
    address: str
    amount: Decimal
    currency: str
    machine: bool = False


@dataclass(frozen=True, slots=True)
class Screened:
    """What came of it. refusal: to be raised once this is committed; None when the top-up may go on. hits: for the record."""

    refusal: Conflict | None
    hits: Sequence[Hit]


def screen_top_up(candidate: Candidate, *, at: datetime) -> Screened:
    """Note an attempt and say whether it may go on. In the transaction that makes the top-up; when it is refused, the caller
    commits and raises the refusal after that, so that the attempt and its review items stay."""
    assert transaction.get_connection().in_atomic_block, candidate.top_up
    address = network_of(candidate.address)
    attempt = Try(at, candidate.account.pk, candidate.card, address, candidate.amount, candidate.currency)
    _one_at_a_time(attempt)
    rules = _rules(candidate)
    hits = check_velocity(attempt, earlier=_earlier(attempt, rules), rules=rules)
    refusal = _trust_refusal(candidate, at=at) or _refusal(hits)
    TopUpAttempt.objects.create(
        account=candidate.account,
        wallet=candidate.wallet,
        top_up=candidate.top_up,
        card=candidate.card,
        address=address or None,
        amount=candidate.amount,
        currency=candidate.currency,
        outcome=Outcome.REFUSED if refusal else Outcome.PENDING,
        at=at,
    )
    for hit in hits:
        _leave_review(candidate, rule=hit.rule.name, subject=hit.subject, found=_words(hit), holds=not hit.rule.refuses, at=at)
    if isinstance(refusal, TrustLimit):
        rule = TIER_AMOUNT if "most_amount" in refusal.extra else TIER_BALANCE
        _leave_review(candidate, rule=rule, subject=str(candidate.account.pk), found=refusal.message, holds=False, at=at)
    return Screened(refusal, hits)


def note_outcome(*, top_up: str, paid: bool) -> None:
    """What became of an attempt: money came, or the bank declined it."""
    outcome = Outcome.PAID if paid else Outcome.DECLINED
    TopUpAttempt.objects.filter(top_up=top_up).exclude(outcome=Outcome.REFUSED).update(outcome=outcome)


def network_of(address: str) -> str:
    """The address by which attempts are counted: of IPv6 the first of its /64, of which one household has them all. Empty for
    what is no address."""
    try:
        found = ip_address(address)
    except ValueError:
        return ""
    if isinstance(found, IPv6Address):
        found = found.ipv4_mapped or IPv6Network((found, _HOUSEHOLD_BITS), strict=False).network_address
    return str(found)


def purge_attempts(*, before: datetime) -> int:
    """Forget attempts that no rule looks at any more; how many."""
    return TopUpAttempt.objects.filter(at__lt=before).delete()[0]


def _one_at_a_time(attempt: Try) -> None:
    subjects = {f"account:{attempt.account}", f"card:{attempt.card}", f"address:{attempt.address}"}
    keys = sorted(key for key in subjects if not key.endswith(":"))
    with connection.cursor() as cursor:
        for key in keys:  # in one order for everybody
            cursor.execute(_LOCK, [[key]])


def _rules(candidate: Candidate) -> list[Limit]:
    rules = VelocityRule.objects.filter(is_active=True).order_by("id")
    if candidate.machine:
        rules = rules.filter(machine_too=True)
    return [
        Limit(
            rule.pk, rule.name, rule.measure, rule.per, timedelta(minutes=rule.window_minutes), rule.limit, rule.currency,
            refuses=rule.then == VelocityRule.Then.REFUSE,
        )
        for rule in rules
    ]  # fmt: skip


def _earlier(attempt: Try, rules: Sequence[Limit]) -> list[Try]:
    """What went before, as far back as a rule looks."""
    if not rules:
        return []
    same = Q(account_id=attempt.account)
    if attempt.card:
        same |= Q(card=attempt.card)
    if attempt.address:
        same |= Q(address=attempt.address)
    since = attempt.at - max(rule.window for rule in rules)
    rows = TopUpAttempt.objects.filter(same, at__gt=since, at__lte=attempt.at)
    names = ("at", "account_id", "card", "address", "amount", "currency", "outcome")
    return [
        Try(then, account, card, address or "", amount, currency, outcome == Outcome.REFUSED, outcome == Outcome.DECLINED)
        for then, account, card, address, amount, currency, outcome in rows.values_list(*names)
    ]


def _refusal(hits: Sequence[Hit]) -> Conflict | None:
    if not any(hit.rule.refuses for hit in hits):
        return None
    longest = max(hit.rule.window for hit in hits if hit.rule.refuses)
    return VelocityExceeded(
        "This cannot be topped up right now. Try again later; we have been told and look at it.",
        extra={"retry_after_seconds": int(longest.total_seconds())},
    )


def _trust_refusal(candidate: Candidate, *, at: datetime) -> TrustLimit | None:
    age = at - candidate.account.created_at
    tiers = TrustTier.objects.filter(currency=candidate.currency, from_age_days__lte=max(age.days, 0))
    tier = tiers.order_by("-from_age_days").first()
    if tier is None:
        return None
    currency = candidate.currency
    if tier.most_amount is not None and candidate.amount > tier.most_amount:
        most = plain(tier.most_amount)
        return TrustLimit(
            f"For now this account can top up at most {most} {currency} at once.",
            fields={"amount": f"at most {most}"}, extra={"most_amount": most},
        )  # fmt: skip
    if tier.most_balance is None:
        return None
    under_way = TopUpAttempt.objects.filter(wallet=candidate.wallet, outcome=Outcome.PENDING, at__gt=at - timedelta(days=1))
    coming = under_way.aggregate(total=Sum("amount"))["total"] or ZERO
    balance = Wallet.objects.values_list("balance", flat=True).get(pk=candidate.wallet.pk)
    if balance + coming + candidate.amount <= tier.most_balance:
        return None
    most = plain(tier.most_balance)
    return TrustLimit(
        f"For now this account can hold at most {most} {currency}; it has {plain(balance)}.", extra={"most_balance": most}
    )


def _leave_review(candidate: Candidate, *, rule: str, subject: str, found: str, holds: bool, at: datetime) -> None:
    """One open item for a rule and whom it is about; further hits count up on it."""
    open_ones = ReviewItem.objects.filter(rule=rule, subject=subject, account=candidate.account, state=ReviewItem.State.OPEN)
    latest = {"last_at": at, "top_up": candidate.top_up, "amount": candidate.amount, "currency": candidate.currency}
    if open_ones.update(hits=F("hits") + 1, found=found[:300], **latest):
        return
    ReviewItem.objects.create(
        rule=rule,
        subject=subject,
        account=candidate.account,
        wallet=candidate.wallet,
        found=found[:300],
        holds_credit=holds,
        opened_at=at,
        **latest,
    )


def _words(hit: Hit) -> str:
    """10 attempts per card within 60 minutes; at most 5 are allowed."""
    rule = hit.rule
    minutes = int(rule.window.total_seconds()) // 60
    unit = f" {rule.currency}" if rule.currency else f" {VelocityRule.Measure(rule.measure).label}"
    value, most = (plain(hit.value), plain(rule.limit)) if rule.currency else (f"{hit.value:f}", f"{rule.limit.normalize():f}")
    return f"{value}{unit} by one {rule.per.lower()} within {minutes:,} minutes; the rule allows {most}."
