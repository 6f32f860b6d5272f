"""Does a top-up break a velocity rule? Pure.

A rule looks at the attempts of one account, one card (by its fingerprint, whoever saved it) or one address within a window
that ends with the attempt itself, and measures one thing:

    COUNT      attempts that were let through, with this one       AMOUNT    their amounts, in the rule's currency
    CARDS      different cards, also those that were refused       DECLINES  attempts that a bank declined

An attempt breaks the rule when the measure is above the limit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

COUNT: Final = "COUNT"
AMOUNT: Final = "AMOUNT"
CARDS: Final = "CARDS"
DECLINES: Final = "DECLINES"
ACCOUNT: Final = "ACCOUNT"
CARD: Final = "CARD"
ADDRESS: Final = "ADDRESS"


@dataclass(frozen=True, slots=True)
class Try:
    """One attempt to top up. card: the card's fingerprint, address: the network's; both may be empty (then no rule per card or
    address counts it). refused: by a rule, before the bank was asked."""

    at: datetime
    account: int
    card: str
    address: str
    amount: Decimal
    currency: str
    refused: bool = False
    declined: bool = False


@dataclass(frozen=True, slots=True)
class Limit:
    """One rule. limit: attempts, cards or declines, or an amount in `currency`. refuses: else the top-up goes on and its credit
    is held until somebody has looked."""

    id: int
    name: str
    measure: str
    per: str
    window: timedelta
    limit: Decimal
    currency: str
    refuses: bool


@dataclass(frozen=True, slots=True)
class Hit:
    """A rule that an attempt breaks: with what value, for whom (account row id, fingerprint or address)."""

    rule: Limit
    value: Decimal
    subject: str


def check_velocity(attempt: Try, *, earlier: Sequence[Try], rules: Iterable[Limit]) -> list[Hit]:
    """The rules this attempt breaks, given those before it (more than the rules look at does no harm)."""
    hits = []
    for rule in rules:
        subject = _SUBJECTS[rule.per](attempt)
        if not subject:
            continue
        since = attempt.at - rule.window
        alike = [one for one in earlier if _SUBJECTS[rule.per](one) == subject and since < one.at <= attempt.at]
        value = _MEASURES[rule.measure](attempt, alike, rule)
        if value > rule.limit:
            hits.append(Hit(rule, value, subject))
    return hits


def _count(_attempt: Try, alike: Sequence[Try], _rule: Limit) -> Decimal:
    return Decimal(1 + sum(not one.refused for one in alike))


def _amount(attempt: Try, alike: Sequence[Try], rule: Limit) -> Decimal:
    if attempt.currency != rule.currency:
        return Decimal(0)
    same = (one.amount for one in alike if not one.refused and one.currency == rule.currency)
    return sum(same, attempt.amount)


def _cards(attempt: Try, alike: Sequence[Try], _rule: Limit) -> Decimal:
    return Decimal(len({one.card for one in (*alike, attempt) if one.card}))


def _declines(_attempt: Try, alike: Sequence[Try], _rule: Limit) -> Decimal:
    return Decimal(sum(one.declined for one in alike))


_SUBJECTS: Final[Mapping[str, Callable[[Try], str]]] = {
    ACCOUNT: lambda one: str(one.account),
    CARD: lambda one: one.card,
    ADDRESS: lambda one: one.address,
}
_MEASURES: Final[Mapping[str, Callable[[Try, Sequence[Try], Limit], Decimal]]] = {
    COUNT: _count,
    AMOUNT: _amount,
    CARDS: _cards,
    DECLINES: _declines,
}
