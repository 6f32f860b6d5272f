"""The general ledger's lines as files that bookkeeping programs read. Pure.

csv         everything, one line each
quickbooks  QuickBooks Online, import of journal entries: Journal No., Journal Date, Account Name, Debits, Credits
xero        Xero, import of manual journals: debits positive, dates dd/mm/yyyy, one narration a journal
netsuite    NetSuite, CSV import of journal entries: External ID, Date, Account, Debit, Credit
datev       DATEV format, posting batch (Buchungsstapel) version 13, header 700: each line against one clearing account
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final

from wallets.csv_cells import csv_lines, text_cell
from wallets.money import minor_digits
from wallets.reports.general_ledger import GlExport, GlLine

UNUSED: Final = 22  # DATEV columns between the text and the cost centre
DATEV_COLUMNS: Final = (
    "Umsatz (ohne Soll/Haben-Kz)", "Soll/Haben-Kennzeichen", "WKZ Umsatz", "Kurs", "Basis-Umsatz", "WKZ Basis-Umsatz", "Konto",
    "Gegenkonto (ohne BU-Schlüssel)", "BU-Schlüssel", "Belegdatum", "Belegfeld 1", "Belegfeld 2", "Skonto", "Buchungstext",
    "Postensperre", "Diverse Adressnummer", "Geschäftspartnerbank", "Sachverhalt", "Zinssperre", "Beleglink",
    *(f"Beleginfo - {what} {number}" for number in range(1, 9) for what in ("Art", "Inhalt")), "KOST1 - Kostenstelle",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Datev:
    """Whose books: the adviser's and the client's number, digits of an account, first month of the fiscal year, and the
    clearing account that every line is posted against; it is at zero at the end of each day."""

    consultant: str = "1001"
    client: str = "1"
    digits: int = 4
    year_begins: int = 1
    clearing: str = "1590"


def gl_file(export: GlExport, *, format_: str, made_at: datetime, datev: Datev | None = None) -> Iterator[str]:
    """The file's lines. format_: of FORMATS."""
    if format_ == "datev":
        return _datev(export, datev or Datev(), made_at)
    heading, row = FORMATS[format_]
    return csv_lines([heading, *(row(export, line) for line in export.lines)])


def _amount(amount: Decimal, export: GlExport) -> str:
    return f"{amount:.{minor_digits(export.currency)}f}" if amount else ""


def _signed(line: GlLine, export: GlExport) -> str:
    return f"{line.signed:.{minor_digits(export.currency)}f}"


def _name(line: GlLine) -> str:
    return text_cell(f"Prepaid credit: {line.account.name or line.account.code}")


def _number(day: date, export: GlExport) -> str:
    return f"PREPAID-{day:%Y%m%d}-{export.currency}"


FORMATS: Final[dict[str, tuple[tuple[str, ...], Callable[[GlExport, GlLine], tuple[str, ...]]]]] = {
    "csv": (
        ("date", "account", "name", "cost_centre", "debit", "credit", "currency"),
        lambda export, line: (
            line.day.isoformat(), text_cell(line.account.code), text_cell(line.account.name),
            text_cell(line.account.cost_centre), _amount(line.debit, export), _amount(line.credit, export), export.currency,
        ),
    ),
    "quickbooks": (
        ("Journal No.", "Journal Date", "Account Name", "Debits", "Credits", "Description", "Currency", "Location"),
        lambda export, line: (
            _number(line.day, export), f"{line.day:%m/%d/%Y}", text_cell(line.account.name or line.account.code),
            _amount(line.debit, export), _amount(line.credit, export), _name(line), export.currency,
            text_cell(line.account.cost_centre),
        ),
    ),
    "xero": (
        ("*Narration", "*Date", "Description", "*AccountCode", "*TaxRate", "*Amount", "TrackingName1", "TrackingOption1"),
        lambda export, line: (
            f"Prepaid credit {line.day.isoformat()} {export.currency}", f"{line.day:%d/%m/%Y}", _name(line),
            text_cell(line.account.code), "Tax Exempt", _signed(line, export),
            "Cost centre" if line.account.cost_centre else "", text_cell(line.account.cost_centre),
        ),
    ),
    "netsuite": (
        ("External ID", "Date", "Currency", "Memo", "Account", "Debit", "Credit", "Department"),
        lambda export, line: (
            _number(line.day, export), f"{line.day:%m/%d/%Y}", export.currency, _name(line), text_cell(line.account.code),
            _amount(line.debit, export), _amount(line.credit, export), text_cell(line.account.cost_centre),
        ),
    ),
}  # fmt: skip
NAMES: Final = (*FORMATS, "datev")


def _datev(export: GlExport, datev: Datev, made_at: datetime) -> Iterator[str]:
    """Semicolons, texts in quotation marks, comma for decimals, CR LF (developer.datev.de, DATEV format)."""
    year = export.first_day.year - (export.first_day.month < datev.year_begins)
    head = (
        '"EXTF"', "700", "21", '"Buchungsstapel"', "13", f"{made_at:%Y%m%d%H%M%S}{made_at.microsecond // 1000:03}", "", '"RE"',
        '""', '""', datev.consultant, datev.client, f"{year}{datev.year_begins:02}01", str(datev.digits),
        f"{export.first_day:%Y%m%d}", f"{export.last_day:%Y%m%d}", '"Prepaid credit"', '""', "1", "0", "0",
        f'"{export.currency}"', "", '""', "", "", '""', "", "", '""', '""',
    )  # fmt: skip
    yield ";".join(head) + "\r\n"
    yield ";".join(DATEV_COLUMNS) + "\r\n"
    for line in export.lines:
        amount = f"{max(line.debit, line.credit):.2f}".replace(".", ",")
        side = "S" if line.debit else "H"
        cells = (
            amount, f'"{side}"', f'"{export.currency}"', "", "", '""', line.account.code, datev.clearing, '""',
            f"{line.day:%d%m}", f'"{_number(line.day, export)[:36]}"', '""', "",
            _quoted((line.account.name or "Prepaid credit")[:60]),
            *[""] * UNUSED, _quoted(line.account.cost_centre[:36]),
        )  # fmt: skip
        yield ";".join(cells) + "\r\n"


def _quoted(text: str) -> str:
    return '"' + "".join(one for one in text if one.isprintable()).replace('"', '""') + '"'
