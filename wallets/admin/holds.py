"""Holds across all wallets: what is set aside, what it cost in the end, what lapsed unused."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import Account
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.holds.find import as_read
from wallets.holds.models import Hold


@admin.register(Hold)
class HoldAdmin(ReadOnlyAdmin):
    """Holds: found by hold id, wallet id or account key."""

    list_display = (
        "id_column", "account_column", "subject", "state_column", "amount_column", "captured_column", "placed_at", "expires_at",
    )  # fmt: skip
    list_select_related = ("wallet__account",)
    list_filter = ("state",)
    search_fields = ("public_id",)
    search_help_text = "Hold id, wallet id or account key"
    ordering = ("-id",)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[Hold],
        search_term: str,
    ) -> tuple[QuerySet[Hold], bool]:
        """By what an index can find."""
        term = search_term.strip()
        if not term:
            return queryset, False
        if term.startswith("hold_"):
            return queryset.filter(public_id=term), False
        wallets = Wallet.objects.filter(public_id=term).values_list("pk", flat=True)
        accounts = Account.objects.filter(key=term).values_list("pk", flat=True)
        of_accounts = Wallet.objects.filter(account_id__in=list(accounts)).values_list("pk", flat=True)
        return queryset.filter(wallet_id__in=[*wallets, *of_accounts]), False

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A hold: what it set aside, what became of it."""
        holds = Hold.objects.select_related("wallet__account").filter(pk=object_id) if str(object_id).isdecimal() else None
        hold = holds.first() if holds is not None else None
        if hold is None:
            raise Http404
        as_read([hold], at=now())
        return TemplateResponse(request, "admin/hold_page.html", self.page_context(request, hold, hold=hold))

    @display(description="Hold")
    def id_column(self, hold: Hold) -> SafeString:
        """Its public id."""
        return id_cell(hold.public_id)

    @display(description="Account")
    def account_column(self, hold: Hold) -> str:
        """Whose credit."""
        return hold.wallet.account.name

    @display(
        description="State",
        ordering="state",
        label={"OPEN": "info", "CAPTURED": "success", "RELEASED": None, "LAPSED": "warning"},
    )
    def state_column(self, hold: Hold) -> str:
        """As it is now, written down or not."""
        return as_read([hold], at=now())[0].state

    @display(description="Set aside", ordering="amount")
    def amount_column(self, hold: Hold) -> SafeString:
        """For the present slice, of a hold of units."""
        return line_cell(hold.amount, hold.wallet.currency)

    @display(description="Charged", ordering="captured")
    def captured_column(self, hold: Hold) -> SafeString:
        """What the work cost the wallet."""
        return line_cell(hold.captured, hold.wallet.currency)
