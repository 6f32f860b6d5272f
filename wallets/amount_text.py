"""Amounts, prices and quantities as people read them. Pure.

A headline has the currency's minor unit and no more; a line of a table shows what matters of a small amount (four
significant digits); where exactness is the point every digit is shown. The exact amount is always at hand (`exact`).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import ROUND_HALF_EVEN, Decimal
from html import escape
from typing import Final, NamedTuple

from wallets.money import EXACT, SCALE, minor_digits, plain

MINUS: Final = "\N{MINUS SIGN}"
MILLION: Final = Decimal(1_000_000)
TINY_PRICE: Final = Decimal("0.001")
LINE_DIGITS: Final = 4
HEADLINE_DIGITS: Final = 2


class AmountText(NamedTuple):
    """The parts of an amount, so that a page can set cents smaller and trailing zeros paler.

    sign: empty or a minus sign.  units: digits before the point, in groups of three.  cents: point and digits.
    zeros: zeros that only fill a column.  exact: the whole amount in plain digits.
    """

    sign: str
    units: str
    cents: str
    zeros: str
    currency: str
    exact: str

    def __str__(self) -> str:
        return f"{self.sign}{self.units}{self.cents}{self.zeros} {self.currency}".rstrip()

    def __html__(self) -> str:
        """The amount as markup: cents, filling zeros and currency can be styled; the exact amount shows on hover."""
        currency = escape(self.currency)
        sign = ' class="amount negative"' if self.sign else ' class="amount"'
        zeros = f'<span class="zeros">{self.zeros}</span>' if self.zeros else ""
        unit = f' <span class="currency">{currency}</span>' if currency else ""
        return (
            f'<data{sign} value="{self.exact}" title="{self.exact} {currency}">{self.sign}{self.units}'
            f'<span class="cents">{self.cents}</span>{zeros}{unit}</data>'
        )


def headline_text(amount: Decimal, currency: str) -> AmountText:
    """In minor units; an amount too small for them shows two significant digits instead of zero."""
    minor = minor_digits(currency)
    if amount != 0 and _rounded(amount, minor) == 0:
        return _text(amount, currency, _places_for(amount, HEADLINE_DIGITS), at_least=minor)
    return _text(amount, currency, minor, at_least=minor)


def line_text(amount: Decimal, currency: str) -> AmountText:
    """In minor units; an amount below one unit that they do not hold shows four significant digits."""
    minor = minor_digits(currency)
    if 0 < abs(amount) < 1 and _rounded(amount, minor) != amount:
        return _text(amount, currency, _places_for(amount, LINE_DIGITS), at_least=minor)
    return _text(amount, currency, minor, at_least=minor)


def exact_text(amount: Decimal, currency: str, *, places: int | None = None) -> AmountText:
    """Every digit; `places` (decimals of the longest amount of a column) fills up with zeros to line columns up."""
    minor = minor_digits(currency)
    text = _text(amount, currency, SCALE, at_least=minor)
    decimals = max(len(text.cents) - 1, 0)
    fill = max((places or 0) - decimals, 0)
    return text._replace(zeros="0" * fill) if decimals else text


def aligned_text(amount: Decimal, currency: str, *, places: int) -> AmountText:
    """Rounded to `places` decimals, trailing zeros set apart: a column of small and large amounts lines up."""
    text = _text(amount, currency, places, at_least=minor_digits(currency))
    return text._replace(zeros="0" * max(places - max(len(text.cents) - 1, 0), 0))


def places_of(amounts: Iterable[Decimal], currency: str) -> int:
    """How many decimals a column needs so that `line_text` of each of its amounts fits."""
    return max((len(line_text(amount, currency).cents) - 1 for amount in amounts), default=minor_digits(currency))


def decimals_of(amount: Decimal, currency: str) -> int:
    """How many decimals `exact_text` needs for this amount."""
    return max(len(exact_text(amount, currency).cents) - 1, 0)


def quantity_text(quantity: Decimal) -> str:
    """A quantity with groups of three and no trailing zeros: `1,204`, `0.5`."""
    text = f"{quantity.normalize(context=EXACT):,f}"
    return text.replace("-", MINUS)


def unit_price_text(price: Decimal, currency: str, unit: str = "") -> str:
    """What one unit costs; tiny prices by the million, as price lists print them: `10.00 USD per million tokens`."""
    if price == 0:
        return "free"
    if price < TINY_PRICE:
        return f"{exact_text(price * MILLION, currency)} per million{f' {unit}s' if unit else ''}"
    return f"{exact_text(price, currency)}{f' per {unit}' if unit else ' each'}"


def _rounded(amount: Decimal, places: int) -> Decimal:
    return amount.quantize(Decimal(1).scaleb(-places), rounding=ROUND_HALF_EVEN, context=EXACT)


def _places_for(amount: Decimal, significant: int) -> int:
    """Decimals that show this many significant digits of an amount below one."""
    return min(significant - 1 - amount.adjusted(), SCALE)


def _text(amount: Decimal, currency: str, places: int, *, at_least: int) -> AmountText:
    rounded = _rounded(amount, places)
    whole, _, fraction = f"{abs(rounded):,f}".partition(".")
    fraction = fraction.rstrip("0").ljust(at_least, "0")
    sign = MINUS if rounded < 0 else ""
    return AmountText(sign, whole, f".{fraction}" if fraction else "", "", currency, plain(amount))
