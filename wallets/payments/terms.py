"""What a top-up costs: its limits, bonus, tax and fee, worked out once and then kept on its row."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from wallets.balances.models import Wallet
from wallets.errors import Conflict, InvalidInput
from wallets.money import EXACT, ZERO, minor_digits, plain, to_scale
from wallets.payments.currencies import CARD_CURRENCIES, can_be_charged, charge_step, round_to_charge
from wallets.payments.offer_models import RefundPolicy, TopUpTerms
from wallets.payments.taxes import rate_for

HUNDRED: Final = Decimal(100)
# Of a currency nobody has set terms for, in hundreds of its smallest charge: 5 to 10,000 USD, 500 to 1,000,000 JPY.
_MINIMUM: Final = Decimal(5)
_MAXIMUM: Final = Decimal(10_000)
_SUGGESTED: Final = (Decimal(10), Decimal(50), Decimal(100), Decimal(500))


class CurrencyNotCharged(Conflict):
    """Wallets in this currency or unit cannot be topped up with money."""

    code = "currency_not_charged"


class AmountOutOfRange(InvalidInput):
    """The amount is below the least or above the most that can be topped up at once."""

    code = "amount_out_of_range"


@dataclass(frozen=True, slots=True)
class Terms:
    """What may be topped up in a currency. slabs: (from, percent), ascending."""

    currency: str
    minimum: Decimal
    maximum: Decimal
    suggested: tuple[Decimal, ...]
    fee_percent: Decimal
    fee_fixed: Decimal
    slabs: tuple[tuple[Decimal, Decimal], ...]


@dataclass(frozen=True, slots=True)
class Quote:
    """What a top-up would cost and give. total = amount + tax + fee."""

    currency: str
    amount: Decimal
    bonus: Decimal
    tax: Decimal
    tax_name: str
    tax_percent: Decimal
    tax_country: str
    fee: Decimal
    total: Decimal


def terms_of(currency: str) -> Terms:
    """The terms in a currency. Raises CurrencyNotCharged."""
    if currency not in CARD_CURRENCIES:
        raise CurrencyNotCharged(f"Wallets in {currency} cannot be topped up with money.")
    row = TopUpTerms.objects.filter(currency=currency).first()
    if row is None:
        unit = Decimal(100) if minor_digits(currency) == 0 or charge_step(currency) == 1 else Decimal(1)
        suggested = tuple(one * unit for one in _SUGGESTED)
        return Terms(currency, _MINIMUM * unit, _MAXIMUM * unit, suggested, ZERO, ZERO, ())
    slabs = tuple(row.slabs.order_by("from_amount").values_list("from_amount", "percent"))
    return Terms(currency, row.minimum, row.maximum, tuple(row.suggested), row.fee_percent, row.fee_fixed, slabs)


def quote_top_up(*, wallet: Wallet, amount: Decimal, at: datetime) -> Quote:
    """What topping a wallet up by `amount` (in its currency) costs at `at`; the wallet's account is asked for its country.

    Raises CurrencyNotCharged, AmountOutOfRange, InvalidInput for an amount finer than can be charged, TaxUnknown.
    """
    terms = terms_of(wallet.currency)
    if not amount.is_finite() or not terms.minimum <= amount <= terms.maximum:
        least, most = plain(terms.minimum), plain(terms.maximum)
        raise AmountOutOfRange(
            f"Choose an amount from {least} to {most} {wallet.currency}.", fields={"amount": f"from {least} to {most}"}
        )
    return quote_payment(wallet=wallet, amount=amount, terms=terms, at=at)


def quote_payment(*, wallet: Wallet, amount: Decimal, terms: Terms, at: datetime, by_hand: bool = False) -> Quote:
    """As `quote_top_up`, without the limits. by_hand: a tax that the provider was never asked for is the table's."""
    currency = wallet.currency
    if not can_be_charged(amount, currency):
        step = plain(charge_step(currency))
        raise InvalidInput(f"Amounts in {currency} are charged in steps of {step}.", fields={"amount": f"in steps of {step}"})
    rate = rate_for(wallet.account, at=at, or_flat=by_hand)
    percent = ZERO if rate is None else rate.percent
    fee = round_to_charge(_share(amount, terms.fee_percent) + terms.fee_fixed, currency)
    tax = round_to_charge(_share(amount + fee, percent), currency)
    return Quote(
        currency=currency,
        amount=amount,
        bonus=bonus_on(amount, terms.slabs),
        tax=tax,
        tax_name="" if rate is None else rate.name,
        tax_percent=percent,
        tax_country="" if rate is None else rate.country,
        fee=fee,
        total=amount + tax + fee,
    )


def bonus_on(amount: Decimal, slabs: Sequence[tuple[Decimal, Decimal]]) -> Decimal:
    """What is given on top of `amount`: the percentage of the highest slab it reaches, on all of it."""
    reached = [slab for slab in slabs if slab[0] <= amount]
    return _share(amount, max(reached)[1]) if reached else ZERO


def tax_label(name: str, percent: Decimal) -> str:
    """`VAT 19 %`; empty when there is none, and only the reason when that has a name (reverse charge)."""
    return f"{name} {percent.normalize():f} %" if name and percent else name


def policy_in_force(*, at: datetime) -> RefundPolicy | None:
    """The refund policy customers are asked to accept at `at`; None before there is one."""
    return RefundPolicy.objects.filter(effective_at__lte=at).order_by("-effective_at", "-version").first()


def _share(amount: Decimal, percent: Decimal) -> Decimal:
    return to_scale(EXACT.divide(EXACT.multiply(amount, percent), HUNDRED))
