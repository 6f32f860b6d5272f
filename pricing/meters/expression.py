"""A quantity computed from properties: `input_tokens - coalesce(cached_tokens, 0)`. Pure; nothing is ever evaluated as code.

    sum     = product (("+" | "-") product)*
    product = factor (("*" | "/") factor)*
    factor  = "-" factor | number | name | function "(" sum ("," sum)* ")" | "(" sum ")"

A name is that of a property: letters, digits, `_` and `.`, not starting with a digit; any other name stands in double quotes.
Functions: `min`, `max` of one or more; `coalesce`: the first that the event has. Sums, differences and products are exact or
refused; a division is rounded to 12 decimals, half up. An event that has none of the properties is not measured; one that
lacks some of those that are needed is refused, so that nothing is charged less by a property that went missing.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from decimal import Clamped, Context, Decimal, Inexact, InvalidOperation, Overflow, Subnormal, Underflow
from typing import Any, Final, NamedTuple

from pricing.meters.quantity import NotAQuantity, Quantity, exact_quantity, quantity_of
from wallets.money import DIGITS, EXACT, SCALE, ZERO

LONGEST: Final = 500  # characters
DEEPEST: Final = 20  # parentheses, functions and signs within one another
MOST_PARTS: Final = 100  # numbers, names and operators
LONGEST_NAME: Final = 120

_TOKEN: Final = re.compile(
    r'[ \t]*(?:(?P<number>[0-9]+(?:\.[0-9]+)?)|(?P<name>[A-Za-z_][A-Za-z0-9_.]*)|"(?P<quoted>[^"]*)"|(?P<sign>[-+*/(),]))',
    re.ASCII,
)
_BLANK: Final = re.compile(r"[ \t]*")

# What does not fit is refused, never rounded.
_SURE: Final = Context(prec=EXACT.prec, traps=[Inexact, InvalidOperation, Overflow, Underflow, Subnormal, Clamped])
# Quotient and remainder of any two numbers of that many digits, in whole units of the last decimal.
_DIVISION: Final = Context(prec=6 * EXACT.prec, traps=[Inexact, InvalidOperation])

Value = Callable[[Mapping[str, Any]], Decimal]


class ExpressionRefused(ValueError):
    """The text is no expression; the message says where and what is expected."""


class Expression(NamedTuple):
    """A compiled expression: the properties it names, and what it computes."""

    text: str
    names: frozenset[str]
    value: Value

    def quantity(self, properties: Mapping[str, Any]) -> Quantity | None:
        """The quantity of an event; None when it has none of the properties. Raises NotAQuantity."""
        if all(properties.get(name) is None for name in self.names):
            return None
        try:
            value = self.value(properties)
        except _Absent as absent:
            raise NotAQuantity(f"properties.{absent} is needed by {self.text}") from None
        except ZeroDivisionError:
            raise NotAQuantity(f"{self.text} divides by zero") from None
        except ArithmeticError:
            raise NotAQuantity(f"{self.text} has more than {EXACT.prec} digits") from None
        quantity = exact_quantity(value, what=self.text)
        whole = int(quantity)
        return whole if whole == quantity else quantity


class _Absent(Exception):
    """A property that is needed is not there."""


def compile_expression(text: str) -> Expression:
    """Compile an expression. Raises ExpressionRefused."""
    if len(text) > LONGEST:
        raise ExpressionRefused(f"at most {LONGEST} characters")
    reader = _Reader(text, _tokens(text))
    value = reader.sum(0)
    if not reader.at_end:
        raise reader.expected("an operator or the end")
    if not reader.names:
        raise ExpressionRefused("at least one property")
    return Expression(text, frozenset(reader.names), value)


class _Token(NamedTuple):
    kind: str
    text: str
    at: int


def _tokens(text: str) -> list[_Token]:
    tokens: list[_Token] = []
    place, end = 0, len(text.rstrip(" \t"))
    while place < end:
        found = _TOKEN.match(text, place)
        if found is None:
            blank = _BLANK.match(text, place)
            at = blank.end() if blank else place
            raise ExpressionRefused(f"character {at + 1}: a number, a property or one of + - * / ( )")
        kind = found.lastgroup or ""
        tokens.append(_Token(kind, found[kind], found.start(kind)))
        place = found.end()
    if len(tokens) > MOST_PARTS:
        raise ExpressionRefused(f"at most {MOST_PARTS} numbers, properties and operators")
    return tokens


@dataclass(slots=True)
class _Reader:
    """Reads tokens from left to right into closures."""

    text: str
    tokens: list[_Token]
    place: int = 0
    names: set[str] = field(default_factory=set)

    @property
    def at_end(self) -> bool:
        """Is everything read?"""
        return self.place == len(self.tokens)

    def expected(self, what: str) -> ExpressionRefused:
        """The refusal at this place."""
        at = len(self.text) if self.at_end else self.tokens[self.place].at
        return ExpressionRefused(f"character {at + 1}: {what}")

    def take(self, signs: str) -> str | None:
        """The next token if it is one of these signs."""
        if not self.at_end:
            kind, text, _ = self.tokens[self.place]
            if kind == "sign" and text in signs:
                self.place += 1
                return text
        return None

    def sum(self, depth: int) -> Value:
        """Products, added and subtracted."""
        value = self.product(depth)
        while sign := self.take("+-"):
            value = _joined(_SURE.add if sign == "+" else _SURE.subtract, value, self.product(depth))
        return value

    def product(self, depth: int) -> Value:
        """Factors, multiplied and divided."""
        value = self.factor(depth)
        while sign := self.take("*/"):
            value = _joined(_SURE.multiply if sign == "*" else _divided, value, self.factor(depth))
        return value

    def factor(self, depth: int) -> Value:
        """A number, a property, a function, or a sum in parentheses."""
        if depth > DEEPEST:
            raise self.expected(f"at most {DEEPEST} parentheses and signs within one another")
        if self.take("-"):
            return _joined(_SURE.subtract, _constant(ZERO), self.factor(depth + 1))
        if self.take("("):
            value = self.sum(depth + 1)
            self.close()
            return value
        if self.at_end or self.tokens[self.place].kind == "sign":
            raise self.expected("a number, a property or a parenthesis")
        kind, text, _ = self.tokens[self.place]
        if kind == "number":
            return self.number(text)
        self.place += 1
        if kind == "name" and text in FUNCTIONS and self.take("("):
            values = [self.sum(depth + 1)]
            while self.take(","):
                values.append(self.sum(depth + 1))
            self.close()
            return FUNCTIONS[text](values)
        if not 0 < len(text) <= LONGEST_NAME:
            self.place -= 1
            raise self.expected(f"a property of 1 to {LONGEST_NAME} characters")
        self.names.add(text)
        return _property(text)

    def number(self, text: str) -> Value:
        """A number that a quantity can be."""
        _, _, decimals = text.partition(".")
        if len(text) > DIGITS or len(decimals) > SCALE:
            raise self.expected(f"a number of at most {DIGITS} digits and {SCALE} decimals")
        self.place += 1
        return _constant(Decimal(text))

    def close(self) -> None:
        """The closing parenthesis."""
        if not self.take(")"):
            raise self.expected("a closing parenthesis")


def _constant(number: Decimal) -> Value:
    return lambda _: number


def _property(name: str) -> Value:
    def read(properties: Mapping[str, Any]) -> Decimal:
        value = properties.get(name)
        if value is None:
            raise _Absent(name)
        return Decimal(quantity_of(value, name=name))

    return read


def _joined(operation: Callable[[Decimal, Decimal], Decimal], left: Value, right: Value) -> Value:
    return lambda properties: operation(left(properties), right(properties))


def _divided(left: Decimal, right: Decimal) -> Decimal:
    """The quotient with 12 decimals, half up (away from zero)."""
    if not right:
        raise ZeroDivisionError
    divisor = right.copy_abs()
    units, rest = _DIVISION.divmod(left.copy_abs().scaleb(SCALE, context=_DIVISION), divisor)
    if _DIVISION.add(rest, rest) >= divisor:
        units = _DIVISION.add(units, 1)
    quotient = _SURE.plus(units.scaleb(-SCALE, context=_DIVISION))
    return quotient.copy_negate() if (left < ZERO) != (right < ZERO) else quotient


def _least(values: list[Value]) -> Value:
    return lambda properties: min(value(properties) for value in values)


def _greatest(values: list[Value]) -> Value:
    return lambda properties: max(value(properties) for value in values)


def _first_there(values: list[Value]) -> Value:
    def first(properties: Mapping[str, Any]) -> Decimal:
        for value in values[:-1]:
            try:
                return value(properties)
            except _Absent:
                continue
        return values[-1](properties)

    return first


FUNCTIONS: Final[dict[str, Callable[[list[Value]], Value]]] = {
    "min": _least,
    "max": _greatest,
    "coalesce": _first_there,
}
