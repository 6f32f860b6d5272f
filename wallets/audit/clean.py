"""What may stand in the audit log: plain values of a length people read, and no secret, whatever it is called (pure)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

from wallets.money import plain

SECRET: Final = re.compile(
    r"passw|secret|token|(?:key|pin)_hash|api_?key$|private|cookie|otp|recovery|signature|certificate|csrf", re.IGNORECASE
)
"""Names of fields whose values are never written down."""
HIDDEN: Final = "(hidden)"
LONGEST_TEXT: Final = 500
MOST_ITEMS: Final = 100
DEEPEST: Final = 6


def cleaned(values: Mapping[str, Any], *, hide: tuple[str, ...] = ()) -> dict[str, Any]:
    """`values` as JSON can hold them, with secrets (and the fields `hide` names) hidden, long texts and lists cut."""
    found: dict[str, Any] = _plain(values, frozenset(hide), DEEPEST)
    return found


def differing(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The two, without the fields in which they agree."""
    same = {name for name, value in before.items() if name in after and after[name] == value}
    return (
        {name: value for name, value in before.items() if name not in same},
        {name: value for name, value in after.items() if name not in same},
    )


def _plain(value: Any, hide: frozenset[str], deeper: int) -> Any:  # noqa: PLR0911 - one line a type
    if value is None or isinstance(value, bool | int):
        return value
    if isinstance(value, Decimal):
        return plain(value)
    if isinstance(value, datetime | date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return f"({len(value)} bytes)"
    if deeper and isinstance(value, Mapping):
        items = list(value.items())[:MOST_ITEMS]
        return {
            str(name)[:120]: HIDDEN if name in hide or SECRET.search(str(name)) else _plain(one, hide, deeper - 1)
            for name, one in items
        }
    if deeper and isinstance(value, list | tuple | set | frozenset):
        shown = [_plain(one, hide, deeper - 1) for one in list(value)[:MOST_ITEMS]]
        return shown if len(value) <= MOST_ITEMS else [*shown, f"and {len(value) - MOST_ITEMS} more"]
    text = str(value).replace("\x00", "")
    return text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
