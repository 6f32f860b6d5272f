"""What the provider told, and what does not add up: worklists with an owner, a note and a reason for every end."""

from __future__ import annotations

import json
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from django.utils.timesince import timesince
from unfold.decorators import display

from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.worklist import WaitingFirstFilter, buttons_of, deeds_on
from wallets.clock import now
from wallets.payments.event_models import PaymentException, ProviderEvent
from wallets.payments.exceptions import close_exception, take_exception
from wallets.payments.handle_again import handle_again

LONGEST_BODY: Final = 20_000


class EventFilter(WaitingFirstFilter):
    """Everything by default; what failed is one click away."""

    title = "state"
    parameter_name = "state"
    default = ("All", Q())
    others = {
        "waiting": ("Waiting or failed", Q(state__in=["RECEIVED", "FAILED"])),
        "failed": ("Failed", Q(state="FAILED")),
        "done": ("Done", Q(state="DONE")),
        "ignored": ("Ignored", Q(state="IGNORED")),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states."""
        return super().lookups(request, model_admin)[:-1]


@admin.register(ProviderEvent)
class ProviderEventAdmin(ReadOnlyAdmin):
    """What the provider told, as it came."""

    list_display = ("kind", "id_column", "state_column", "what", "tries", "received_at")
    list_display_links = ("kind", "id_column")
    list_filter = (EventFilter,)
    search_fields = ("provider_id__exact", "object_id__exact", "kind__exact")
    search_help_text = "Id of the event or of what it is about, or its type"
    ordering = ("-id",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[ProviderEvent]:
        """Without the bodies."""
        return super().get_queryset(request).defer("body")

    @display(description="Event")
    def id_column(self, event: ProviderEvent) -> SafeString:
        """The provider's id."""
        return id_cell(event.provider_id)

    @display(
        description="State", ordering="state",
        label={"DONE": "success", "FAILED": "danger", "RECEIVED": "warning", "IGNORED": None},
    )  # fmt: skip
    def state_column(self, event: ProviderEvent) -> str:
        """Was it handled?"""
        return event.state

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("<int:pk>/again/", self.again_view, "again")), *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What was told, what was done about it."""
        event = self._event(object_id)
        may = self.allows(request, "change") and event.state != "RECEIVED"
        context = self.page_context(
            request,
            event,
            title=event.kind,
            event=event,
            body=readable(bytes(event.body)),
            deeds=deeds_on(event),
            actions_detail=buttons_of([("Handle again", "providerevent_again", "replay", "default")] if may else [], event.pk),
        )
        return TemplateResponse(request, "admin/provider_event_page.html", context)

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Handle a webhook again."""
        event = self._event(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            handle_again(pk=event.pk, at=now())
            self.log_change(request, event, f"To be handled again: {answers['reason']}")
            return "It is handled again within a few seconds."

        page = ActionPage(
            "Handle webhook again", "Handle again", ReasonForm, reverse("admin:wallets_providerevent_change", args=[pk]),
            perform,
            lambda _: [Change("State", event.state.lower(), "received")],
            warning="The provider is asked how things stand now. Credit that was granted is not granted again.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, event))

    def _event(self, pk: int | str) -> ProviderEvent:
        event = ProviderEvent.objects.filter(pk=pk).first() if str(pk).isdecimal() else None
        if event is None:
            raise Http404
        return event


class OpenFilter(WaitingFirstFilter):
    """Open ones by default."""

    title = "state"
    parameter_name = "state"
    default = ("Open", Q(closed_at__isnull=True))
    others = {
        "unowned": ("Open, nobody's yet", Q(closed_at__isnull=True, owner__isnull=True)),
        "closed": ("Resolved", Q(closed_at__isnull=False)),
    }


@admin.register(PaymentException)
class PaymentExceptionAdmin(ReadOnlyAdmin):
    """Differences between the provider and the books; a person resolves each."""

    list_display = ("kind", "id_column", "expected_column", "found_column", "age_column", "owner_column", "opened_at")
    list_display_links = ("kind", "id_column")
    list_select_related = ("owner",)
    list_filter = (OpenFilter, "kind")
    search_fields = ("reference__exact", "top_up__public_id__exact", "top_up__wallet__account__key__exact")
    search_help_text = "The provider's id, top-up id or account key"
    ordering = ("opened_at", "id")

    @display(description="About")
    def id_column(self, one: PaymentException) -> SafeString:
        """The provider's id."""
        return id_cell(one.reference)

    @display(description="By our books", ordering="expected")
    def expected_column(self, one: PaymentException) -> SafeString:
        """What our books say."""
        return line_cell(one.expected, one.currency)

    @display(description="At the provider", ordering="found")
    def found_column(self, one: PaymentException) -> SafeString:
        """What the provider says."""
        return line_cell(one.found, one.currency)

    @display(description="Age", ordering="opened_at")
    def age_column(self, one: PaymentException) -> str:
        """How long it has been open, or was."""
        return timesince(one.opened_at, one.closed_at or now(), depth=1)

    @display(description="Owner", ordering="owner")
    def owner_column(self, one: PaymentException) -> str:
        """Who looks at it."""
        return one.owner.email if one.owner else "nobody yet"

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("<int:pk>/take/", self.take_view, "take"),
            ("<int:pk>/resolve/", self.resolve_view, "resolve"),
        )
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What differs, and who did what about it."""
        one = self._difference(object_id)
        buttons = []
        if one.closed_at is None and self.allows(request, "change"):
            buttons = [
                *([] if one.owner_id == request.user.pk else [("Take", "paymentexception_take", "person_check", "default")]),
                ("Resolve", "paymentexception_resolve", "task_alt", "primary"),
            ]
        context = self.page_context(
            request, one, title=str(one.get_kind_display()), one=one, difference=one.found - one.expected, deeds=deeds_on(one),
            actions_detail=buttons_of(buttons, one.pk),
        )  # fmt: skip
        return TemplateResponse(request, "admin/difference_page.html", context)

    def take_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It is mine to look at."""
        one = self._changeable(request, pk)
        before = one.owner.email if one.owner else "nobody yet"

        def perform(answers: dict[str, Any]) -> str:
            take_exception(pk=pk, by=request.user)  # type: ignore[arg-type]
            self.log_change(request, one, f"Taken: {answers['reason']}")
            return "It is yours."

        page = ActionPage(
            "Take difference", "Take", ReasonForm, _page_of(one), perform,
            lambda _: [Change("Owner", before, request.user.get_username())],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, one))

    def resolve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Say what was done about it."""
        one = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            close_exception(pk=pk, note=answers["reason"], actor=request.user.get_username(), at=now())
            self.log_change(request, one, f"Resolved: {answers['reason']}")
            return "The difference is resolved."

        page = ActionPage(
            "Resolve difference", "Resolve", ReasonForm, _page_of(one), perform,
            lambda _: [
                Change("By our books, and at the provider", one.expected, one.found, one.currency),
                Change("State", "open", "resolved"),
            ],
            warning="Resolving moves no money. Adjust the balance or refund the payment first, and say which.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, one))

    def _difference(self, pk: int | str) -> PaymentException:
        found = PaymentException.objects.select_related("owner", "top_up__wallet__account")
        one = found.filter(pk=pk).first() if str(pk).isdecimal() else None
        if one is None:
            raise Http404
        return one

    def _changeable(self, request: HttpRequest, pk: int) -> PaymentException:
        one = self._difference(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        return one


def readable(body: bytes) -> str:
    """A webhook's body, indented if it is JSON; the beginning of a long one."""
    try:
        text = json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except ValueError:
        text = body.decode("utf-8", "replace")
    return text if len(text) <= LONGEST_BODY else f"{text[:LONGEST_BODY]}…"


def _page_of(one: PaymentException) -> str:
    return reverse("admin:wallets_paymentexception_change", args=[one.pk])
