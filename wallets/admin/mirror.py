"""The mirror to the provider's billing: what was told, what waits and why, what was refused, and what differs."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.forms import Form
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.admin.action_page import ActionPage, Change, run_action_page
from wallets.admin.cells import id_cell, line_cell, link_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now
from wallets.mirror.models import MirrorDrift, MirrorItem
from wallets.mirror.send import send_again

MOST_AT_ONCE: Final = 500


def _quantity(amount: Any, unit: str, *, money: bool) -> SafeString | str:
    return line_cell(amount, unit) if money else f"{amount.normalize():,f} {unit}"


@admin.register(MirrorItem)
class MirrorItemAdmin(ReadOnlyAdmin):
    """Mirrored items: found by lot id, account key or the provider's id."""

    list_display = (
        "subject_column", "account_column", "kind", "amount_column", "state_column", "problem", "tries", "happened_at",
        "sent_at",
    )  # fmt: skip
    list_display_links = None
    list_select_related = ("account", "lot")
    list_filter = ("state", "kind")
    search_fields = ("account__key__exact", "lot__public_id__exact", "provider_id__exact")
    search_help_text = "Account key, lot id or the provider's id"
    ordering = ("-id",)
    actions = ("send_selected",)

    @display(description="Of")
    def subject_column(self, item: MirrorItem) -> SafeString:
        """The lot, or the key of usage."""
        if item.lot is None:
            return id_cell(item.key)
        return link_cell("wallets_creditlot", item.lot_id, id_cell(item.lot.public_id))

    @display(description="Account")
    def account_column(self, item: MirrorItem) -> str:
        """Whose."""
        return item.account.key

    @display(description="Amount")
    def amount_column(self, item: MirrorItem) -> SafeString | str:
        """Money, or units."""
        return _quantity(item.amount, item.unit, money=item.kind != MirrorItem.Kind.USAGE)

    @display(description="State", ordering="state", label={"WAITING": "info", "SENT": "success", "REFUSED": "danger"})
    def state_column(self, item: MirrorItem) -> str:
        """Where it stands."""
        return item.state

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("send/", self.send_view, "send")), *super().get_urls()]

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Sending again is for those who may."""
        return super().get_actions(request) if self.allows(request, "change") else {}

    @admin.action(description="Send refused items again")
    def send_selected(self, request: HttpRequest, queryset: QuerySet[MirrorItem]) -> HttpResponse:  # noqa: ARG002
        """Ask before sending."""
        refused = queryset.filter(state=MirrorItem.State.REFUSED).order_by("id")
        ids = ",".join(map(str, refused.values_list("pk", flat=True)[:MOST_AT_ONCE]))
        return HttpResponseRedirect(f"{reverse('admin:wallets_mirroritem_send')}?ids={ids}")

    def send_view(self, request: HttpRequest) -> HttpResponse:
        """Have refused items told once more."""
        if not self.allows(request, "change"):
            raise PermissionDenied
        asked = [int(part) for part in request.GET.get("ids", "").split(",") if part.isdecimal()][:MOST_AT_ONCE]
        refused = MirrorItem.objects.filter(pk__in=asked, state=MirrorItem.State.REFUSED).order_by("id")
        ids = list(refused.values_list("pk", flat=True))

        def perform(answers: dict[str, Any]) -> str:  # noqa: ARG001 - nothing is asked
            at = now()
            for pk in ids:
                send_again(pk=pk, at=at)
            return f"{len(ids):,} wait to be sent."

        def preview(answers: dict[str, Any]) -> list[Change]:  # noqa: ARG001 - nothing is asked
            return [Change("Items", f"{len(ids):,} refused", "waiting")]

        page = ActionPage(
            "Send again", "Send again", Form, reverse("admin:wallets_mirroritem_changelist"), perform, preview,
            warning="Mend what they were refused for first; each goes under its own key, so nothing is told twice.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))


@admin.register(MirrorDrift)
class MirrorDriftAdmin(ReadOnlyAdmin):
    """Differences of the last comparison: found by account key."""

    list_display = ("subject_column", "account_column", "what", "ours_column", "theirs_column", "found_at")
    list_display_links = None
    list_select_related = ("account",)
    list_filter = ("what",)
    search_fields = ("account__key__exact", "subject__exact")
    search_help_text = "Account key, lot, meter or grant"
    ordering = ("account_id", "what", "subject", "id")

    @display(description="Of")
    def subject_column(self, drift: MirrorDrift) -> SafeString:
        """Our lot or meter, or the provider's grant."""
        return id_cell(drift.subject)

    @display(description="Account")
    def account_column(self, drift: MirrorDrift) -> str:
        """Whose."""
        return drift.account.key

    @display(description="Ours")
    def ours_column(self, drift: MirrorDrift) -> SafeString | str:
        """By our books."""
        return _quantity(drift.ours, drift.unit, money=drift.subject != drift.unit)

    @display(description="Theirs")
    def theirs_column(self, drift: MirrorDrift) -> SafeString | str:
        """At the provider."""
        return _quantity(drift.theirs, drift.unit, money=drift.subject != drift.unit)
