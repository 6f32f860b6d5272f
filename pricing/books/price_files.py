"""Prices as files: CSV for spreadsheets, JSON in the form of the wire. What is written is read back exactly. Pure.

A spreadsheet takes a cell that begins with one of `= + - @` for a formula. Such a cell is written with an apostrophe before
it, and one apostrophe before such a cell is taken away again when it is read.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import Any, Final, NamedTuple

from pricing.books.price_cells import AMOUNTS, TEXTS, cells_of, column_is_known, column_of_field, terms_of_cells
from pricing.books.price_terms import PriceTerms
from pricing.books.schedule import schedule_problems, stored_schedule, windows_text
from pricing.books.validate import MAX_FINDINGS, MAX_PRICES, PricesRefused
from pricing.meters.measure import dimension_text
from wallets.errors import InvalidInput
from wallets.money import plain

FIRST: Final = ("meter", "currency")
LAST: Final = ("model", *AMOUNTS, "price_property")
MAX_BYTES: Final = 16 * 1024 * 1024  # what a request may be
MAX_COLUMNS: Final = 600
HEADER_ROW: Final = 1

_FORMULA: Final = re.compile(r"'*[=+\-@\t\r\n＝＋－＠]")  # noqa: RUF001 - full-width ones are formulas too
_EXPONENT: Final = re.compile(r"[eE][+-]?0*[1-9][0-9]{2}")


class PriceFileRefused(InvalidInput):
    """A file holds no prices, or some that are not acceptable; each is named by row and column."""

    code = "invalid_price_file"


class Row(NamedTuple):
    """A price read from a file, and where it stood (the row of a spreadsheet, the header being row 1)."""

    number: int
    terms: PriceTerms


def write_csv(prices: Iterable[PriceTerms]) -> str:
    """A table with a header, one price a row."""
    rows = [cells_of(price) for price in prices]
    used = {column: None for row in rows for column in row}
    columns = [*FIRST, *sorted(column for column in used if column.startswith("match."))]
    columns += [column for column in used if column.startswith("schedule.")]
    columns += LAST
    columns += [column for column in used if column.startswith("percentage.")]
    columns += sorted((column for column in used if column.startswith("tier.")), key=_tier_order)
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([_guarded(column) for column in columns])
    writer.writerows([[_guarded(row.get(column, "")) for column in columns] for row in rows])
    return out.getvalue()


def read_csv(raw: bytes) -> list[Row]:
    """The prices of a table. Comma or semicolon between cells, UTF-8. Raises PriceFileRefused naming rows and columns."""
    text = _decoded(raw)
    header_line = text.partition("\n")[0]
    delimiter = ";" if header_line.count(";") > header_line.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    wrong: dict[str, str] = {}
    rows: list[Row] = []
    try:
        header = [_column(cell) for cell in next(reader, [])]
        _check_header(header)
        for number, cells in enumerate(reader, start=HEADER_ROW + 1):
            if not any(cells):
                continue
            if len(rows) >= MAX_PRICES:
                raise PriceFileRefused(f"A version has at most {MAX_PRICES} prices.", fields={"rows": f"at most {MAX_PRICES}"})
            extra = [cell for cell in cells[len(header) :] if cell]
            if extra:
                wrong.setdefault(f"rows.{number}", f"at most {len(header)} cells, as the header has")
            named = {column: _unguarded(cell) for column, cell in zip(header, cells, strict=False) if column}
            rows.append(_row(number, named, wrong))
    except csv.Error as error:
        raise PriceFileRefused(
            "The file is no table.", fields={f"rows.{reader.line_num}": f"cells as CSV has them ({error})"}
        ) from error
    _refuse(wrong)
    return rows


def write_json(prices: Iterable[PriceTerms]) -> str:
    """A document `{"prices": [...]}` as the API takes it."""
    return json.dumps({"prices": [price_document(price) for price in prices]}, ensure_ascii=False, indent=1)


def price_document(price: PriceTerms) -> dict[str, Any]:
    """A price in the form of the wire, without what it does not have."""
    cells = cells_of(price)
    document: dict[str, Any] = {name: cells[name] for name in TEXTS if name in cells}
    document |= {"match": dict(price.match)}
    if price.schedule:
        document["schedule"] = dict(price.schedule)
    document |= {name: cells[name] for name in AMOUNTS if name in cells}
    if price.percentage is not None:
        document["percentage"] = {
            name.removeprefix("percentage."): text for name, text in cells.items() if name.startswith("percentage.")
        }
        if price.percentage.free_events is not None:
            document["percentage"]["free_events"] = price.percentage.free_events
    if price.tiers:
        document["tiers"] = [
            {"up_to": None if tier.up_to is None else plain(tier.up_to)}
            | {
                name: plain(amount)
                for name in ("unit_price", "flat_price", "rate")
                if (amount := getattr(tier, name)) is not None
            }
            for tier in price.tiers
        ]
    return document


def read_json_file(raw: bytes) -> list[Row]:
    """The prices of a document `{"prices": [...]}` or of a list; rows count from 1. Raises PriceFileRefused."""
    try:
        document = json.loads(
            _decoded(raw), parse_float=_exact, parse_int=_exact, parse_constant=_exact, object_pairs_hook=_once
        )
    except (ValueError, RecursionError) as error:
        raise PriceFileRefused("The file is not JSON.", fields={"file": "JSON in UTF-8"}) from error
    prices = document.get("prices") if isinstance(document, dict) else document
    if not isinstance(prices, list):
        raise PriceFileRefused("The file holds no prices.", fields={"prices": "a list of prices"})
    if len(prices) > MAX_PRICES:
        raise PriceFileRefused(f"A version has at most {MAX_PRICES} prices.", fields={"rows": f"at most {MAX_PRICES}"})
    wrong: dict[str, str] = {}
    rows = []
    for number, price in enumerate(prices, start=1):
        if isinstance(price, dict):
            rows.append(_row(number, _flat(price, f"rows.{number}", wrong), wrong))
        else:
            wrong[f"rows.{number}"] = "an object"
    _refuse(wrong)
    return rows


@contextmanager
def named_by_row(rows: Sequence[Row]) -> Iterator[None]:
    """Within it, prices that are refused are named by the rows they stood in."""
    try:
        yield
    except PricesRefused as refused:
        raise findings_by_row(refused, rows) from refused


def findings_by_row(refused: PricesRefused, rows: Sequence[Row]) -> PriceFileRefused:
    """The refusal of prices that came from a file, by its rows and columns: `prices.0.unit_price` is `rows.2.unit_price`."""
    fields: dict[str, str] = {}
    for name, expected in refused.fields.items():
        parts = name.split(".", 2)
        if len(parts) == 3:  # noqa: PLR2004 - prices, row, field
            clash = re.sub(r"row (\d+)", lambda found: f"row {rows[int(found[1])].number}", expected)
            fields[f"rows.{rows[int(parts[1])].number}.{column_of_field(parts[2])}"] = clash
        else:
            fields["rows"] = expected
    return PriceFileRefused(refused.message, fields=fields)


def _row(number: int, cells: Mapping[str, str], wrong: dict[str, str]) -> Row:
    terms, problems = terms_of_cells(cells)
    for column, expected in problems:
        wrong.setdefault(f"rows.{number}.{column}", expected)
    return Row(number, terms)


def _check_header(header: Sequence[str]) -> None:
    named = [column for column in header if column]
    wrong = {f"rows.{HEADER_ROW}.{column[:120]}": "no such column" for column in named if not column_is_known(column)}
    wrong |= {f"rows.{HEADER_ROW}.{column}": "each column once" for column in named if named.count(column) > 1}
    if "meter" not in named:
        wrong[f"rows.{HEADER_ROW}.meter"] = "a column of this name"
    if len(header) > MAX_COLUMNS:
        wrong = {f"rows.{HEADER_ROW}": f"at most {MAX_COLUMNS} columns"}
    _refuse(wrong)


def _refuse(wrong: Mapping[str, str]) -> None:
    if wrong:
        more = f" (the first {MAX_FINDINGS} of {len(wrong)} are named)" if len(wrong) > MAX_FINDINGS else ""
        raise PriceFileRefused(f"Some cells cannot be read{more}.", fields=dict(list(wrong.items())[:MAX_FINDINGS]))


def _column(cell: str) -> str:
    name = _unguarded(cell)
    return name if name.startswith("match.") else name.strip()


def _guarded(cell: str) -> str:
    return f"'{cell}" if _FORMULA.match(cell) else cell


def _unguarded(cell: str) -> str:
    return cell[1:] if cell.startswith("'") and _FORMULA.match(cell) else cell


def _tier_order(column: str) -> tuple[int, int]:
    _, number, part = column.split(".")
    return int(number), ("up_to", "unit_price", "flat_price", "rate").index(part)


def _decoded(raw: bytes) -> str:
    if len(raw) > MAX_BYTES:
        raise PriceFileRefused("The file is too large.", fields={"file": f"at most {MAX_BYTES // 1024 // 1024} MiB"})
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise PriceFileRefused("The file is not UTF-8.", fields={"file": "text in UTF-8"}) from error


def _exact(text: str) -> Decimal:
    if _EXPONENT.search(text) or not text.lstrip("-")[:1].isdigit():
        raise ValueError(text)
    return Decimal(text)


def _flat(price: Mapping[str, Any], place: str, wrong: dict[str, str]) -> dict[str, str]:
    """The cells of a price as the wire has it."""
    parts: list[tuple[str, Any]] = []
    for name, value in price.items():
        if name == "match" and isinstance(value, dict):
            parts += [(f"match.{inner}", dimension_text(part) or part) for inner, part in value.items()]
            empty = "a text that is not empty, a number or a boolean"
            wrong |= {f"{place}.match.{inner}": empty for inner, part in value.items() if not dimension_text(part)}
        elif name == "percentage" and isinstance(value, dict):
            parts += [(f"percentage.{inner}", part) for inner, part in value.items()]
        elif name == "tiers" and isinstance(value, list) and all(isinstance(tier, dict) for tier in value):
            for number, tier in enumerate(value, start=1):
                parts += [(f"tier.{number}.{part}", amount) for part, amount in tier.items()]
        elif name == "schedule" and isinstance(value, dict):
            parts += _flat_schedule(value, place, wrong)
        else:
            parts.append((name, value))
    cells: dict[str, str] = {}
    for column, value in parts:
        text = f"{value:f}" if isinstance(value, Decimal) else dimension_text(value)
        if text is not None:
            cells[column] = text
        elif value is not None:
            wrong.setdefault(f"{place}.{column}", "a text or a number")
    return cells


def _flat_schedule(schedule: Mapping[str, Any], place: str, wrong: dict[str, str]) -> list[tuple[str, Any]]:
    problems = schedule_problems(schedule)
    for name, expected in problems:
        wrong.setdefault(f"{place}.schedule.{name}", expected)
    stored = {} if problems else stored_schedule(schedule)
    if not stored:
        return []
    return [("schedule.time_zone", stored["time_zone"]), ("schedule.windows", windows_text(stored))]


def _once(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    named = dict(pairs)
    if len(named) < len(pairs):
        raise ValueError("a name twice in one object")
    return named
