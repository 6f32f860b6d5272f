"""Which rules fit a crossing: pure. A rule fits when the change took the wallet across its threshold: above it before, at or
below it now. A wallet that is not watched at a rule's percentage is taken across by its next one below."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal


@dataclass(frozen=True, slots=True)
class Crossed:
    """A fall. percent_before, percent_now: the lowest percentage crossed before and with it, 100 for none; amounts likewise,
    None for none."""

    account_id: int
    currency: str
    percent_before: int
    percent_now: int
    amount_before: Decimal | None
    amount_now: Decimal | None


@dataclass(frozen=True, slots=True)
class Terms:
    """When a rule acts. account_id None, currency empty: any."""

    account_id: int | None
    currency: str
    percent: int | None
    amount: Decimal | None


def fits(terms: Terms, crossed: Crossed) -> bool:
    """Whether a rule acts on a crossing."""
    if terms.account_id not in (None, crossed.account_id) or terms.currency not in ("", crossed.currency):
        return False
    if terms.percent is not None:
        return crossed.percent_now <= terms.percent < crossed.percent_before
    if terms.amount is None or crossed.amount_now is None:
        return False
    return crossed.amount_now <= terms.amount and (crossed.amount_before is None or terms.amount < crossed.amount_before)


def is_back(terms: Terms, *, percent_now: int, amount_now: Decimal | None) -> bool:
    """Whether a wallet, whose lowest thresholds still crossed are these, is back above a rule's."""
    if terms.percent is not None:
        return terms.percent < percent_now
    return terms.amount is not None and (amount_now is None or terms.amount < amount_now)
