"""Hourly roll-ups, to look at: what reports and charts are added up from."""

from __future__ import annotations

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from unfold.decorators import display

from metering.usage.models import HourlyUsage
from wallets.accounts.models import Account
from wallets.admin.cells import line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.amount_text import quantity_text


@admin.register(HourlyUsage)
class HourlyUsageAdmin(ReadOnlyAdmin):
    """Hours: found by account key."""

    list_display = (
        "hour", "account_column", "meter", "dimensions_column", "events", "quantity_column", "amount_column", "cost_column",
    )  # fmt: skip
    list_display_links = None
    list_select_related = ("account", "meter")
    search_fields = ("account__key",)
    search_help_text = "Account key"
    sortable_by = ()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Latest hours of one account; of all, the roll-ups begun last."""
        return ("-hour", "-id") if request.GET.get("q") else ("-id",)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[HourlyUsage],
        search_term: str,
    ) -> tuple[QuerySet[HourlyUsage], bool]:
        """The hours of one account."""
        term = search_term.strip()
        if not term:
            return queryset, False
        account = Account.objects.filter(key=term).first()
        if account is None:
            return queryset.none(), False
        return queryset.filter(bucket=account.bucket, account=account), False

    @display(description="Account")
    def account_column(self, usage: HourlyUsage) -> str:
        """Who used it."""
        return usage.account.key

    @display(description="By")
    def dimensions_column(self, usage: HourlyUsage) -> str:
        """The meter's dimensions."""
        return " · ".join(str(value) for _, value in sorted(usage.dimensions.items()))

    @display(description="Quantity")
    def quantity_column(self, usage: HourlyUsage) -> str:
        """In the meter's unit."""
        return quantity_text(usage.quantity)

    @display(description="Charged")
    def amount_column(self, usage: HourlyUsage) -> SafeString:
        """What the customer paid."""
        return line_cell(usage.amount, usage.currency)

    @display(description="Cost")
    def cost_column(self, usage: HourlyUsage) -> SafeString:
        """What it cost us."""
        return line_cell(usage.cost, usage.currency)
