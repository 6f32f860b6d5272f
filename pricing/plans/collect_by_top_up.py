"""Fees by card: a top-up with the demand's key, charged off-session to the account's default card."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_CEILING, Decimal
from typing import Final

from pricing.plans.card import Collected, FeeDemand, NoCardPayments
from wallets.balances.models import Wallet
from wallets.errors import Refusal
from wallets.money import EXACT
from wallets.payments.currencies import charge_step
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import ProviderUnavailable
from wallets.payments.providers.registry import CardsNotTaken
from wallets.payments.start import start_payment
from wallets.payments.states import IN_FLIGHT, PAID
from wallets.payments.top_up import NoCard, create_top_up

ACTOR: Final = "plan"


def collect_by_top_up(demand: FeeDemand, *, at: datetime) -> Collected:
    """Top the wallet up by the fee, rounded up to what a card can be charged (the rest stays as credit), once per key.

    WAITING while the provider, the bank or the card's holder has not answered. Raises NoCardPayments when no cards are taken
    here or the account has none. Cannot be called inside a transaction.
    """
    wallet = Wallet.objects.select_related("account").get(pk=demand.wallet_id)
    amount = chargeable(demand.amount, demand.currency)
    try:
        top_up = create_top_up(
            wallet=wallet, amount=amount, at=at, origin=TopUp.Origin.FEE, actor=ACTOR, request_key=f"fee:{demand.key}"
        )
        top_up = start_payment(top_up=top_up, at=at, off_session=True).top_up
    except (CardsNotTaken, NoCard) as error:
        raise NoCardPayments(error.message) from error
    except ProviderUnavailable:
        return Collected.WAITING
    except Refusal:
        return Collected.DECLINED
    if top_up.state in PAID:
        return Collected.PAID
    return Collected.WAITING if top_up.state in IN_FLIGHT else Collected.DECLINED


def chargeable(amount: Decimal, currency: str) -> Decimal:
    """The least amount a card can be charged that is not less than `amount`."""
    step = charge_step(currency)
    return EXACT.divide(amount, step).to_integral_value(rounding=ROUND_CEILING) * step
