"""A statement as a table of its lines, for a spreadsheet or a book-keeper's import."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable
from typing import Final

from wallets.csv_cells import text_cell
from wallets.money import plain
from wallets.statements.document import Document

COLUMNS: Final = (
    "statement", "section", "label", "detail", "meter", "price", "events", "quantity", "unit", "allowance", "happened_at",
    "reference", "amount", "exact_amount", "currency",
)  # fmt: skip


def render_csv(document: Document) -> str:
    """The opening balance, every line, the rounding and the closing balance; amounts as plain numbers."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    empty = [""] * 9

    def balance(section: str, label: str, amount: str) -> list[str]:
        return [document.number, section, label, *empty, amount, amount, document.currency]

    writer.writerow(balance("OPENING", "Opening balance", plain(document.opening)))
    for section in document.sections:
        for line in section.lines:
            texts = _safe([line.label, line.detail, line.meter, line.price.replace("\n", "; ")])
            writer.writerow([
                document.number, section.code, *texts,
                "" if line.events is None else line.events,
                "" if line.quantity is None else plain(line.quantity),
                *_safe([line.unit]),
                "" if line.allowance is None else plain(line.allowance),
                "" if line.happened_at is None else line.happened_at.isoformat(),
                *_safe([line.reference]),
                plain(line.rounded), plain(line.amount), document.currency,
            ])  # fmt: skip
    if document.rounding:
        writer.writerow(balance("ROUNDING", "Rounding", plain(document.rounding)))
    writer.writerow(balance("CLOSING", "Closing balance", plain(document.closing)))
    return out.getvalue()


def _safe(texts: Iterable[str]) -> list[str]:
    return [text_cell(text) for text in texts]
