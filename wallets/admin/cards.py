"""Saved cards: what may be shown of them, and who else has the same."""

from __future__ import annotations

from typing import Final

from django.contrib import admin
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.admin.cells import id_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.worklist import WaitingFirstFilter
from wallets.payments.models import PaymentMethod, TopUp

SHOWN: Final = 20


class RemovedFilter(WaitingFirstFilter):
    """Cards in use by default."""

    title = "use"
    parameter_name = "use"
    default = ("In use", Q(removed_at__isnull=True))
    others = {"removed": ("Removed", Q(removed_at__isnull=False))}


@admin.register(PaymentMethod)
class PaymentMethodAdmin(ReadOnlyAdmin):
    """Cards: found by id, the provider's id, fingerprint, last four digits or account key."""

    list_display = ("account_column", "label", "expires", "part_column", "id_column", "created_at")
    list_display_links = ("account_column", "label")
    list_select_related = ("account",)
    list_filter = (RemovedFilter,)
    search_fields = (
        "public_id__exact", "provider_id__exact", "fingerprint__exact", "last_four__exact", "account__key__exact",
    )  # fmt: skip
    search_help_text = "Card id, the provider's id, fingerprint, last four digits or account key"
    ordering = ("-id",)

    @display(description="Account")
    def account_column(self, card: PaymentMethod) -> str:
        """Whose it is."""
        return card.account.name

    @display(description="Card")
    def id_column(self, card: PaymentMethod) -> SafeString:
        """Its public id."""
        return id_cell(card.public_id)

    @display(description="Part", label={"default": "success", "backup": "info", "removed": None})
    def part_column(self, card: PaymentMethod) -> str:
        """What it is charged for."""
        if card.removed_at:
            return "removed"
        return "default" if card.is_default else "backup" if card.is_backup else ""

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The card, the accounts that saved the same one, and what was charged to it."""
        found = PaymentMethod.objects.select_related("account")
        card = found.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if card is None:
            raise Http404
        same = PaymentMethod.objects.select_related("account").filter(fingerprint=card.fingerprint).exclude(pk=card.pk)
        context = self.page_context(
            request,
            card,
            card=card,
            part=self.part_column(card),
            same=list(same.order_by("-id")[:SHOWN]) if card.fingerprint else [],
            top_ups=list(TopUp.objects.filter(method=card).order_by("-id")[:SHOWN]),
        )
        return TemplateResponse(request, "admin/card_page.html", context)
