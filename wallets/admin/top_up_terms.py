"""On what terms customers top up: limits, suggestions, fee and bonus by currency; tax by country; the refund policy. Rates and
policies are never changed: a new one takes effect from a time."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from unfold.admin import TabularInline
from unfold.decorators import display

from wallets.admin.rules_page import RulesAdmin
from wallets.money import plain
from wallets.payments.offer_models import BonusSlab, RefundPolicy, TaxRate, TopUpTerms

if TYPE_CHECKING:
    from django.contrib.admin import TabularInline as DjangoTabularInline

    _Inline = DjangoTabularInline[Any, Any]
else:
    _Inline = TabularInline


class AddedOnly(RulesAdmin):
    """Rows that are added and then stay."""

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """What customers agreed to stays."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Neither does it go."""
        return False


class BonusInline(_Inline):
    """What is given on top."""

    model = BonusSlab
    extra = 1


@admin.register(TopUpTerms)
class TopUpTermsAdmin(RulesAdmin):
    """One row a currency; a currency without one has the terms that docs/payments.md names."""

    list_display = ("currency", "limits_column", "fee_column", "bonus_column")
    inlines = (BonusInline,)
    ordering = ("currency",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TopUpTerms]:
        """With their bonuses."""
        return super().get_queryset(request).prefetch_related("slabs")

    @display(description="From and to")
    def limits_column(self, terms: TopUpTerms) -> str:
        """The least and the most."""
        return f"{plain(terms.minimum)} to {plain(terms.maximum)}"

    @display(description="Fee")
    def fee_column(self, terms: TopUpTerms) -> str:
        """Added to the charge; none is absorbed."""
        if not terms.fee_percent and not terms.fee_fixed:
            return "none"
        return f"{terms.fee_percent.normalize():f} % + {plain(terms.fee_fixed)}"

    @display(description="Bonus")
    def bonus_column(self, terms: TopUpTerms) -> str:
        """Percent from an amount on."""
        slabs = sorted((slab.from_amount, slab.percent) for slab in terms.slabs.all())
        return ", ".join(f"{percent.normalize():f} % from {plain(least)}" for least, percent in slabs) or "none"


@admin.register(TaxRate)
class TaxRateAdmin(AddedOnly):
    """Flat rates by country."""

    list_display = ("country", "name", "percent_column", "effective_at")
    ordering = ("country", "-effective_at", "id")

    @display(description="Percent", ordering="percent")
    def percent_column(self, rate: TaxRate) -> str:
        """Of credit and fee."""
        return f"{rate.percent.normalize():f} %"


@admin.register(RefundPolicy)
class RefundPolicyAdmin(AddedOnly):
    """Versions of what customers accept when they pay."""

    list_display = ("version", "sentence", "effective_at")
    ordering = ("-version",)
