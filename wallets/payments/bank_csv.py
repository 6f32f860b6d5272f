"""Read what a bank's export says, and find our reference in it. Pure.

A reference is what the customer is asked to write on a wire: `PB-7K3M-9Q2X`, without letters that look like digits. People and
banks drop its hyphens, add spaces and change its case; it is found all the same.
"""

from __future__ import annotations

import csv
import io
import re
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Final

from wallets.errors import InvalidInput
from wallets.input import amount_problem

COLUMNS: Final = ("date", "amount", "currency", "bank_id", "payer", "text")
MOST_LINES: Final = 2_000  # a month of wires; each is matched under its wallet's lock
LETTERS: Final = "23456789ACDEFGHJKMNPQRTUVWXY"
_LETTER: Final = f"[{LETTERS}]"
_REFERENCE: Final = re.compile(rf"(?<![A-Z0-9])P\W*B\W*((?:{_LETTER}\W?){{8}})(?![A-Z0-9])")
_CURRENCY: Final = re.compile(r"[A-Z]{3}")


@dataclass(frozen=True, slots=True)
class BankRow:
    """One incoming payment. bank_id: the bank's own id of it, by which it is taken in once."""

    booked: date
    amount: Decimal
    currency: str
    bank_id: str
    payer: str
    text: str


class LinesUnreadable(InvalidInput):
    """The bank's lines are not as expected; the message names the line."""

    code = "bank_lines_unreadable"


def read_bank_lines(text: str) -> list[BankRow]:
    """The incoming payments of a CSV with a header of COLUMNS (comma or semicolon); outgoing ones are left out.

    Raises LinesUnreadable naming the first line that is wrong: nothing is taken in by halves.
    """
    text = text.lstrip("\ufeff").strip()
    head = text.splitlines()[0] if text else ""
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise LinesUnreadable(f"The first line must name the columns {', '.join(COLUMNS)}; {missing[0]} is missing.")
    rows: list[BankRow] = []
    seen: set[str] = set()
    for number, fields in enumerate(reader, start=2):
        if number > MOST_LINES + 1:
            raise LinesUnreadable(f"At most {MOST_LINES:,} lines are taken at once.")
        row = _row(number, {name: (fields.get(name) or "").strip() for name in COLUMNS})
        if row.bank_id in seen:
            raise LinesUnreadable(f"Line {number}: {row.bank_id} stands there twice.")
        seen.add(row.bank_id)
        if row.amount > 0:
            rows.append(row)
    return rows


def reference_in(text: str) -> str | None:
    """Our reference in what the payer wrote, as we write it; None when there is none."""
    found = _REFERENCE.search(text.upper())
    if found is None:
        return None
    letters = re.sub(r"\W", "", found[1])
    return f"PB-{letters[:4]}-{letters[4:]}"


def _row(number: int, fields: dict[str, str]) -> BankRow:
    try:
        booked = date.fromisoformat(fields["date"])
    except ValueError:
        raise LinesUnreadable(f"Line {number}: the date must be like 2026-11-23.") from None
    try:
        amount = Decimal(fields["amount"])
    except InvalidOperation:
        raise LinesUnreadable(f"Line {number}: the amount must be like 1234.50.") from None
    if amount_problem(abs(amount)) is not None:
        raise LinesUnreadable(f"Line {number}: the amount must be like 1234.50.")
    if not _CURRENCY.fullmatch(fields["currency"]):
        raise LinesUnreadable(f"Line {number}: the currency must be like USD.")
    if not 0 < len(fields["bank_id"]) <= 120:  # noqa: PLR2004 - its column
        raise LinesUnreadable(f"Line {number}: bank_id must be the bank's own id of the payment.")
    return BankRow(booked, amount, fields["currency"], fields["bank_id"], fields["payer"][:200], fields["text"][:500])
