"""Credit lots across all wallets: what expires next, what was granted."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import Account
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.amount_text import places_of, quantity_text
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.credit.models import CreditLot
from wallets.ledger.history import LotLine, history_of_lot

ENTRIES_SHOWN = 50
State = CreditLot.State


class ExpiresFilter(admin.SimpleListFilter):
    """Open lots by when they expire."""

    title = "expires"
    parameter_name = "expires"
    DAYS = {"7": "Within 7 days", "30": "Within 30 days"}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The choices."""
        return list(self.DAYS.items())

    def queryset(self, request: HttpRequest, queryset: QuerySet[CreditLot]) -> QuerySet[CreditLot]:  # noqa: ARG002
        """Open lots that expire by then."""
        value = self.value()
        if value not in self.DAYS:
            return queryset
        return queryset.filter(state=State.OPEN, expires_at__lte=now() + timedelta(days=int(value)))


@admin.register(CreditLot)
class CreditLotAdmin(ReadOnlyAdmin):
    """Lots: found by lot id, wallet id or account key."""

    list_display = (
        "id_column", "account_column", "kind", "state_column", "remaining_column", "amount_column", "expires_at", "created_at",
    )  # fmt: skip
    list_select_related = ("wallet__account",)
    list_filter = ("state", "kind", ExpiresFilter)
    search_fields = ("public_id",)
    search_help_text = "Lot id, wallet id or account key"
    ordering = ("-id",)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[CreditLot],
        search_term: str,
    ) -> tuple[QuerySet[CreditLot], bool]:
        """By what an index can find."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith("lot_"):
            return queryset.filter(public_id=term), False
        wallets = Wallet.objects.filter(public_id=term).values_list("pk", flat=True)
        accounts = Account.objects.filter(key=term).values_list("pk", flat=True)
        of_accounts = Wallet.objects.filter(account_id__in=list(accounts)).values_list("pk", flat=True)
        return queryset.filter(wallet_id__in=[*wallets, *of_accounts]), False

    @display(description="Lot")
    def id_column(self, lot: CreditLot) -> SafeString:
        """Its public id."""
        return id_cell(lot.public_id)

    @display(description="Account")
    def account_column(self, lot: CreditLot) -> str:
        """Whose credit."""
        return lot.wallet.account.name

    @display(
        description="State",
        ordering="state",
        label={"OPEN": "success", "SCHEDULED": "info", "EXHAUSTED": None, "EXPIRED": "warning", "VOIDED": "danger"},
    )
    def state_column(self, lot: CreditLot) -> str:
        """Can it be drawn?"""
        return lot.state

    @display(description="Left", ordering="remaining")
    def remaining_column(self, lot: CreditLot) -> SafeString:
        """What it still holds."""
        return _held(lot, lot.remaining)

    @display(description="Granted", ordering="amount")
    def amount_column(self, lot: CreditLot) -> SafeString:
        """What it held at first."""
        return _held(lot, lot.amount)

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A lot: its terms, and each entry that drew from it or gave back to it."""
        lots = CreditLot.objects.select_related("wallet__account")
        lot = lots.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if lot is None:
            raise Http404
        lines: list[LotLine] = history_of_lot(lot_pk=lot.pk, limit=ENTRIES_SHOWN)
        context = self.page_context(
            request,
            lot,
            lot=lot,
            left=lot.remaining * 100 / lot.amount,
            lines=lines,
            places=places_of((line.change for line in lines), lot.wallet.currency),
            may_void=lot.state in (State.OPEN, State.SCHEDULED) and self.allows(request, "change"),
        )
        return TemplateResponse(request, "admin/lot_page.html", context)


def _held(lot: CreditLot, amount: Decimal) -> SafeString:
    """Money, or an allowance's units."""
    if lot.unit_meter:
        return format_html("{} <small>{}</small>", quantity_text(amount), lot.unit_meter)
    return line_cell(amount, lot.wallet.currency)
