"""A credit note as it is read: the same values on the screen, in the PDF and in the table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.http import HttpResponse

from wallets.amount_text import exact_text, quantity_text
from wallets.csv_cells import csv_lines, text_cell
from wallets.money import ZERO, plain
from wallets.statements.credit_note_models import CreditNote, CreditNoteLine
from wallets.statements.document import days_of
from wallets.statements.files import file_response
from wallets.statements.render_pdf import brand_values, figure, set_pdf

COLUMNS: Final = (
    "credit_note", "statement", "line", "label", "detail", "price", "events", "quantity", "unit", "amount", "exact_amount",
    "currency",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class CreditNoteDocument:
    """A credit note. Amounts are what goes back; total is rounded to the currency's minor unit: printed lines + rounding."""

    public_id: str
    number: str
    statement_id: str
    statement_number: str
    period: str
    account_key: str
    account_name: str
    wallet: str
    currency: str
    seller: list[str]
    buyer: list[str]
    issued_at: datetime | None
    reason: str
    note: str
    total: Decimal
    exact: Decimal
    rounding: Decimal
    lines: list[CreditNoteLine]


def read_credit_note(note: CreditNote) -> CreditNoteDocument:
    """The note (its statement, wallet and account selected along), in one query."""
    lines = list(note.lines.order_by("position"))
    statement = note.statement
    first, last = days_of(statement)
    return CreditNoteDocument(
        public_id=note.public_id,
        number=note.public_number,
        statement_id=statement.public_id,
        statement_number=statement.public_number,
        period=f"{first:%-d %B %Y} to {last:%-d %B %Y}",
        account_key=statement.wallet.account.key,
        account_name=statement.wallet.account.name,
        wallet=statement.wallet.public_id,
        currency=note.currency,
        seller=note.seller.splitlines(),
        buyer=note.buyer.splitlines(),
        issued_at=note.ended_at,
        reason=note.reason,
        note=note.note,
        total=note.rounded,
        exact=note.amount,
        rounding=note.rounded - sum((line.rounded for line in lines), ZERO),
        lines=lines,
    )


def credit_note_pdf(document: CreditNoteDocument) -> HttpResponse:
    """The PDF, as a statement's."""
    assert document.issued_at is not None, document.public_id
    compiled = set_pdf(settings.CREDIT_NOTE_TEMPLATE, note=_values(document), issued_at=document.issued_at)
    return file_response(compiled, "application/pdf", f"{document.number}.pdf")


def credit_note_csv(document: CreditNoteDocument) -> HttpResponse:
    """The table of its lines."""
    rows = [
        (
            document.number, document.statement_number, line.position,
            *(text_cell(text) for text in (line.label, line.detail, line.price.replace("\n", "; "))),
            line.events, plain(line.quantity), text_cell(line.unit), plain(line.rounded), plain(line.amount), document.currency,
        )
        for line in document.lines
    ]  # fmt: skip
    return file_response("".join(csv_lines([COLUMNS, *rows])).encode(), "text/csv; charset=utf-8", f"{document.number}.csv")


def _values(document: CreditNoteDocument) -> dict[str, object]:
    assert document.issued_at is not None, document.public_id
    currency = document.currency
    return brand_values() | {
        "title": f"Credit note {document.number}",
        "number": document.number,
        "statement": document.statement_number,
        "period": document.period,
        "seller": document.seller,
        "buyer": document.buyer,
        "account": document.account_key,
        "wallet": document.wallet,
        "issued": f"{document.issued_at:%-d %B %Y}",
        "reason": document.reason,
        "currency": currency,
        "total": figure(document.total, currency),
        "rounding": figure(document.rounding, currency) if document.rounding else "",
        "lines": [
            {
                "label": line.label,
                "under": "; ".join(part for part in (line.detail, line.price.replace("\n", "; ")) if part),
                "quantity": quantity_text(line.quantity),
                "amount": figure(line.rounded, currency),
                "exact": str(exact_text(line.amount, currency)),
            }
            for line in document.lines
        ],
    }
