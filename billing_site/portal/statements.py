"""Statements: a month's opening balance, what came in, what was used, what is left. On the screen, as PDF, as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Final
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page
from wallets.clock import now
from wallets.months import month_of
from wallets.statements.document import Document, days_of, read_document, statements_of
from wallets.statements.files import csv_response, pdf_response
from wallets.statements.models import Statement

PER_PAGE: Final = 60


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
class StatementsPage:
    """Everything on the page, as values. older: where the next page begins; next_day: when the next statement comes."""

    account_key: str
    account_name: str
    statements: list[StatementRow]
    older: str
    is_first: bool
    next_day: date


@dataclass(frozen=True, slots=True)
class StatementPage:
    """One statement."""

    account_key: str
    account_name: str
    document: Document


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
    )
    return render(request, "portal/statements.html", {"page": page})


@require_safe
@customer_page
def statement(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:
    """One statement."""
    found = customer.statement(public_id)
    account = found.wallet.account
    page = StatementPage(account.key, account.name, read_document(found))
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
