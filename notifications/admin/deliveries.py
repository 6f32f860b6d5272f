"""Deliveries: what was told to whom, why, what was answered; sending again, and mails that may not have come."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from notifications.alerts.models import Delivery
from notifications.alerts.resend import ON_ITS_WAY, count_as_sent, resend_one
from notifications.channels.topics import TOPICS
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import id_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.worklist import WaitingFirstFilter, deeds_on
from wallets.clock import now

LABELS: Final = {
    "SENT": "success", "GATHERED": "success", "WAITING": "info", "SENDING": "info", "GATHERING": "info", "UNCERTAIN": "warning",
    "FAILED": "danger", "GIVEN_UP": "danger", "SUPPRESSED": None,
}  # fmt: skip


class StateFilter(WaitingFirstFilter):
    """Everything by default."""

    title = "state"
    parameter_name = "state"
    default = ("All", Q())
    others = {
        "uncertain": ("Uncertain: may have arrived", Q(state="UNCERTAIN")),
        "lost": ("Failed or given up", Q(state__in=["FAILED", "GIVEN_UP"])),
        "waiting": ("Waiting, held back, being sent", Q(state__in=["WAITING", "GATHERING", "SENDING"])),
        "sent": ("Sent", Q(state__in=["SENT", "GATHERED"])),
        "suppressed": ("Not sent on purpose", Q(state="SUPPRESSED")),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states."""
        return super().lookups(request, model_admin)[:-1]


@admin.register(Delivery)
class DeliveryAdmin(ReadOnlyAdmin):
    """Newest first; found by account key, address or id."""

    list_display = (
        "created_at",
        "topic_column",
        "account_column",
        "channel",
        "address",
        "state_column",
        "attempts",
        "answer_column",
    )
    list_display_links = ("created_at", "topic_column")
    list_select_related = ("alert__account",)
    list_filter = (StateFilter, "channel")
    search_fields = ("public_id__exact", "alert__public_id__exact", "alert__account__key__exact", "address__exact")
    search_help_text = "Account key, e-mail address, id of the delivery or of what it tells"
    ordering = ("-id",)

    @display(description="What", ordering="alert__topic")
    def topic_column(self, delivery: Delivery) -> str:
        """Its topic."""
        return delivery.alert.topic

    @display(description="Account")
    def account_column(self, delivery: Delivery) -> str:
        """Whom it is about."""
        return delivery.alert.account.key if delivery.alert.account else "finance"

    @display(description="State", ordering="state", label=LABELS)
    def state_column(self, delivery: Delivery) -> str:
        """Where it is."""
        return delivery.state

    @display(description="Answer")
    def answer_column(self, delivery: Delivery) -> SafeString | str:
        """What the other side said, or why it was not asked."""
        said = f"{delivery.answer_status or ''} {delivery.answer}".strip()
        return (delivery.reason or said)[:80]

    @display(description="Delivery")
    def id_column(self, delivery: Delivery) -> SafeString:
        """Its id."""
        return id_cell(delivery.public_id)

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(("<int:pk>/again/", self.again_view, "again"), ("<int:pk>/count/", self.count_view, "count"))
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What, to whom, why, and every attempt."""
        delivery = self._delivery(object_id)
        alert = delivery.alert
        buttons = []
        if self.allows(request, "change"):
            if delivery.state == Delivery.State.UNCERTAIN:
                buttons.append(_button("Count as sent", "count", "task_alt", delivery.pk, "default"))
            if delivery.state not in ON_ITS_WAY:
                buttons.append(_button("Send again", "again", "replay", delivery.pk, "primary"))
        context = self.page_context(
            request,
            delivery,
            title=TOPICS[alert.topic].says if alert.topic in TOPICS else alert.topic,
            delivery=delivery,
            alert=alert,
            facts=sorted(alert.facts.items()),
            tries=list(delivery.tries.order_by("-number")),
            others=list(alert.deliveries.exclude(pk=delivery.pk).order_by("id")[:50]),
            gathered=list(delivery.gathered.select_related("alert").order_by("id")[:200]),
            deeds=deeds_on(delivery),
            actions_detail=buttons,
        )
        return TemplateResponse(request, "admin/delivery_page.html", context)

    def again_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it again."""
        delivery = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            resend_one(delivery=delivery, at=now())
            self.log_change(request, delivery, f"Sent again: {answers['reason']}")
            return "It is sent again within a few seconds."

        mail = delivery.channel == Delivery.Channel.EMAIL
        warning = "A mail that arrived before may arrive twice." if mail else "It keeps its id: who stores ids has it once."
        page = ActionPage(
            "Send again", "Send again", ReasonForm, self._page_of(pk), perform,
            lambda _: [Change("State", delivery.state.lower(), "waiting")],
            warning=warning,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, delivery))

    def count_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Take it for sent."""
        delivery = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            count_as_sent(delivery=delivery, at=now())
            self.log_change(request, delivery, f"Counted as sent: {answers['reason']}")
            return "It counts as sent."

        page = ActionPage(
            "Count as sent", "Count as sent", ReasonForm, self._page_of(pk), perform,
            lambda _: [Change("State", delivery.state.lower(), "sent")],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, delivery))

    def _changeable(self, request: HttpRequest, pk: int) -> Delivery:
        delivery = self._delivery(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        return delivery

    def _delivery(self, pk: int | str) -> Delivery:
        related: QuerySet[Delivery] = Delivery.objects.select_related(
            "alert__account", "alert__wallet", "recipient", "endpoint", "gathered_in"
        )
        delivery = related.filter(pk=pk).first() if str(pk).isdecimal() else None
        if delivery is None:
            raise Http404
        return delivery

    def _page_of(self, pk: int) -> str:
        return reverse("admin:notifications_delivery_change", args=[pk])


def _button(title: str, name: str, icon: str, pk: int, variant: str) -> dict[str, Any]:
    link = reverse(f"admin:notifications_delivery_{name}", args=[pk])
    return {"title": title, "path": link, "icon": icon, "variant": variant, "attrs": {}}
