"""What a part of a payment is made of. Pure.

    payment   amount (paid credit) + tax + fee = total,  and a bonus beside it
    refund    credit + its share of tax [+ its share of the fee, when fees are given back] = money

Shares are differences of rounded sums: what has gone back before, and that with this. So whatever the parts, and however many,
tax and credit of all of them together are exactly those of the payment, rounded once (half-even, in the steps in which the
currency is paid, I10). A fee that is not given back is what is left of the payment at last: only who takes back everything
at the bank (a dispute, a refund made at the provider) gets it.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_FLOOR, Decimal

from wallets.money import EXACT, ZERO, to_scale
from wallets.payments.currencies import charge_step, round_to_charge


@dataclass(frozen=True, slots=True)
class Parts:
    """Of a payment, or of a part of it, in its currency. bonus: promotional credit that came with it; no money."""

    credit: Decimal
    tax: Decimal
    fee: Decimal
    bonus: Decimal = ZERO

    @property
    def money(self) -> Decimal:
        """What the customer paid, or gets."""
        return self.credit + self.tax + self.fee

    def plus(self, other: Parts) -> Parts:
        """Both together."""
        return Parts(
            self.credit + other.credit, self.tax + other.tax, self.fee + other.fee, self.bonus + other.bonus
        )  # fmt: skip


NOTHING = Parts(ZERO, ZERO, ZERO)


def parts_of_credit(payment: Parts, gone: Parts, credit: Decimal, *, currency: str, with_fee: bool) -> Parts:
    """A refund of `credit` (in steps of the currency, at most what is left of the payment), after what is `gone`."""
    assert ZERO < credit <= payment.credit - gone.credit, (payment, gone, credit)
    upto = gone.credit + credit
    tax = _clamp(_share(payment.tax, upto, payment.credit, currency) - gone.tax, payment.tax - gone.tax)
    fee = ZERO
    if with_fee:
        fee = _clamp(_share(payment.fee, upto, payment.credit, currency) - gone.fee, payment.fee - gone.fee)
    return Parts(credit, tax, fee, _bonus(payment, gone, credit))


def parts_of_money(payment: Parts, gone: Parts, money: Decimal, *, currency: str, with_fee: bool) -> Parts:
    """What `money` that the bank moves (above zero) is made of, after what is `gone`.

    More than is left of the payment is more credit than was paid for: it is owed.
    """
    assert money > ZERO, money
    left = Parts(payment.credit - gone.credit, payment.tax - gone.tax, payment.fee - gone.fee)
    if money >= left.money:
        credit = left.credit + money - left.money
        return Parts(credit, left.tax, left.fee, _bonus(payment, gone, left.credit))
    spread = payment.money if with_fee else payment.credit + payment.tax
    upto = gone.credit + gone.tax + (gone.fee if with_fee else ZERO) + money
    credit = _clamp(_share(payment.credit, min(upto, spread), spread, currency) - gone.credit, min(left.credit, money))
    tax = min(money - credit, left.tax)
    if with_fee:
        tax = _clamp(_share(payment.tax, min(upto, spread), spread, currency) - gone.tax, min(money - credit, left.tax))
    fee = min(money - credit - tax, left.fee)
    rest = money - credit - tax - fee
    more = min(rest, left.credit - credit)
    credit, rest = credit + more, rest - more
    tax += rest
    parts = Parts(credit, tax, fee, _bonus(payment, gone, credit))
    assert parts.money == money, (payment, gone, money, parts)
    assert tax <= left.tax, (payment, gone, money, parts)
    return parts


def floor_to_step(amount: Decimal, currency: str) -> Decimal:
    """The largest amount that can be paid out, up to `amount`; what is finer stays where it is."""
    step = charge_step(currency)
    return max(EXACT.divide(amount, step).to_integral_value(rounding=ROUND_FLOOR) * step, ZERO)


def _share(of: Decimal, part: Decimal, whole: Decimal, currency: str) -> Decimal:
    return round_to_charge(EXACT.divide(EXACT.multiply(of, part), whole), currency)


def _bonus(payment: Parts, gone: Parts, credit: Decimal) -> Decimal:
    """The bonus that came with this much more of the credit; exact, it is no money."""
    if not payment.bonus or not credit:
        return ZERO

    def upto(place: Decimal) -> Decimal:
        return to_scale(EXACT.divide(EXACT.multiply(payment.bonus, min(place, payment.credit)), payment.credit))

    return upto(gone.credit + credit) - upto(gone.credit)


def _clamp(amount: Decimal, most: Decimal) -> Decimal:
    return min(max(amount, ZERO), max(most, ZERO))
