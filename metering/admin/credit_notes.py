"""Credit notes, the page that writes one, and the events behind the lines of a statement."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from metering.usage.credit_notes import ask_credit_note, issue_approved, preview_credit_note
from metering.usage.event_files import events_csv
from metering.usage.statement_events import USAGE, first_events
from wallets.accounts.models import User
from wallets.admin.action_page import ActionPage, Change, run_action_page
from wallets.admin.approval_kinds import KINDS, ApprovalKind
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.credit_note_form import credit_note_form
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.amount_text import headline_text, quantity_text
from wallets.approvals.limits import needs_second_today
from wallets.approvals.models import Approval
from wallets.clock import now
from wallets.money import ZERO
from wallets.statements.credit_note import KIND, Why, credit_note_of, drop_credit_note
from wallets.statements.credit_note_document import credit_note_csv, credit_note_pdf, read_credit_note
from wallets.statements.credit_note_models import CreditNote
from wallets.statements.models import Statement, StatementLine

EVENTS_SHOWN: Final = 100


@admin.register(CreditNote)
class CreditNoteAdmin(ReadOnlyAdmin):
    """Credit notes: found by id, statement id or account key."""

    list_display = (
        "number_column",
        "account_column",
        "statement_column",
        "amount_column",
        "reason",
        "asked_at",
        "state_column",
    )
    list_select_related = ("statement__wallet__account",)
    list_filter = ("state",)
    search_fields = ("public_id__exact", "statement__public_id__exact", "statement__wallet__account__key__exact")
    search_help_text = "Credit note id, statement id or account key"
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        """The document, the page that writes one, and what stands behind a statement."""
        own = self.action_urls(
            ("<int:pk>.pdf", self.pdf, "pdf"),
            ("<int:pk>.csv", self.csv, "csv"),
            ("statement/<int:pk>/", self.credit_view, "credit"),
            ("statement/<int:pk>/events.csv", self.events_csv, "events"),
            ("statement/<int:pk>/line/<int:position>/", self.line_view, "line"),
        )
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A note, what it corrects, who asked and who approved."""
        note = self._note(object_id)
        context = self.page_context(request, note, note=note, doc=read_credit_note(note))
        return TemplateResponse(request, "admin/credit_note_page.html", context)

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The document."""
        return credit_note_pdf(read_credit_note(self._issued(request, pk)))

    def csv(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Its lines as a table."""
        return credit_note_csv(read_credit_note(self._issued(request, pk)))

    @moves_money
    def credit_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Credit lines of a statement."""
        if not self.allows(request, "add"):
            raise PermissionDenied
        statement = _statement(pk)
        person: User = request.user  # type: ignore[assignment]
        lines = statement.lines.filter(section__in=USAGE, amount__lt=0).order_by("position")

        def perform(answers: dict[str, Any]) -> str:
            why = Why(answers["reason"].title, answers["note"])
            only = answers["events"].splitlines()
            note = ask_credit_note(
                statement=statement, positions=set(answers["lines"]), only=only, why=why, by=person, at=now()
            )
            amount = headline_text(note.amount, note.currency)
            if note.state == CreditNote.State.WAITING:
                return f"The credit note of {amount} waits for another person's approval."
            return f"Credit note {note.public_number} of {amount} is issued."

        def preview(answers: dict[str, Any]) -> list[Change]:
            only = answers["events"].splitlines()
            goes = preview_credit_note(statement=statement, positions=set(answers["lines"]), only=only, at=now())
            total = sum((line.amount for line in goes), ZERO)
            said = {line.position: line for line in lines}
            wallet, currency = statement.wallet, statement.currency
            waits = total > ZERO and needs_second_today(user=person, amount=total, currency=currency, kind=KIND, at=now())
            return [
                *(_change_of(said[one.position], one.amount, currency) for one in goes),
                Change("Balance", wallet.balance, wallet.balance + total, currency),
                Change("When", "", "after another person’s approval" if waits else "issued at once"),  # noqa: RUF001 - typography
            ]  # fmt: skip

        form = credit_note_form(tuple((one.position, _said(one)) for one in lines))
        page = ActionPage(
            "Credit lines of this statement", "Issue credit note", form,
            reverse("admin:wallets_statement_change", args=[pk]), perform, preview,
            warning="The statement stays as it was issued. What goes back stands on the next one, too.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, statement))

    def line_view(self, request: HttpRequest, pk: int, position: int) -> HttpResponse:
        """The events that a line of a statement adds up."""
        self._look(request)
        statement = _statement(pk)
        line = statement.lines.filter(position=position, section__in=USAGE).first()
        if line is None:
            raise Http404
        events = first_events(statement=statement, position=position, most=EVENTS_SHOWN)
        context = self.page_context(
            request,
            statement,
            title=f"{statement.public_number}, line {position}",
            statement=statement,
            line=line,
            events=events,
        )
        return TemplateResponse(request, "admin/statement_line_page.html", context)

    def events_csv(self, request: HttpRequest, pk: int) -> HttpResponseBase:
        """Every event behind a statement, or behind one line of it (`?line=3`), as it is read."""
        self._look(request)
        position = request.GET.get("line", "")
        return events_csv(_statement(pk), position=int(position[:9]) if position.isdecimal() else None)

    def _look(self, request: HttpRequest) -> None:
        if not request.user.has_perm("wallets.view_statement"):
            raise PermissionDenied

    def _issued(self, request: HttpRequest, pk: int) -> CreditNote:
        if not self.has_view_permission(request):
            raise PermissionDenied
        note = self._note(str(pk))
        if note.state != CreditNote.State.ISSUED:
            raise Http404
        return note

    def _note(self, object_id: str) -> CreditNote:
        found = CreditNote.objects.select_related("statement__wallet__account", "asked_by", "approval__decided_by")
        note = found.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if note is None:
            raise Http404
        return note

    @display(description="Credit note")
    def number_column(self, note: CreditNote) -> SafeString:
        """Its number, or its id while it waits."""
        return id_cell(str(note))

    @display(description="Account")
    def account_column(self, note: CreditNote) -> str:
        """Whose."""
        return note.statement.wallet.account.name

    @display(description="Corrects")
    def statement_column(self, note: CreditNote) -> str:
        """The statement."""
        return note.statement.public_number

    @display(description="Amount", ordering="amount")
    def amount_column(self, note: CreditNote) -> SafeString:
        """What goes back."""
        return line_cell(note.amount, note.currency)

    @display(description="State", ordering="state", label={"WAITING": "warning", "ISSUED": "success", "DECLINED": "danger"})
    def state_column(self, note: CreditNote) -> str:
        """Where it stands."""
        return note.state


def _statement(pk: int) -> Statement:
    found = Statement.objects.select_related("wallet__account").filter(pk=pk).first()
    if found is None:
        raise Http404
    return found


def _said(line: StatementLine) -> str:
    parts = [line.label, line.detail, f"{quantity_text(line.quantity or ZERO)} {line.unit}".strip()]
    return ", ".join(part for part in parts if part)


def _change_of(line: StatementLine, amount: Decimal, currency: str) -> Change:
    return Change(_said(line), -line.amount, -line.amount - amount, currency)


def _approved(approval: Approval, at: Any) -> str:
    note = issue_approved(approval=approval, at=at)
    return f"Approved: credit note {note.public_number} is issued."


def _dropped(approval: Approval, at: Any) -> None:
    drop_credit_note(approval=approval, at=at)


def _changes(approval: Approval) -> list[Change]:
    note = credit_note_of(approval)
    wallet = note.statement.wallet
    return [Change("Balance", wallet.balance, wallet.balance + note.amount, note.currency)]


def _page(approval: Approval) -> str | None:
    return reverse("admin:wallets_creditnote_change", args=[credit_note_of(approval).pk])


KINDS[KIND] = ApprovalKind("Credit note", _approved, _dropped, _changes, _page)
