"""May a wallet recharge now, with which card, and if not: why, and when at the earliest. Pure: told the facts and the time."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import ROUND_CEILING, Decimal
from typing import Final
from zoneinfo import ZoneInfo

from wallets.money import EXACT
from wallets.recharge.states import Reason

# After the first decline of a card, and after the second; after the third it is not charged by itself any more.
BACK_OFF: Final = (timedelta(hours=1), timedelta(days=1))
DECLINES: Final = len(BACK_OFF) + 1
HARD_DECLINES: Final = frozenset({"expired_card", "lost_card", "stolen_card", "pickup_card", "fraudulent"})
"""No second try makes these better: the card counts as declined three times at once."""
DECEMBER: Final = 12


@dataclass(frozen=True, slots=True)
class CardFacts:
    """A card that may be charged. declines: in a row, since it last paid or the customer said to try again, by its
    fingerprint; of charges nobody was there for."""

    id: int
    declines: int = 0
    last_declined_at: datetime | None = None

    @property
    def stopped(self) -> bool:
        """Declined too often to be charged by itself."""
        return self.declines >= DECLINES

    @property
    def ready_at(self) -> datetime | None:
        """The end of its back-off; None when it has not been declined."""
        if not self.declines or self.last_declined_at is None:
            return None
        return self.last_declined_at + BACK_OFF[min(self.declines, len(BACK_OFF)) - 1]


@dataclass(frozen=True, slots=True)
class Facts:
    """What the decision is made from. total: what would be charged, tax and fee included. charged: in this month so far,
    what is in flight included. cards: in the order in which they are tried. stopped: what stands in the way before any of
    it."""

    balance: Decimal
    threshold: Decimal
    total: Decimal
    cap: Decimal
    charged: Decimal
    month_ends_at: datetime
    in_flight: bool = False
    last_charged_at: datetime | None = None
    cool_down: timedelta = timedelta(0)
    cards: Sequence[CardFacts] = ()
    stopped: Reason | None = None


@dataclass(frozen=True, slots=True)
class Charge:
    """Charge this card (row id)."""

    card_id: int


@dataclass(frozen=True, slots=True)
class NotNow:
    """Why not. next_at: when it is possible at the earliest; None: not before somebody does something. card_id: the card
    that stands in the way."""

    reason: Reason
    next_at: datetime | None = None
    card_id: int | None = None


def decide_recharge(facts: Facts, *, at: datetime) -> Charge | NotNow:  # noqa: PLR0911 - one line a reason
    """Recharge, or why not. What lasts longest is said first: who is told of a cap need not hear of a cool-down."""
    if facts.stopped is not None:
        return NotNow(facts.stopped)
    if facts.balance >= facts.threshold:
        return NotNow(Reason.ENOUGH)
    if facts.in_flight:
        return NotNow(Reason.IN_FLIGHT)
    if facts.total > facts.cap:
        return NotNow(Reason.CAP_TOO_SMALL)
    if facts.charged + facts.total > facts.cap:
        return NotNow(Reason.CAP_REACHED, facts.month_ends_at)
    card = pick_card(facts.cards, at=at)
    if isinstance(card, NotNow) and card.next_at is None:
        return card
    if facts.last_charged_at is not None and at < facts.last_charged_at + facts.cool_down:
        return NotNow(Reason.COOLING_DOWN, facts.last_charged_at + facts.cool_down)
    return card


def pick_card(cards: Sequence[CardFacts], *, at: datetime) -> Charge | NotNow:
    """The first card that may be charged: the default one, its backup when that was declined lately or too often."""
    if not cards:
        return NotNow(Reason.NO_CARD)
    usable = [card for card in cards if not card.stopped]
    if not usable:
        return NotNow(Reason.CARD_STOPPED, card_id=cards[0].id)
    for card in usable:
        if card.ready_at is None or card.ready_at <= at:
            return Charge(card.id)
    soonest = min(usable, key=lambda card: card.ready_at or at)
    return NotNow(Reason.CARD_DECLINED, soonest.ready_at, soonest.id)


def recharge_amount(
    *, balance: Decimal, amount: Decimal | None, target: Decimal | None, least: Decimal, most: Decimal, step: Decimal
) -> Decimal:
    """How much credit is bought: the fixed amount, or what is missing to the target, upward in steps a card can be charged
    in; never less or more than a top-up may be."""
    wanted = amount if target is None else target - balance
    assert wanted is not None, "a rule has an amount or a target"
    steps = EXACT.divide(wanted, step).to_integral_value(rounding=ROUND_CEILING)
    return min(max(EXACT.multiply(steps, step), least), most)


def day_after(at: datetime, zone: str, *, day: int) -> date:
    """The first `day` of a month (a shorter month's last) that begins after `at` in a time zone."""
    local = at.astimezone(ZoneInfo(zone))
    month = date(local.year, local.month, 1)
    found = _day_of(month, day)
    return found if _midnight(found, zone) > at else _day_of(_next_month(month), day)


def beginning_of(day: date, zone: str) -> datetime:
    """When a day begins in a time zone."""
    return _midnight(day, zone)


def _day_of(month: date, day: int) -> date:
    return month.replace(day=min(day, monthrange(month.year, month.month)[1]))


def _next_month(month: date) -> date:
    return date(month.year + month.month // DECEMBER, month.month % DECEMBER + 1, 1)


def _midnight(day: date, zone: str) -> datetime:
    return datetime.combine(day, time.min, tzinfo=ZoneInfo(zone))
