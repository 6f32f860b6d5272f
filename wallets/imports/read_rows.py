"""Read a file of credit. Pure.

    account,currency,kind,amount,price_paid,expires_at,reference
    acme,USD,paid,120.50,120.50,2027-06-30T00:00:00Z,OLD-4711

price_paid may be empty (paid credit: the amount; the rest: nothing), expires_at too (never). reference is the row's own:
it stands in the lot's reason, and twice in no file.
"""

from __future__ import annotations

import csv
import io
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Final

from wallets.errors import InvalidInput
from wallets.input import amount_problem

COLUMNS: Final = ("account", "currency", "kind", "amount", "price_paid", "expires_at", "reference")
KINDS: Final = ("paid", "promotional", "trial", "compensation")
MOST_ROWS: Final = 50_000
MOST_NAMED: Final = 50


@dataclass(frozen=True, slots=True)
class CreditRow:
    """One grant. line: of the file."""

    line: int
    account: str
    currency: str
    kind: str
    amount: Decimal
    price_paid: Decimal | None
    expires_at: datetime | None
    reference: str


class RowsUnreadable(InvalidInput):
    """Rows are not as expected; each is named by its line and field."""

    code = "credit_rows_unreadable"


def read_credit_rows(text: str) -> list[CreditRow]:
    """The rows of a CSV (comma or semicolon). Raises RowsUnreadable naming every line that is wrong, up to fifty."""
    text = text.lstrip("\ufeff").strip()
    head = text.splitlines()[0] if text else ""
    reader = csv.DictReader(io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",")
    missing = [name for name in COLUMNS if name not in (reader.fieldnames or ())]
    if missing:
        raise RowsUnreadable(f"The first line must name the columns {', '.join(COLUMNS)}; {missing[0]} is missing.")
    rows: list[CreditRow] = []
    wrong: dict[str, str] = {}
    seen: set[str] = set()
    for number, fields in enumerate(reader, start=2):
        if number > MOST_ROWS + 1:
            raise RowsUnreadable(f"At most {MOST_ROWS:,} rows are taken at once.")
        cells = {name: (fields.get(name) or "").strip() for name in COLUMNS}
        problems = _problems(cells, seen)
        seen.add(cells["reference"])
        wrong |= {f"line {number}: {name}": problem for name, problem in problems.items()}
        if not problems:
            rows.append(_row(number, cells))
    if not rows and not wrong:
        wrong["line 2"] = "There is no row."
    if wrong:
        first = dict(list(wrong.items())[:MOST_NAMED])
        raise RowsUnreadable(f"{len(wrong):,} cells are wrong; nothing was taken in.", fields=first)
    return rows


def totals_of(rows: list[CreditRow]) -> dict[str, Decimal]:
    """Amount by currency."""
    totals: dict[str, Decimal] = defaultdict(Decimal)
    for row in rows:
        totals[row.currency] += row.amount
    return dict(sorted(totals.items()))


def _row(number: int, cells: dict[str, str]) -> CreditRow:
    return CreditRow(
        number, cells["account"], cells["currency"], cells["kind"], Decimal(cells["amount"]),
        Decimal(cells["price_paid"]) if cells["price_paid"] else None,
        datetime.fromisoformat(cells["expires_at"]) if cells["expires_at"] else None, cells["reference"],
    )  # fmt: skip


def _problems(cells: dict[str, str], seen: set[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for name in ("account", "currency", "reference"):
        if not cells[name]:
            found[name] = "Give one"
    if cells["reference"] in seen:
        found["reference"] = "It stands there twice"
    if cells["kind"] not in KINDS:
        found["kind"] = f"One of {', '.join(KINDS)}"
    for name, above_zero in (("amount", True), ("price_paid", False)):
        if name == "price_paid" and not cells[name]:
            continue
        problem = _amount_problem(cells[name], above_zero=above_zero)
        if problem:
            found[name] = problem
    if cells["expires_at"] and not _is_moment(cells["expires_at"]):
        found["expires_at"] = "A time with its zone, as 2027-06-30T00:00:00Z"
    return found


def _is_moment(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _amount_problem(text: str, *, above_zero: bool) -> str:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        return "An amount, as 120.50"
    return amount_problem(amount, above_zero=above_zero) or ""
