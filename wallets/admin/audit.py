"""The audit log: who changed what, when and why. Found, opened, taken along as CSV; changed by nobody."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any, Final

from django.apps import apps
from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.template.response import TemplateResponse
from django.urls import NoReverseMatch, URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.contrib.filters.admin import RangeDateTimeFilter
from unfold.decorators import display

from wallets.admin.cells import id_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.audit.models import AuditEvent
from wallets.audit.queries import COLUMNS, named, rows_of
from wallets.audit.rows import NAMES
from wallets.clock import now
from wallets.csv_cells import csv_lines, text_cell

WHO: Final = {
    "people": ("People", Q(user__isnull=False)),
    "keys": ("API keys", Q(actor__startswith="api:")),
    "jobs": ("Jobs", Q(actor__startswith="system:")),
}


class WhoFilter(admin.SimpleListFilter):
    """People, programs or jobs."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The choices."""
        return [(name, title) for name, (title, _) in WHO.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:  # noqa: ARG002
        """The events of the choice."""
        chosen = WHO.get(self.value() or "")
        return queryset.filter(chosen[1]) if chosen else queryset


@admin.register(AuditEvent)
class AuditEventAdmin(ReadOnlyAdmin):
    """Events: found by what they are about, whose it is, or who did it."""

    list_display = ("at", "who_column", "action", "subject_column", "account_column", "reason")
    list_display_links = ("at", "action")
    list_select_related = ("user", "account")
    list_filter = (WhoFilter, ("at", RangeDateTimeFilter))
    list_filter_submit = True
    search_fields = ("subject",)
    search_help_text = "Id of what was changed or how it begins, account key, e-mail address, API key"
    ordering = ("-at", "-id")

    def get_search_results(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        queryset: QuerySet[AuditEvent],
        search_term: str,
    ) -> tuple[QuerySet[AuditEvent], bool]:
        """By what an index can find."""
        return named(queryset, search_term), False

    @display(description="Who")
    def who_column(self, event: AuditEvent) -> str:
        """A person, a key, a job."""
        return event.who

    @display(description="Of")
    def subject_column(self, event: AuditEvent) -> SafeString | str:
        """What was changed."""
        return id_cell(event.subject) if event.subject else kind_title(event)

    @display(description="Account")
    def account_column(self, event: AuditEvent) -> str:
        """Whom it concerns."""
        return event.account.key if event.account else ""

    def get_urls(self) -> list[URLPattern]:
        """The file's address."""
        return [*self.action_urls(("events.csv", self.export_view, "export")), *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to take along what it shows."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            link = f"{reverse('admin:wallets_auditevent_export')}?{request.GET.urlencode()}"
            button = {"title": "Export CSV", "path": link, "icon": "download", "variant": "default", "attrs": {}}
            response.context_data["actions_list"] = [button]
        return response

    def export_view(self, request: HttpRequest) -> StreamingHttpResponse:
        """All the list would show, as CSV, a part at a time."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        events = self.get_changelist_instance(request).get_queryset(request).order_by("-at", "-id")
        name = f"audit-log-{now():%Y-%m-%d}.csv"
        headers = {"Content-Disposition": f'attachment; filename="{name}"', "Cache-Control": "private, no-store"}
        return StreamingHttpResponse(csv_lines(_rows(events)), content_type="text/csv; charset=utf-8", headers=headers)

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """One event: each field before and after, and what was asked for."""
        events = AuditEvent.objects.select_related("user", "account")
        event = events.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if event is None:
            raise Http404
        names = [*event.before, *(name for name in event.after if name not in event.before)]
        context = self.page_context(
            request,
            event,
            title=event.action,
            event=event,
            kind_title=kind_title(event),
            subject_page=page_of(event),
            changes=[(name, _text(event.before.get(name, "")), _text(event.after.get(name, ""))) for name in names],
            asked=[(name, _text(value)) for name, value in event.details.items() if name != "shown"],
            shown=event.details.get("shown", []),
        )
        return TemplateResponse(request, "admin/audit_event_page.html", context)


def kind_title(event: AuditEvent) -> str:
    """`Wallet` for wallets.wallet; the kind as it is when it is no model's."""
    try:
        return str(apps.get_model(event.subject_kind)._meta.verbose_name).capitalize()  # noqa: SLF001 - Django's own way to ask
    except (LookupError, ValueError):
        return event.subject_kind


def page_of(event: AuditEvent) -> str | None:
    """The address of what was changed, when it has a page. At most one query."""
    try:
        model = apps.get_model(event.subject_kind)
        fields = {field.name for field in model._meta.concrete_fields}  # noqa: SLF001 - as above
        name = next((one for one in NAMES if one in fields), "pk")
        if name == "pk" and not event.subject.isdecimal():
            return None
        pk = model._base_manager.filter(**{name: event.subject}).values_list("pk", flat=True).first()  # noqa: SLF001 - as above
        view = f"admin:{model._meta.app_label}_{model._meta.model_name}_change"  # noqa: SLF001 - as above
        return reverse(view, args=[pk]) if pk else None
    except (LookupError, ValueError, NoReverseMatch):
        return None


def _rows(events: QuerySet[AuditEvent]) -> Iterator[Iterable[str]]:
    yield COLUMNS
    for row in rows_of(events):
        yield [text_cell(_text(value)) for value in row]


def _text(value: Any) -> str:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False) if value else ""
    return "" if value is None else str(value)
