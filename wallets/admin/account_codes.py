"""What our ledger accounts are called in the vendor's own bookkeeping; kept by controllers."""

from __future__ import annotations

from django.contrib import admin

from wallets.admin.rules_page import RulesAdmin
from wallets.reports.models import AccountCode


@admin.register(AccountCode)
class AccountCodeAdmin(RulesAdmin):
    """A code for a kind of account, or for one of them."""

    list_display = ("kind", "qualifier", "code", "name", "cost_centre")
    list_filter = ("kind",)
    ordering = ("kind", "qualifier")
