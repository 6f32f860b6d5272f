"""A report as a spreadsheet. Its numbers have the 15 digits that spreadsheets know; the CSV has all."""

from __future__ import annotations

import io
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import xlsxwriter

from wallets.csv_cells import text_cell
from wallets.reports.report import Report

FORMATS: Final = {"amount": "#,##0.00####", "percent": '0.0" %"', "quantity": "#,##0.######", "count": "#,##0", "days": "0.0"}
WIDTH: Final = 18


def spreadsheet(title: str, report: Report, asked: Mapping[str, str], as_of: datetime) -> bytes:
    """One sheet: what was asked, the total, the table with its sums, and how it ties to the journal."""
    file = io.BytesIO()
    book = xlsxwriter.Workbook(file, {"in_memory": True, "constant_memory": False})
    sheet = book.add_worksheet(title[:31])
    bold, right = book.add_format({"bold": True}), book.add_format({"bold": True, "align": "right"})
    styles = {kind: book.add_format({"num_format": shape}) for kind, shape in FORMATS.items()}
    sums = {kind: book.add_format({"num_format": shape, "bold": True, "top": 1}) for kind, shape in FORMATS.items()}
    sheet.set_column(0, max(len(report.columns), 2), WIDTH)
    sheet.write_string(0, 0, title, bold)
    sheet.write_string(
        1, 0, f"As of {as_of:%Y-%m-%d %H:%M} UTC, in {report.currency}; {', '.join(f'{k}: {v}' for k, v in asked.items())}"
    )
    sheet.write_string(2, 0, report.total.label, bold)
    _write(sheet, 2, 1, report.total.value, styles.get(report.total.kind))
    for place, column in enumerate(report.columns):
        sheet.write_string(4, place, column.label, right if column.is_number else bold)
    line = 5
    for row in report.rows:
        for place, (column, value) in enumerate(zip(report.columns, row, strict=True)):
            _write(sheet, line, place, value, styles.get(column.kind))
        line += 1
    for place, (column, value) in enumerate(zip(report.columns, report.totals, strict=False)):
        _write(sheet, line, place, value, sums.get(column.kind, bold))
    line += 2
    for tie in report.ties:
        sheet.write_string(line, 0, f"{tie.label}: journal, difference")
        _write(sheet, line, 1, tie.journal, styles["amount"])
        _write(sheet, line, 2, tie.difference, styles["amount"])
        line += 1
    book.close()
    return file.getvalue()


def _write(sheet: Any, line: int, place: int, value: Any, style: Any) -> None:
    if isinstance(value, Decimal | int):
        sheet.write_number(line, place, value, style)
    elif value is not None:
        sheet.write_string(line, place, text_cell(str(value)), style)
