"""Money in: top-ups with all that belongs to each, and their receipts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.contrib import admin
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.worklist import WaitingFirstFilter
from wallets.payments.event_models import PaymentException, ProviderEvent
from wallets.payments.models import Receipt, TopUp
from wallets.payments.states import IN_FLIGHT
from wallets.risk.models import HeldCredit, ReviewItem

COLOURS: Final = {
    "SUCCEEDED": "success",
    "FAILED": "danger",
    "DISPUTED": "danger",
    "REQUIRES_ACTION": "warning",
    "PROCESSING": "info",
    "CREATED": "info",
}
EVENTS_SHOWN: Final = 20


class StateFilter(WaitingFirstFilter):
    """Everything by default: the list is read as a day book."""

    title = "state"
    parameter_name = "state"
    default = ("All", Q())
    others = {
        "in_flight": ("In flight", Q(state__in=IN_FLIGHT)),
        "succeeded": ("Succeeded", Q(state="SUCCEEDED")),
        "failed": ("Failed or expired", Q(state__in=["FAILED", "EXPIRED"])),
        "back": ("Refunded or disputed", Q(state__in=["REFUNDED", "DISPUTED"])),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The groups of states."""
        return super().lookups(request, model_admin)[:-1]


@dataclass(frozen=True, slots=True)
class Step:
    """A moment of a top-up's life."""

    at: datetime
    what: str
    link: str = ""


@admin.register(TopUp)
class TopUpAdmin(ReadOnlyAdmin):
    """Top-ups: found by id, the provider's id, the wallet or the account key."""

    list_display = ("account_column", "id_column", "state_column", "total_column", "by_column", "origin", "created_at")
    list_display_links = ("account_column", "id_column")
    list_select_related = ("wallet__account", "method")
    list_filter = (StateFilter, "means", "origin")
    search_fields = ("public_id__exact", "payment_id__exact", "wallet__public_id__exact", "wallet__account__key__exact")
    search_help_text = "Top-up id, the provider's or the bank's id, wallet id, or account key"
    ordering = ("-id",)

    @display(description="Account")
    def account_column(self, top_up: TopUp) -> str:
        """Who pays."""
        return top_up.wallet.account.name

    @display(description="Top-up")
    def id_column(self, top_up: TopUp) -> SafeString:
        """Its public id."""
        return id_cell(top_up.public_id)

    @display(description="State", ordering="state", label=COLOURS)
    def state_column(self, top_up: TopUp) -> str:
        """Where the payment stands."""
        return top_up.state

    @display(description="Charged", ordering="total")
    def total_column(self, top_up: TopUp) -> SafeString:
        """Credit, tax and fee."""
        return line_cell(top_up.total, top_up.currency)

    @display(description="By")
    def by_column(self, top_up: TopUp) -> str:
        """The card, or the other way."""
        return top_up.method.label if top_up.method else str(top_up.get_means_display())

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The payment and all that became of it."""
        found = TopUp.objects.select_related("wallet__account", "method", "lot", "bonus_lot", "policy")
        top_up = found.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if top_up is None:
            raise Http404
        receipt = Receipt.objects.filter(top_up=top_up).first()
        events = list(
            ProviderEvent.objects.defer("body").filter(object_id=top_up.payment_id).order_by("-id")[:EVENTS_SHOWN]
            if top_up.payment_id
            else []
        )
        differences = list(PaymentException.objects.filter(top_up=top_up).order_by("-id"))
        held = HeldCredit.objects.select_related("hold").filter(top_up=top_up.public_id).first()
        reviews = list(ReviewItem.objects.filter(top_up=top_up.public_id).order_by("-id"))
        context = self.page_context(
            request,
            top_up,
            top_up=top_up,
            receipt=receipt,
            held=held,
            actions_detail=_buttons(request, top_up),
            steps=steps_of(top_up, receipt=receipt, events=events, differences=differences, reviews=reviews),
        )
        return TemplateResponse(request, "admin/top_up_page.html", context)


@admin.register(Receipt)
class ReceiptAdmin(ReadOnlyAdmin):
    """Receipts: found by number, top-up or account key."""

    list_display = ("number_column", "account_column", "total_column", "paid_with", "issued_at")
    list_display_links = ("number_column", "account_column")
    list_select_related = ("top_up__wallet__account",)
    list_filter = ("issued_at",)
    search_fields = ("number", "top_up__public_id__exact", "top_up__wallet__account__key__exact")
    search_help_text = "Number, top-up id or account key"
    ordering = ("-id",)

    @display(description="Receipt", ordering="number")
    def number_column(self, receipt: Receipt) -> SafeString:
        """Its number."""
        return id_cell(receipt.public_number)

    @display(description="Account")
    def account_column(self, receipt: Receipt) -> str:
        """Who paid."""
        return receipt.top_up.wallet.account.name

    @display(description="Paid")
    def total_column(self, receipt: Receipt) -> SafeString:
        """With tax and fee."""
        return line_cell(receipt.top_up.total, receipt.top_up.currency)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> tuple[Any, bool]:
        """MAIN-2026-000017 is looked up by its last part."""
        last = search_term.strip().rpartition("-")[2]
        if last.isascii() and last.isdecimal() and len(last) < 10:  # noqa: PLR2004 - fits the column
            return queryset.filter(number=int(last)), False
        narrowed: tuple[Any, bool] = super().get_search_results(request, queryset.filter(), search_term)
        return narrowed

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The document, as it was issued."""
        found = Receipt.objects.select_related("top_up__wallet__account")
        receipt = found.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if receipt is None:
            raise Http404
        context = self.page_context(request, receipt, receipt=receipt, top_up=receipt.top_up)
        return TemplateResponse(request, "admin/receipt_page.html", context)


def steps_of(
    top_up: TopUp,
    *,
    receipt: Receipt | None,
    events: list[ProviderEvent],
    differences: list[PaymentException],
    reviews: list[ReviewItem],
) -> list[Step]:
    """Everything that happened about a top-up, the latest first."""
    steps = [Step(top_up.created_at, f"made by {top_up.actor or top_up.origin}")]
    if top_up.state != "CREATED":
        words = top_up.state.lower().replace("_", " ")
        steps.append(Step(top_up.moved_at, f"{words}: {top_up.failure}" if top_up.failure else words))
    if top_up.settled_at and top_up.lot:
        steps.append(Step(top_up.settled_at, "credit granted", _address("creditlot", top_up.lot.pk)))
    if receipt:
        steps.append(Step(receipt.issued_at, f"receipt {receipt.public_number}", _address("receipt", receipt.pk)))
    steps += [
        Step(one.received_at, f"webhook {one.kind}: {one.what or one.state.lower()}", _address("providerevent", one.pk))
        for one in events
    ]
    for one in differences:
        steps.append(Step(one.opened_at, f"difference: {one.get_kind_display()}", _address("paymentexception", one.pk)))
    steps += [Step(one.last_at, f"review: {one.rule}", _address("reviewitem", one.pk)) for one in reviews]
    return sorted(steps, key=lambda step: step.at, reverse=True)


def _buttons(request: HttpRequest, top_up: TopUp) -> list[dict[str, Any]]:
    """What may be done about a top-up that was paid."""
    if top_up.state != "SUCCEEDED" or not request.user.has_perm("wallets.add_refund"):
        return []
    address = reverse("admin:wallets_refund_make", args=[top_up.pk])
    return [{"title": "Refund", "path": address, "icon": "undo", "variant": "default", "attrs": {}}]


def _address(name: str, pk: int) -> str:
    return reverse(f"admin:wallets_{name}_change", args=[pk])
