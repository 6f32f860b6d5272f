"""What a card can be charged in, and how the provider counts it. Pure.

The provider counts in whole numbers of a smallest unit that is not always ISO 4217's: MGA has none, ISK and UGX are counted
in hundredths that must be zero, and of the thousandths of KWD and its like the last digit must be zero
(docs.stripe.com/currencies, "Zero-decimal currencies", "Three-decimal currencies", "Special cases").
"""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from wallets.money import EXACT, minor_digits

_CODES: Final = """
AED AFN ALL AMD ANG AOA ARS AUD AWG AZN BAM BBD BDT BHD BIF BMD BND BOB BRL BSD BWP BYN BZD CAD CDF CHF CLP CNY COP CRC
CVE CZK DJF DKK DOP DZD EGP ETB EUR FJD FKP GBP GEL GIP GMD GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR ISK JMD JOD JPY KES
KGS KHR KMF KRW KWD KYD KZT LAK LBP LKR LRD LSL MAD MDL MGA MKD MMK MNT MOP MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR
NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SEK SGD SHP SLE SOS SRD STD SZL THB TJS TND TOP TRY
TTD TWD TZS UAH UGX USD UYU UZS VND VUV WST XAF XCD XOF XPF YER ZAR ZMW
"""
CARD_CURRENCIES: Final = frozenset(_CODES.split())
_PROVIDER_DIGITS: Final = {"MGA": 0, "ISK": 2, "UGX": 2}
_STEPS: Final = {"MGA": Decimal(1), "ISK": Decimal(1), "UGX": Decimal(1)}
_THREE_DIGITS: Final = 3
_STEP_OF_THREE_DIGITS: Final = Decimal("0.01")


def charge_step(currency: str) -> Decimal:
    """The smallest amount a charge can differ by: 0.01 USD, 1 JPY, 0.01 KWD."""
    digits = minor_digits(currency)
    return _STEPS.get(currency) or (_STEP_OF_THREE_DIGITS if digits == _THREE_DIGITS else Decimal(1).scaleb(-digits))


def round_to_charge(amount: Decimal, currency: str) -> Decimal:
    """`amount` as it can be charged, half-even: here money leaves the system (I10)."""
    step = charge_step(currency)
    return EXACT.divide(amount, step).quantize(Decimal(1), context=EXACT) * step


def can_be_charged(amount: Decimal, currency: str) -> bool:
    """Whether a card can be charged exactly this."""
    return amount % charge_step(currency) == 0


def to_provider(amount: Decimal, currency: str) -> int:
    """The provider's whole number for `amount`. Raises ValueError for an amount that it cannot say."""
    if not can_be_charged(amount, currency):
        raise ValueError(f"{amount} {currency} is finer than a card can be charged")
    return int(amount.scaleb(_PROVIDER_DIGITS.get(currency, minor_digits(currency))))


def from_provider(units: int, currency: str) -> Decimal:
    """The amount behind the provider's whole number."""
    return Decimal(units).scaleb(-_PROVIDER_DIGITS.get(currency, minor_digits(currency)))
