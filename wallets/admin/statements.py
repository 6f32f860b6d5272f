"""Statements: every wallet's months, as the customers read them."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import Account
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.worklist import buttons_of
from wallets.balances.models import Wallet
from wallets.statements.document import days_of, read_document
from wallets.statements.files import csv_response, pdf_response
from wallets.statements.models import Statement

NUMBER_PARTS = 4


@admin.register(Statement)
class StatementAdmin(ReadOnlyAdmin):
    """Statements: found by their number or id, wallet id or account key."""

    list_display = ("number_column", "account_column", "period_column", "opening_column", "closing_column", "issued_at")
    list_select_related = ("wallet__account",)
    search_fields = ("public_id",)
    search_help_text = "Number, statement id, wallet id or account key"
    ordering = ("-id",)

    def get_urls(self) -> list[URLPattern]:
        """The document as PDF and as a table."""
        return [
            *self.action_urls(("<int:pk>.pdf", self.pdf, "pdf"), ("<int:pk>.csv", self.csv, "csv")),
            *super().get_urls(),
        ]

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Statement],
        search_term: str,
    ) -> tuple[QuerySet[Statement], bool]:
        """By what an index can find."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith("stm_"):
            return queryset.filter(public_id=term), False
        parts = term.rsplit("-", NUMBER_PARTS - 1)
        if len(parts) == NUMBER_PARTS and parts[1] == "ST" and parts[2].isdecimal() and parts[3].isdecimal():
            return queryset.filter(entity=parts[0].lower(), year=int(parts[2][:4]), number=int(parts[3][:9])), False
        wallets = Wallet.objects.filter(public_id=term).values_list("pk", flat=True)
        accounts = Account.objects.filter(key=term).values_list("pk", flat=True)
        of_accounts = Wallet.objects.filter(account_id__in=list(accounts)).values_list("pk", flat=True)
        return queryset.filter(wallet_id__in=[*wallets, *of_accounts]), False

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A statement, its lines and what they tie to."""
        statement = self._find(object_id)
        context = self.page_context(
            request,
            statement,
            statement=statement,
            doc=read_document(statement),
            credit_notes=list(statement.credit_notes.order_by("id")),  # type: ignore[attr-defined, unused-ignore]
            actions_detail=self._buttons(request, statement),
        )
        return TemplateResponse(request, "admin/statement_page.html", context)

    def _buttons(self, request: HttpRequest, statement: Statement) -> list[dict[str, Any]]:
        if not request.user.has_perm("wallets.add_creditnote"):
            return []
        return buttons_of([("Credit lines", "creditnote_credit", "undo", "primary")], statement.pk)

    def pdf(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The document."""
        return pdf_response(read_document(self._seen(request, pk)))

    def csv(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Its lines as a table."""
        return csv_response(read_document(self._seen(request, pk)))

    def _seen(self, request: HttpRequest, pk: int) -> Statement:
        if not self.has_view_permission(request):
            raise PermissionDenied
        return self._find(str(pk))

    def _find(self, object_id: str) -> Statement:
        found = Statement.objects.select_related("wallet__account", "previous", "following")
        statement = found.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if statement is None:
            raise Http404
        return statement

    @display(description="Statement")
    def number_column(self, statement: Statement) -> SafeString:
        """Its number."""
        return id_cell(statement.public_number)

    @display(description="Account")
    def account_column(self, statement: Statement) -> str:
        """Whose."""
        return statement.wallet.account.name

    @display(description="Period", ordering="period_start")
    def period_column(self, statement: Statement) -> str:
        """Its days, in its own zone."""
        first, last = days_of(statement)
        return f"{first:%-d %b} to {last:%-d %b %Y}"

    @display(description="Opening", ordering="opening_balance")
    def opening_column(self, statement: Statement) -> SafeString:
        """What was there."""
        return line_cell(statement.opening_balance, statement.currency)

    @display(description="Closing", ordering="closing_balance")
    def closing_column(self, statement: Statement) -> SafeString:
        """What is left."""
        return line_cell(statement.closing_balance, statement.currency)
