"""What every report is made of: a question, one total, a table, a chart, and how it ties to the journal. Values only; the page,
the CSV and the spreadsheet are made of them by whoever shows them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any, Final, Literal, NamedTuple

from wallets.money import ZERO

ColumnKind = Literal["text", "amount", "quantity", "percent", "count", "date", "moment", "days"]
NUMBERS: Final[frozenset[ColumnKind]] = frozenset({"amount", "quantity", "percent", "count", "days"})


class Ref(NamedTuple):
    """A text that opens a record. kind: `account`, `wallet` or `lot`; pk: its row id."""

    kind: str
    pk: int
    text: str

    def __str__(self) -> str:
        return self.text


class Column(NamedTuple):
    """name: of the CSV column; label: of the table's; kind: what its cells hold (amounts: in the report's currency).
    quiet: a page may leave it out while all of it is zero."""

    name: str
    label: str
    kind: ColumnKind = "text"
    quiet: bool = False

    @property
    def is_number(self) -> bool:
        """Whether its cells are right-aligned."""
        return self.kind in NUMBERS


class Tie(NamedTuple):
    """What the report says and what the journal says of the same."""

    label: str
    report: Decimal
    journal: Decimal

    @property
    def difference(self) -> Decimal:
        """Zero when they agree."""
        return self.report - self.journal


class Figure(NamedTuple):
    """A number beside the total. kind: as of a column."""

    label: str
    value: Any
    kind: ColumnKind = "amount"


class Chart(NamedTuple):
    """Bars: what each is called and how high it is. kind: what they measure."""

    caption: str
    bars: Sequence[tuple[str, Decimal]]
    kind: ColumnKind = "amount"


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A report as it was at a moment. total: the one number it answers with; rows: cells in the order of the columns (None:
    nothing to say); totals: a row of sums below them, or none; notes: what the reader must know to read it right."""

    currency: str
    total: Figure
    columns: Sequence[Column]
    rows: Sequence[Sequence[Any]]
    totals: Sequence[Any] = ()
    figures: Sequence[Figure] = ()
    ties: Sequence[Tie] = ()
    chart: Chart | None = None
    notes: Sequence[str] = field(default_factory=tuple)


def column_totals(columns: Sequence[Column], rows: Sequence[Sequence[Any]]) -> list[Any]:
    """The sums of amounts and counts; the first column says that they are."""
    sums: list[Any] = ["Total"]
    for place, column in enumerate(columns[1:], start=1):
        summed = column.kind in {"amount", "count"}
        sums.append(sum((row[place] for row in rows if row[place] is not None), ZERO) if summed else None)
    return sums


def share(part: Decimal, whole: Decimal) -> Decimal | None:
    """`part` of `whole` in percent; None of nothing."""
    return part * 100 / whole if whole else None
