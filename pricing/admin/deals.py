"""Deals with single customers and what credit units cost: pins, negotiated prices, rates."""

from __future__ import annotations

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from unfold.decorators import display

from pricing.admin.deal_forms import NegotiateForm, PinForm, RateForm, prices_of
from pricing.admin.plans import button
from pricing.books.models import Assignment, VersionPin
from pricing.books.negotiate import negotiate_prices
from pricing.books.pin import end_pin, pin_version
from pricing.books.queries import version_by_id
from pricing.credit_products.define import set_unit_rate
from pricing.credit_products.models import CreditUnitRate
from wallets.accounts.queries import account_by_key
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.clock import now


def with_buttons(response: HttpResponse, buttons: list[dict[str, Any]]) -> HttpResponse:
    """Django's page on a record, with buttons in its head."""
    if isinstance(response, TemplateResponse) and response.context_data is not None:
        response.context_data["actions_detail"] = buttons
    return response


class MadeByForm(ReadOnlyAdmin):
    """A list whose head has a button to make one more. makes: title, name of the page, icon."""

    makes: tuple[str, str, str]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to make one."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "add"):
            title, name, icon = self.makes
            response.context_data["actions_list"] = [button(title, name, icon, variant="primary")]
        return response

    def _may_make(self, request: HttpRequest) -> None:
        if not self.allows(request, "add"):
            raise PermissionDenied


@admin.register(VersionPin)
class VersionPinAdmin(MadeByForm):
    """Accounts that pay one version's prices for a time, whatever their book does: found by account key or version."""

    list_display = ("account", "version", "effective_at", "until", "reason", "actor")
    list_select_related = ("account", "version__book")
    search_fields = ("public_id__exact", "account__key__exact", "version__public_id__exact")
    search_help_text = "Pin id, account key or version id"
    ordering = ("-effective_at", "-id")
    makes = ("Pin an account", "versionpin_pin", "push_pin")

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(("pin/", self.pin_view, "pin"), ("<int:pk>/end/", self.end_view, "end"))
        return [*own, *super().get_urls()]

    def change_view(
        self, request: HttpRequest, object_id: str, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The pin, with the way to end it."""
        pin = VersionPin.objects.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        buttons = []
        if pin is not None and pin.until > now() and self.allows(request, "change"):
            buttons = [button("End pin", "versionpin_end", "undo", pin.pk)]
        return with_buttons(super().change_view(request, object_id, form_url, extra_context), buttons)

    def pin_view(self, request: HttpRequest) -> HttpResponse:
        """Pin an account to a version."""
        self._may_make(request)

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            pin = pin_version(
                account=account_by_key(key=answers["account"]), version=version_by_id(public_id=answers["version"]),
                effective_at=answers["effective_at"] or at, until=answers["until"], at=at, reason=answers["reason"],
                actor=request.user.get_username(),
            )  # fmt: skip
            return f"{pin.account.name} pays the prices of {pin.version} until then."

        page = ActionPage(
            "Pin an account to a version", "Pin account", PinForm, reverse("admin:pricing_versionpin_changelist"), perform,
            lambda answers: [Change(f"Prices of {answers['account']}", "those of its book", f"version {answers['version']}")],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))

    def end_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let an account go back to its book's prices now."""
        pin = VersionPin.objects.select_related("account", "version__book").filter(pk=pk).first()
        if pin is None:
            raise Http404
        if not self.allows(request, "change"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:  # noqa: ARG001 - the reason goes to the audit log
            end_pin(pin=pin, at=now())
            return f"{pin.account.name} pays its book's prices again."

        page = ActionPage(
            "End pin", "End pin", ReasonForm, reverse("admin:pricing_versionpin_changelist"), perform,
            lambda _: [Change(f"Prices of {pin.account.name}", str(pin.version), "those of its book")],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, pin))


@admin.register(Assignment)
class AssignmentAdmin(MadeByForm):
    """Which account pays which prices from when; negotiated ones are a book of the account's own."""

    list_display = ("account", "book", "effective_at", "created_at")
    list_select_related = ("account", "book")
    search_fields = ("account__key__exact", "book__name__icontains")
    search_help_text = "Account key or price book"
    ordering = ("-effective_at", "-id")
    paginator = Paginator
    show_full_result_count = True
    makes = ("Negotiate prices", "assignment_negotiate", "handshake")

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("negotiate/", self.negotiate_view, "negotiate")), *super().get_urls()]

    def negotiate_view(self, request: HttpRequest) -> HttpResponse:
        """Agree with one customer on prices below the list."""
        self._may_make(request)

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            version = negotiate_prices(
                account=account_by_key(key=answers["account"]), percent_off=answers["percent_off"], prices=prices_of(answers),
                effective_at=answers["effective_at"] or at, at=at, until=answers["until"], reason=answers["reason"],
            )  # fmt: skip
            return f"{answers['account']} pays {version} from then on."

        def preview(answers: dict[str, Any]) -> list[Change]:
            off = f"{answers['percent_off'].normalize():f} % off"
            changes = [Change(f"Prices of {answers['account']}", "as now", off)]
            return changes + [Change(one.meter, "as now", f"{one.unit_price} each") for one in prices_of(answers)]

        page = ActionPage(
            "Negotiate prices", "Negotiate prices", NegotiateForm, reverse("admin:pricing_assignment_changelist"), perform,
            preview, warning="What was negotiated with this account before ends then, also what was agreed for later.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))


@admin.register(CreditUnitRate)
class CreditUnitRateAdmin(MadeByForm):
    """What money buys of custom credit units, from when."""

    list_display = ("unit", "units_column", "currency", "effective_at")
    list_display_links = None
    ordering = ("unit", "currency", "-effective_at", "id")
    makes = ("Set a rate", "creditunitrate_set", "currency_exchange")

    @display(description="Units for 1", ordering="units")
    def units_column(self, rate: CreditUnitRate) -> str:
        """Of the currency."""
        return f"{rate.units.normalize():f}"

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("set/", self.set_view, "set")), *super().get_urls()]

    def set_view(self, request: HttpRequest) -> HttpResponse:
        """Set a rate from a moment on."""
        self._may_make(request)

        def perform(answers: dict[str, Any]) -> str:
            rate = set_unit_rate(
                unit=answers["unit"], currency=answers["currency"], units=answers["units"], at=now(),
                effective_at=answers["effective_at"],
            )  # fmt: skip
            return f"1 {rate.currency} buys {rate.units.normalize():f} {rate.unit}."

        page = ActionPage(
            "Set a unit's rate", "Set rate", RateForm, reverse("admin:pricing_creditunitrate_changelist"), perform,
            warning="What was sold before stays as it was sold.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))
