"""Usage events, and the page that explains one: event, quantities, price version, tiers, lots, journal entry (I6)."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.db.models import F, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from metering.usage.explain import explain_event
from metering.usage.explanation_text import explanation_text
from metering.usage.models import UsageEvent
from metering.usage.queries import EventSpend, spend_of_events
from wallets.accounts.models import Account
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.amount_text import quantity_text
from wallets.errors import NotFound

MOST_DIGITS_OF_AN_ID: Final = 18


@admin.register(UsageEvent)
class UsageEventAdmin(ReadOnlyAdmin):
    """Events: found by event id or account key. Each opens its explanation."""

    list_display = (
        "time", "account_column", "what_column", "quantities_column", "id_column", "amount_column",
    )  # fmt: skip
    list_display_links = ("id_column", "what_column")
    list_select_related = ("account",)
    search_fields = ("event_id",)
    search_help_text = "Event id or account key"
    sortable_by = ()

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Latest first: of one account by its index on time, of all by row id."""
        return ("-time", "-id") if request.GET.get("q") else ("-id",)

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[UsageEvent],
        search_term: str,
    ) -> tuple[QuerySet[UsageEvent], bool]:
        """An account's events, or the events of an id: both through an index."""
        term = search_term.strip()
        if not term:
            return queryset, False
        account = Account.objects.filter(key=term).first()
        if account is not None:
            return queryset.filter(account=account), False
        # One probe an account into event_once_per_account; the id alone has no index.
        return queryset.filter(account__bucket=F("bucket"), event_id=term), False

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list; what its events cost is read at once for the whole page."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            listed = response.context_data["cl"]
            listed.result_list = list(listed.result_list)
            spend = {one.pk: one for one in spend_of_events(listed.result_list)}
            for event in listed.result_list:
                event.spend = spend[event.pk]
        return response

    @display(description="Event")
    def id_column(self, event: UsageEvent) -> SafeString:
        """The sender's id."""
        return id_cell(event.event_id)

    @display(description="Account")
    def account_column(self, event: UsageEvent) -> str:
        """Who used it."""
        return event.account.key

    @display(description="Quantities")
    def quantities_column(self, event: UsageEvent) -> SafeString:
        """What its meters counted."""
        meters = _spend(event).meters
        texts = [f"{quantity_text(one.quantity)} {one.name.lower()}" for one in meters]
        parts = [f"{text}," for text in texts[:-1]] + texts[-1:]
        return format_html_join(" ", '<span class="nowrap">{}</span>', ((part,) for part in parts))

    @display(description="What")
    def what_column(self, event: UsageEvent) -> str:
        """Its type, and the values that chose its price."""
        return " · ".join((event.type, *_spend(event).matched))

    @display(description="Charged")
    def amount_column(self, event: UsageEvent) -> SafeString | str:
        """What it costs now."""
        spend = _spend(event)
        if spend.voided:
            return "voided"
        return line_cell(spend.amount, spend.currency) if spend.currency else "not charged"

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The explanation of an event."""
        if not str(object_id).isdecimal() or len(str(object_id)) > MOST_DIGITS_OF_AN_ID:
            raise Http404
        try:
            explanation = explain_event(event_pk=int(object_id))
        except NotFound as refusal:
            raise Http404(refusal.message) from refusal
        shown = UsageEvent(pk=explanation.pk, event_id=explanation.event_id)
        context = self.page_context(request, shown, explanation=explanation, as_text=explanation_text(explanation))
        return TemplateResponse(request, "admin/explain_page.html", context)


def _spend(event: UsageEvent) -> EventSpend:
    """What `changelist_view` has read for this row."""
    spend: EventSpend = event.spend  # type: ignore[attr-defined]
    return spend
