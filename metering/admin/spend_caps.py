"""Spend caps, set and removed with a reason."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.forms import CharField, ChoiceField, DecimalField
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminDecimalFieldWidget, UnfoldAdminSelectWidget, UnfoldAdminTextInputWidget

from metering.caps.models import SpendCap
from metering.caps.queries import caps_standing
from metering.caps.set_cap import CapTerms, remove_cap, set_cap
from wallets.accounts.queries import account_by_key
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import id_cell, line_cell, link_cell
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.amount_text import quantity_text
from wallets.clock import now
from wallets.money import DIGITS, SCALE, plain

LIST = "admin:metering_spendcap_changelist"


def _text(label: str, help_text: str, *, required: bool = False) -> CharField:
    return CharField(
        label=label, max_length=255, required=required, widget=UnfoldAdminTextInputWidget, help_text=help_text
    )  # fmt: skip


class CapForm(ReasonForm):
    """A spend cap."""

    field_order = ["account", "scope", "value", "window", "limit", "currency", "meter", "reason"]

    account = _text("Account", "Its key.", required=True)
    scope = ChoiceField(choices=SpendCap.Scope.choices, widget=UnfoldAdminSelectWidget)
    value = _text("Which one", "A team, user, API key or cost centre. Empty: each for itself.")
    window = ChoiceField(choices=SpendCap.Window.choices, widget=UnfoldAdminSelectWidget)
    limit = DecimalField(min_value=0, max_digits=DIGITS, decimal_places=SCALE, widget=UnfoldAdminDecimalFieldWidget)
    currency = _text("Currency", "Of the limit; or name a meter.")
    meter = _text("Meter", "The limit is units of this meter.")


@admin.register(SpendCap)
class SpendCapAdmin(ReadOnlyAdmin):
    """Caps in force: found by account key."""

    list_display = ("cap_column", "account_column", "scope", "value_column", "window", "limit_column", "state_column", "set_at")
    list_display_links = None
    list_select_related = ("account", "meter")
    list_filter = ("state", "scope", "window")
    search_fields = ("account__key__exact", "public_id__exact")
    search_help_text = "Account key or cap id"
    ordering = ("-set_at", "-id")

    @display(description="Cap")
    def cap_column(self, cap: SpendCap) -> SafeString:
        """Its id, which opens what was used of it."""
        return link_cell("metering_spendcap", cap.pk, id_cell(cap.public_id))

    @display(description="Account")
    def account_column(self, cap: SpendCap) -> SafeString:
        """Whose calls it caps."""
        return link_cell("wallets_account", cap.account_id, cap.account.key)

    @display(description="Which")
    def value_column(self, cap: SpendCap) -> str:
        """One of them, or each."""
        return cap.value or ("" if cap.scope == SpendCap.Scope.ACCOUNT else "each")

    @display(description="Limit")
    def limit_column(self, cap: SpendCap) -> SafeString | str:
        """Money or units."""
        return line_cell(cap.limit, cap.currency) if cap.currency else f"{quantity_text(cap.limit)} {cap.unit}"

    @display(description="State", ordering="state", label={"ACTIVE": "success", "REMOVED": "info"})
    def state_column(self, cap: SpendCap) -> str:
        """In force?"""
        return cap.state

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("set/", self.set_view, "set"),
            ("<int:pk>/remove/", self.remove_view, "remove"),
        )
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to set a cap."""
        response = super().changelist_view(request, extra_context)
        if not self.allows(request, "add"):
            return response
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["actions_list"] = [_button("Set cap", reverse("admin:metering_spendcap_set"), "add")]
        return response

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """One cap: who used most of it."""
        cap = self._cap(object_id)
        standing = next((one for one in caps_standing(account_id=cap.account_id, at=now()) if one.cap.pk == cap.pk), None)
        buttons = []
        if cap.state == SpendCap.State.ACTIVE and self.allows(request, "change"):
            buttons.append(_button("Remove", reverse("admin:metering_spendcap_remove", args=[cap.pk]), "delete"))
        context = self.page_context(
            request, cap, cap=cap, used=standing.used if standing else (), as_of=now(), actions_detail=buttons
        )
        return TemplateResponse(request, "admin/spend_cap_page.html", context)

    def set_view(self, request: HttpRequest) -> HttpResponse:
        """Set a cap."""
        if not self.allows(request, "add"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            account = account_by_key(key=answers["account"])
            terms = CapTerms(**{name: answers[name] for name in CapForm.field_order if name not in {"account", "reason"}})
            cap = set_cap(account=account, terms=terms, at=now(), actor=str(request.user))
            self.log_change(request, cap, f"Set: {answers['reason']}")
            return "The cap is set; the gate knows it already."

        initial = {"account": request.GET.get("account", "")[:120], "window": "month", "currency": "USD"}
        page = ActionPage("Set spend cap", "Set cap", CapForm, reverse(LIST), perform, initial=initial)
        return run_action_page(request, page, self.page_context(request, None))

    def remove_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Remove a cap."""
        if not self.allows(request, "change"):
            raise PermissionDenied
        cap = self._cap(pk)

        def perform(answers: dict[str, Any]) -> str:
            remove_cap(cap=cap, at=now(), actor=str(request.user))
            self.log_change(request, cap, f"Removed: {answers['reason']}")
            return "The cap is removed; the gate does not look at it any more."

        page = ActionPage(
            "Remove spend cap", "Remove cap", ReasonForm, reverse(LIST), perform,
            lambda _: [Change("Limit", f"{plain(cap.limit)} {cap.unit}", "none")],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, cap))

    def _cap(self, pk: int | str) -> SpendCap:
        found = SpendCap.objects.select_related("account", "meter").filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None:
            raise Http404
        return found


def _button(title: str, path: str, icon: str) -> dict[str, Any]:
    return {"title": title, "path": path, "icon": icon, "variant": "default", "attrs": {}}
