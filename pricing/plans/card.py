"""Fees by card: the port through which the payments room collects them (setting FEES_BY_CARD names it; nothing: no cards).

Collecting asks the provider, so it happens outside every transaction, before the fee is charged: money in first, as paid
credit of the wallet, then the fee from the wallet as always.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import StrEnum
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string

from pricing.plans.models import Plan, Subscription
from wallets.errors import Conflict, Refusal
from wallets.money import ZERO


class NoCardPayments(Conflict):
    """Fees cannot be paid by card here, or the account has no card."""

    code = "no_card_payments"


class FeeNotCollected(Refusal):
    """The card did not pay: it was declined, or the bank wants its holder to confirm."""

    code = "fee_not_collected"


class Collected(StrEnum):
    """How collecting went. PAID: the credit is in the wallet. WAITING: ask again with the same key."""

    PAID = "paid"
    WAITING = "waiting"
    DECLINED = "declined"


@dataclass(frozen=True, slots=True)
class FeeDemand:
    """Money to be collected, once per key. amount: in `currency`, above zero."""

    key: str
    account_id: int
    wallet_id: int
    amount: Decimal
    currency: str
    what: str


class CollectFee(Protocol):
    """Charge the account's card and see to it that the amount enters the wallet as paid credit, once per key, however often
    it is asked. Never called inside a transaction."""

    def __call__(self, demand: FeeDemand, *, at: datetime) -> Collected: ...


def collect_fee() -> CollectFee | None:
    """The port; None when nothing collects fees."""
    name = settings.FEES_BY_CARD
    found: CollectFee | None = import_string(name) if name else None
    return found


def collect(subscription: Subscription, plan: Plan, *, amount: Decimal, key: str, at: datetime) -> Collected:
    """Have the card pay `amount` of a fee. PAID when there is nothing to pay, or the wallet pays. Raises NoCardPayments."""
    if subscription.pay_by != Subscription.PayBy.CARD or amount <= ZERO:
        return Collected.PAID
    port = collect_fee()
    if port is None:
        raise NoCardPayments("Fees cannot be paid by card here; pay them from the wallet.")
    what = f"{plan.name} ({plan.fee_code})"
    demand = FeeDemand(key, subscription.account_id, subscription.wallet_id, amount, plan.currency, what)
    return port(demand, at=at)
