"""Statements: a month's opening balance, what came in, what was used, what is left. On the screen, as PDF, as a table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page
from metering.usage.event_files import events_csv
from metering.usage.statement_events import USAGE, EventBehind, first_events
from wallets.clock import now
from wallets.months import month_of
from wallets.statements.credit_note import credit_notes_of
from wallets.statements.credit_note_models import CreditNote
from wallets.statements.document import Document, days_of, read_document, statements_of
from wallets.statements.files import csv_response, pdf_response
from wallets.statements.models import Statement, StatementLine

PER_PAGE: Final = 60
NOTES_SHOWN: Final = 60
EVENTS_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class StatementRow:
    """A statement in the list. first_day, last_day: in its own zone."""

    public_id: str
    number: str
    first_day: date
    last_day: date
    currency: str
    opening: Decimal
    closing: Decimal
    issued_at: datetime


@dataclass(frozen=True, slots=True)
class CreditNoteRow:
    """A credit note in a list. amount: as printed."""

    public_id: str
    number: str
    statement_number: str
    reason: str
    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class StatementsPage:
    """Everything on the page, as values. older: where the next page begins; next_day: when the next statement comes."""

    account_key: str
    account_name: str
    statements: list[StatementRow]
    older: str
    is_first: bool
    next_day: date
    credit_notes: list[CreditNoteRow]


@dataclass(frozen=True, slots=True)
class StatementPage:
    """One statement."""

    account_key: str
    account_name: str
    document: Document
    credit_notes: list[CreditNoteRow]


@dataclass(frozen=True, slots=True)
class StatementLinePage:
    """A line of a statement with the first of the events it adds up."""

    account_key: str
    account_name: str
    statement_id: str
    number: str
    currency: str
    line: StatementLine
    events: Sequence[EventBehind]


@require_safe
@customer_page
def statements(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """The statements of one of their accounts, newest first; `?before=stm_…` goes on."""
    owner = customer.account(account)
    rows = statements_of(account=owner)
    before = request.GET.get("before", "")
    if before:
        rows = rows.filter(pk__lt=customer.statement(before).pk)
    found = list(rows.order_by("-id")[: PER_PAGE + 1])
    zone = ZoneInfo(owner.time_zone)
    page = StatementsPage(
        account_key=owner.key,
        account_name=owner.name,
        statements=[_row(one) for one in found[:PER_PAGE]],
        older=found[PER_PAGE - 1].public_id if len(found) > PER_PAGE else "",
        is_first=not before,
        next_day=month_of(now(), owner.time_zone)[1].astimezone(zone).date(),
        credit_notes=[_note_row(one) for one in credit_notes_of(account=owner).order_by("-id")[:NOTES_SHOWN]],
    )
    return render(request, "portal/statements.html", {"page": page})


@require_safe
@customer_page
def statement(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:
    """One statement."""
    found = customer.statement(public_id)
    account = found.wallet.account
    notes = found.credit_notes.select_related("statement").filter(state=CreditNote.State.ISSUED).order_by("id")  # type: ignore[attr-defined, unused-ignore]
    page = StatementPage(account.key, account.name, read_document(found), [_note_row(one) for one in notes])
    return render(request, "portal/statement.html", {"page": page})


@require_safe
@customer_page
def statement_pdf(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:  # noqa: ARG001 - a view's signature
    """One statement as PDF."""
    return pdf_response(read_document(customer.statement(public_id)))


@require_safe
@customer_page
def statement_csv(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:  # noqa: ARG001
    """One statement's lines as a table."""
    return csv_response(read_document(customer.statement(public_id)))


@require_safe
@customer_page
def statement_line(request: HttpRequest, customer: Customer, public_id: str, position: int) -> HttpResponse:
    """The events that a line of usage adds up."""
    found = customer.statement(public_id)
    line = found.lines.filter(position=position, section__in=USAGE).first()
    if line is None:
        raise Http404
    events = first_events(statement=found, position=position, most=EVENTS_SHOWN)
    account = found.wallet.account
    page = StatementLinePage(
        account.key, account.name, found.public_id, found.public_number, found.currency, line, events
    )  # fmt: skip
    return render(request, "portal/statement_line.html", {"page": page})


@require_safe
@customer_page
def statement_events(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponseBase:
    """Every event behind a statement as a table, or behind one line of it (`?line=3`); written as it is read."""
    position = request.GET.get("line", "")
    return events_csv(customer.statement(public_id), position=int(position[:9]) if position.isdecimal() else None)


def _note_row(note: CreditNote) -> CreditNoteRow:
    return CreditNoteRow(
        note.public_id, note.public_number, note.statement.public_number, note.reason, note.rounded, note.currency
    )  # fmt: skip


def _row(found: Statement) -> StatementRow:
    first_day, last_day = days_of(found)
    return StatementRow(
        public_id=found.public_id,
        number=found.public_number,
        first_day=first_day,
        last_day=last_day,
        currency=found.currency,
        opening=found.opening_balance,
        closing=found.closing_balance,
        issued_at=found.issued_at,
    )
