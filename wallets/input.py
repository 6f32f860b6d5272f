"""Checking what a verb is given: every field that is wrong is collected and refused at once, by name."""

from __future__ import annotations

import re
from collections.abc import Collection
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from wallets.errors import InvalidInput
from wallets.money import LARGEST, SCALE, ZERO

CURRENCY: Final = re.compile(r"[A-Z][A-Z0-9_]{1,15}")
CURRENCY_EXPECTED: Final = "an ISO 4217 code (USD) or the name of a credit unit: 2 to 16 of A-Z, 0-9, _"
MAX_NAMES: Final = 20


class Input:
    """Collects what is wrong with the fields of one call; `refuse` raises InvalidInput when something is."""

    def __init__(self) -> None:
        self.wrong: dict[str, str] = {}

    def refuse(self, message: str = "Some fields are not acceptable.") -> None:
        """Raise InvalidInput naming every wrong field; nothing when all are fine."""
        if self.wrong:
            raise InvalidInput(message, fields=self.wrong)

    def expect(self, field: str, fine: object, expected: str) -> bool:
        """Note `expected` for a field that is not fine."""
        if not fine:
            self.wrong.setdefault(field, expected)
        return bool(fine)

    def text(self, field: str, value: Any, *, longest: int, required: bool = False) -> str:
        """A line of text of at most `longest` characters, trimmed."""
        trimmed = value.strip() if isinstance(value, str) else ""
        self.expect(field, isinstance(value, str), "text")
        self.expect(field, trimmed or not required, "text that is not empty")
        self.expect(field, len(trimmed) <= longest, f"at most {longest} characters")
        self.expect(field, storable(trimmed), "text without control characters")
        return trimmed

    def matching(self, field: str, value: Any, pattern: re.Pattern[str], expected: str) -> str:
        """Text that matches the whole of `pattern`."""
        self.expect(field, isinstance(value, str) and pattern.fullmatch(value), expected)
        return str(value)

    def currency(self, value: str, field: str = "currency") -> str:
        """An ISO 4217 code or the name of a custom credit unit."""
        return self.matching(field, value, CURRENCY, CURRENCY_EXPECTED)

    def choice(self, field: str, value: str, choices: Collection[str]) -> str:
        """One of `choices`."""
        self.expect(field, value in choices, f"one of {', '.join(choices)}")
        return value

    def amount(self, field: str, value: Decimal, *, above_zero: bool = False, largest: Decimal = LARGEST) -> Decimal:
        """An exact amount, price or quantity: finite, not negative, at most 12 decimals, at most `largest`."""
        problem = amount_problem(value, above_zero=above_zero, largest=largest)
        self.expect(field, problem is None, problem or "")
        return value

    def whole(self, field: str, value: Any, *, least: int, most: int) -> int:
        """A whole number from `least` to `most`."""
        fine = isinstance(value, int) and not isinstance(value, bool) and least <= value <= most
        self.expect(field, fine, f"a whole number from {least} to {most}")
        return value if fine else least

    def moment(self, field: str, value: Any) -> datetime:
        """A time with its offset."""
        self.expect(field, isinstance(value, datetime) and value.tzinfo is not None, "a time with its offset")
        moment: datetime = value
        return moment

    def names(self, field: str, values: Any, *, longest: int = 120, most: int = MAX_NAMES) -> list[str]:
        """A list of distinct names (of properties, meters)."""
        fine = not isinstance(values, str) and all(isinstance(value, str) for value in values)
        if not self.expect(field, fine, "a list of names"):
            return []
        self.expect(field, len(values) <= most, f"at most {most} names")
        self.expect(field, len(set(values)) == len(values), "each name once")
        self.expect(field, all(name_is_fine(value, longest) for value in values), f"names of 1 to {longest} characters")
        return list(values)


def amount_problem(value: Any, *, above_zero: bool = False, largest: Decimal = LARGEST) -> str | None:
    """What is expected instead of `value`; None when it is an exact, storable amount."""
    if not isinstance(value, Decimal) or not value.is_finite():
        return "a decimal number"
    if value < ZERO:
        return "not negative"
    if above_zero and value == ZERO:
        return "more than zero"
    if value > largest:
        return f"at most {largest:f}"
    if _finer_than_stored(value):
        return f"at most {SCALE} decimals"
    return None


def _finer_than_stored(value: Decimal) -> bool:
    """Whether a digit other than zero stands beyond the 12th decimal; by its digits, so no context can round it away."""
    _, digits, exponent = value.as_tuple()
    beyond = -int(exponent) - SCALE
    return beyond > 0 and any(digits[-beyond:])


def name_is_fine(value: str, longest: int) -> bool:
    """A name that can be stored and read: 1 to `longest` characters, none of them a control character."""
    return 0 < len(value) <= longest and storable(value)


def storable(text: str) -> bool:
    """PostgreSQL can hold it and a person can read it: no control characters, no half surrogate pairs."""
    return not any(ord(letter) < ord(" ") or "\ud800" <= letter <= "\udfff" for letter in text)
