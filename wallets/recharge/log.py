"""Decisions as sentences: the customer, support and the API read the same text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time
from decimal import Decimal
from zoneinfo import ZoneInfo

from django.db.models import QuerySet

from wallets.amount_text import exact_text, headline_text
from wallets.money import ZERO
from wallets.recharge.models import RechargeDecision
from wallets.recharge.rules import DECLINES
from wallets.recharge.states import FAILED, IN_FLIGHT, NOT_DONE, SUCCEEDED, Reason


@dataclass(frozen=True, slots=True)
class DecisionLine:
    """A decision to be read. asks: its card's holder has to confirm it, on the page of `top_up`."""

    public_id: str
    decided_at: datetime
    state: str
    reason: str
    text: str
    top_up: str
    asks: bool
    next_at: datetime | None


def decisions_of(*, wallet_id: int) -> QuerySet[RechargeDecision]:
    """A wallet's decisions, with all that their sentences need."""
    return RechargeDecision.objects.select_related("wallet__account", "method", "top_up").filter(wallet_id=wallet_id)


def latest_lines(*, wallet_id: int, limit: int) -> list[DecisionLine]:
    """A wallet's latest decisions, newest first; one query."""
    return [line_of(decision) for decision in decisions_of(wallet_id=wallet_id).order_by("-id")[:limit]]


def line_of(decision: RechargeDecision) -> DecisionLine:
    """A decision (as `decisions_of` reads it) as a line."""
    return DecisionLine(
        public_id=decision.public_id,
        decided_at=decision.decided_at,
        state=decision.state,
        reason=decision.reason,
        text=text_of(decision),
        top_up=decision.top_up.public_id if decision.top_up else "",
        asks=decision.state == IN_FLIGHT and decision.asked_at is not None,
        next_at=decision.next_at,
    )


def text_of(decision: RechargeDecision) -> str:
    """`balance 4.10 below 5.00; not recharged: monthly cap 200.00 reached, next possible 1 Dec`."""
    return f"{_occasion(decision)}; {_outcome(decision)}"


def _occasion(decision: RechargeDecision) -> str:
    if decision.day is not None:
        return f"monthly top-up of {decision.day.day} {decision.day:%b}"
    currency, threshold = decision.wallet.currency, decision.threshold or ZERO
    balance = _money(decision.balance, currency)
    if decision.balance != threshold and balance == _money(threshold, currency):
        balance = _plain(exact_text(decision.balance, currency))
    below = "below" if decision.balance < threshold else "not below"
    return f"balance {balance} {below} {_money(threshold, currency)}"


def _outcome(decision: RechargeDecision) -> str:
    if decision.state == NOT_DONE:
        return f"not {_done(decision)}: {_why_not(decision)}{_next(decision)}"
    currency, card = decision.wallet.currency, decision.method.label if decision.method else ""
    amount, total = _money(decision.amount or ZERO, currency), _money(decision.total or ZERO, currency)
    charged = "" if decision.amount == decision.total else f" ({total} charged)"
    if decision.state == SUCCEEDED:
        return f"{_done(decision)} {amount} with {card}{charged}"
    if decision.state == FAILED:
        return f"{total} not charged to {card}: {_lower(decision.failure)}"
    waits = "waiting for you to confirm" if decision.asked_at else "charging"
    return f"{waits} {total} {'with' if decision.asked_at else 'to'} {card}"


def _why_not(decision: RechargeDecision) -> str:  # noqa: PLR0911 - one line a reason
    currency, cap, total = decision.wallet.currency, decision.cap or ZERO, decision.total or ZERO
    card = decision.method.label if decision.method else "the card"
    match Reason(decision.reason):
        case Reason.CAP_REACHED if decision.charged_before >= cap:
            return f"monthly cap {_money(cap, currency)} reached"
        case Reason.CAP_REACHED:
            left = _money(cap - decision.charged_before, currency)
            return f"monthly cap {_money(cap, currency)} leaves {left} of the {_money(total, currency)} it takes"
        case Reason.CAP_TOO_SMALL:
            return f"monthly cap {_money(cap, currency)} is less than the {_money(total, currency)} it takes"
        case Reason.CARD_STOPPED:
            return f"{card} was declined {DECLINES} times or for good; choose another card, or turn auto-recharge on again"
        case Reason.CARD_DECLINED:
            return f"{card} was declined"
        case Reason.NO_TERMS:
            return f"what it costs in {currency} cannot be worked out"
        case reason:
            return _SIMPLE[reason]


_SIMPLE = {
    Reason.OFF: "auto-recharge is off",
    Reason.ENOUGH: "no need any more",
    Reason.WALLET_CLOSED: "the wallet is closed",
    Reason.WALLET_FROZEN: "the wallet is frozen",
    Reason.ACCOUNT_SUSPENDED: "the account is suspended",
    Reason.NO_CARDS_TAKEN: "cards are not taken here",
    Reason.IN_FLIGHT: "one is under way",
    Reason.NO_CARD: "there is no card to charge; save one",
    Reason.COOLING_DOWN: "the last one was just before",
}


def _done(decision: RechargeDecision) -> str:
    return "recharged" if decision.day is None else "topped up"


def _next(decision: RechargeDecision) -> str:
    if decision.next_at is None:
        return ""
    zone = ZoneInfo(decision.wallet.account.time_zone)
    moment, decided = decision.next_at.astimezone(zone), decision.decided_at.astimezone(zone)
    day = f"{moment.day} {moment:%b}" + (f" {moment.year}" if moment.year != decided.year else "")
    return f", next possible {day}" + ("" if moment.time() == time.min else f" {moment:%H:%M}")


def _money(amount: Decimal, currency: str) -> str:
    return _plain(headline_text(amount, currency))


def _plain(text: object) -> str:
    """Without the currency: the page says it once."""
    sign, units, cents = text.sign, text.units, text.cents  # type: ignore[attr-defined]
    return f"{sign}{units}{cents}"


def _lower(sentence: str) -> str:
    """The fact of a text, in the middle of another; what to do about it stands on the page of the top-up."""
    fact = sentence.split(". ", maxsplit=1)[0].rstrip(".")
    return fact[:1].lower() + fact[1:]
