"""Webhook endpoints of customers and of the vendor: whether they take what they are sent."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from unfold.decorators import display

from notifications.alerts.resend import deliveries_of
from notifications.alerts.send_test import send_test
from notifications.channels.webhook.endpoints import disable_endpoint, enable_endpoint
from notifications.channels.webhook.models import WebhookEndpoint
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.worklist import deeds_on
from wallets.clock import now


@admin.register(WebhookEndpoint)
class WebhookEndpointAdmin(ReadOnlyAdmin):
    """Found by account key, address or id. The secret is shown nowhere."""

    list_display = ("url", "account_column", "kind", "state_column", "failing_since", "created_at")
    list_display_links = ("url",)
    list_select_related = ("account",)
    list_filter = ("state", "kind")
    search_fields = ("account__key__exact", "url__icontains", "public_id__exact")
    search_help_text = "Account key, part of the address, or id"
    ordering = ("-id",)

    @display(description="Account")
    def account_column(self, endpoint: WebhookEndpoint) -> str:
        """Whose."""
        return endpoint.account.key if endpoint.account else "the vendor's"

    @display(
        description="State", ordering="state",
        label={"active": "success", "failing": "warning", "disabled": "danger", "removed": None},
    )  # fmt: skip
    def state_column(self, endpoint: WebhookEndpoint) -> str:
        """Does it take what it is sent?"""
        return _state_of(endpoint)

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(("<int:pk>/switch/", self.switch_view, "switch"), ("<int:pk>/test/", self.test_view, "test"))
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The endpoint and the latest of its log."""
        endpoint = self._endpoint(object_id)
        active = endpoint.state == WebhookEndpoint.State.ACTIVE
        buttons = []
        if self.allows(request, "change") and endpoint.removed_at is None:
            if active:
                buttons.append(_button("Send a test", "test", "send", endpoint.pk, "default"))
            buttons.append(_button("Disable" if active else "Enable", "switch", "power_settings_new", endpoint.pk, "default"))
        context = self.page_context(
            request, endpoint, title=endpoint.url, endpoint=endpoint, state=_state_of(endpoint), deeds=deeds_on(endpoint),
            deliveries=list(deliveries_of(endpoint).order_by("-id")[:50]), actions_detail=buttons,
        )  # fmt: skip
        return TemplateResponse(request, "admin/webhook_endpoint_page.html", context)

    def switch_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Disable or enable it."""
        endpoint = self._changeable(request, pk)
        active = endpoint.state == WebhookEndpoint.State.ACTIVE
        verb = "Disable" if active else "Enable"

        def perform(answers: dict[str, Any]) -> str:
            if active:
                disable_endpoint(endpoint_id=pk, reason=f"by hand: {answers['reason']}", at=now())
            else:
                enable_endpoint(endpoint=endpoint)
            self.log_change(request, endpoint, f"{verb}d: {answers['reason']}")
            return f"It is {verb.lower()}d."

        page = ActionPage(
            f"{verb} webhook endpoint", verb, ReasonForm, self._page_of(pk), perform,
            lambda _: [Change("State", endpoint.state.lower(), "disabled" if active else "active")],
            warning="What happens while it is disabled is not sent by itself later." if active else "",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, endpoint))

    def test_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Send it a test."""
        endpoint = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            send_test(endpoint=endpoint, at=now())
            self.log_change(request, endpoint, f"Sent a test: {answers['reason']}")
            return "A test is on its way; its answer is in the log."

        page = ActionPage("Send a test", "Send a test", ReasonForm, self._page_of(pk), perform)
        return run_action_page(request, page, self.page_context(request, endpoint))

    def _changeable(self, request: HttpRequest, pk: int) -> WebhookEndpoint:
        endpoint = self._endpoint(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        if endpoint.removed_at is not None:
            raise Http404
        return endpoint

    def _endpoint(self, pk: int | str) -> WebhookEndpoint:
        endpoints = WebhookEndpoint.objects.select_related("account")
        endpoint = endpoints.filter(pk=pk).first() if str(pk).isdecimal() else None
        if endpoint is None:
            raise Http404
        return endpoint

    def _page_of(self, pk: int) -> str:
        return reverse("admin:notifications_webhookendpoint_change", args=[pk])


def _state_of(endpoint: WebhookEndpoint) -> str:
    if endpoint.removed_at is not None:
        return "removed"
    if endpoint.state != WebhookEndpoint.State.ACTIVE:
        return "disabled"
    return "failing" if endpoint.failing_since else "active"


def _button(title: str, name: str, icon: str, pk: int, variant: str) -> dict[str, Any]:
    link = reverse(f"admin:notifications_webhookendpoint_{name}", args=[pk])
    return {"title": title, "path": link, "icon": icon, "variant": variant, "attrs": {}}
