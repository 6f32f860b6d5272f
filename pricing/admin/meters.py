"""Meters: what is counted, of which events, by which dimensions."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, reverse
from unfold.decorators import display

from pricing.meters.define import archive_meter
from pricing.meters.models import Meter
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now

MEASURED: Final[dict[str, str]] = {
    "sum": "sum of",
    "max": "highest",
    "unique": "different values of",
    "latest": "latest",
}


@admin.register(Meter)
class MeterAdmin(ReadOnlyAdmin):
    """Meters: found by code, name or event type."""

    list_display = (
        "code", "name", "event_type", "measures_column", "dimensions_column", "status_column",
    )  # fmt: skip
    list_filter = ("aggregation",)
    search_fields = ("code__icontains", "name__icontains", "event_type__exact")
    search_help_text = "Code, name or event type"
    ordering = ("code",)
    paginator = Paginator
    show_full_result_count = True
    actions_detail = ()
    fields = (
        "code", "name", "event_type", "measures_column", "unit", "filters", "dimensions", "created_at", "archived_at",
    )  # fmt: skip
    readonly_fields = ("measures_column",)

    @display(description="Measures")
    def measures_column(self, meter: Meter) -> str:
        """What one event adds."""
        if meter.aggregation == Meter.Aggregation.COUNT:
            return "one per event"
        return f"{MEASURED[meter.aggregation]} {meter.expression or meter.property}"

    @display(description="Reported by")
    def dimensions_column(self, meter: Meter) -> str:
        """Its dimensions."""
        return ", ".join(meter.dimensions)

    @display(description="Status", ordering="archived_at", label={"active": "success", "archived": None})
    def status_column(self, meter: Meter) -> str:
        """Does it still measure?"""
        return "archived" if meter.archived_at else "active"

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("<int:pk>/archive/", self.archive_view, "archive")), *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """One meter, with the way to archive it."""
        response = super().change_view(request, object_id, form_url, extra_context)
        context = getattr(response, "context_data", None)
        meter = context.get("original") if context else None
        if context is not None and meter is not None and meter.archived_at is None and self.allows(request, "change"):
            link = reverse("admin:pricing_meter_archive", args=[meter.pk])
            context["actions_detail"] = [
                {"title": "Archive", "path": link, "icon": "archive", "variant": "default", "attrs": {}}
            ]
        return response

    def archive_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop measuring new events."""
        meter = Meter.objects.filter(pk=pk).first()
        if meter is None or not self.allows(request, "change"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            archive_meter(meter=meter, at=now())
            self.log_change(request, meter, f"Archived: {answers['reason']}")
            return f"Meter {meter.code} is archived."

        page = ActionPage(
            f"Archive meter {meter.code}", "Archive meter", ReasonForm, reverse("admin:pricing_meter_change", args=[pk]),
            perform, lambda _: [Change("Status", "active", "archived")],
            warning="New events are no longer measured by it. What was charged stays.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, meter))
