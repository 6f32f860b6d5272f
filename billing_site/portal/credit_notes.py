"""Credit notes: what corrects a statement and came back to the wallet. On the screen, as PDF, as a table."""

from __future__ import annotations

from dataclasses import dataclass

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page
from wallets.statements.credit_note_document import CreditNoteDocument, credit_note_csv, credit_note_pdf, read_credit_note


@dataclass(frozen=True, slots=True)
class CreditNotePage:
    """One credit note."""

    account_key: str
    account_name: str
    document: CreditNoteDocument


@require_safe
@customer_page
def credit_note(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:
    """One credit note."""
    document = read_credit_note(customer.credit_note(public_id))
    page = CreditNotePage(document.account_key, document.account_name, document)
    return render(request, "portal/credit_note.html", {"page": page})


@require_safe
@customer_page
def credit_note_as_pdf(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:  # noqa: ARG001 - a view's signature
    """One credit note as PDF."""
    return credit_note_pdf(read_credit_note(customer.credit_note(public_id)))


@require_safe
@customer_page
def credit_note_as_csv(request: HttpRequest, customer: Customer, public_id: str) -> HttpResponse:  # noqa: ARG001
    """One credit note's lines as a table."""
    return credit_note_csv(read_credit_note(customer.credit_note(public_id)))
