"""API keys: who may act, for which account, until when. The hash is never shown, the key itself once."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.forms import CharField, DateField, DateInput, Form, MultipleChoiceField
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import INPUT_CLASSES, UnfoldAdminCheckboxSelectMultipleWidget, UnfoldAdminTextInputWidget

from wallets.accounts.models import User
from wallets.accounts.queries import account_by_key
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import id_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.api_keys.issue import IssuedKey, issue_api_key, revoke_api_key
from wallets.api_keys.models import SCOPES, ApiKey
from wallets.clock import now

PERSONAL: Final = ("wallets.change_approval", "wallets.add_adjustment")
"""Who may have a personal key: who decides, and who moves money."""
PERSONAL_SCOPES: Final = ("approvals:read", "approvals:write")
PERSONAL_LIFE: Final = timedelta(days=90)


class IssueForm(Form):
    """What a new key may do, and for whom."""

    name = CharField(max_length=120, widget=UnfoldAdminTextInputWidget, help_text="What uses it: gateway, nightly export.")
    scopes = MultipleChoiceField(
        choices=[(scope, scope) for scope in SCOPES],
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        initial=["events:write"],
    )
    account = CharField(
        max_length=120, required=False, widget=UnfoldAdminTextInputWidget,
        help_text="An account's key, to confine it to that account. Empty: all accounts.",
    )  # fmt: skip
    expires_on = DateField(
        required=False,
        widget=DateInput(attrs={"type": "date", "class": " ".join(INPUT_CLASSES)}),
        help_text="First day (UTC) on which it no longer works. Empty: it does not expire.",
    )


class OwnKeyForm(Form):
    """What a personal key is called."""

    name = CharField(max_length=120, widget=UnfoldAdminTextInputWidget, help_text="What uses it: my shell, the ticket desk.")


@admin.register(ApiKey)
class ApiKeyAdmin(ReadOnlyAdmin):
    """Keys: found by name, prefix or account key."""

    list_display = (
        "name", "prefix_column", "status_column", "account_column", "scopes_column", "last_used_at", "created_at",
    )  # fmt: skip
    list_select_related = ("account",)
    search_fields = ("name__icontains", "prefix__exact", "account__key__exact")
    search_help_text = "Name, prefix or account key"
    ordering = ("-created_at", "-id")
    paginator = Paginator
    show_full_result_count = True

    @display(description="Key", ordering="prefix")
    def prefix_column(self, key: ApiKey) -> SafeString:
        """What people recognise it by."""
        return id_cell(f"{key.prefix}…")

    @display(description="Status", label={"active": "success", "expired": None, "revoked": "danger"})
    def status_column(self, key: ApiKey) -> str:
        """Does it work?"""
        return key_status(key, at=now())

    @display(description="Account", ordering="account__key")
    def account_column(self, key: ApiKey) -> str:
        """Whom it is confined to."""
        return key.account.key if key.account else "all"

    @display(description="May")
    def scopes_column(self, key: ApiKey) -> str:
        """Its scopes."""
        return ", ".join(key.scopes)

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        return [
            *self.action_urls(
                ("issue/", self.issue_view, "issue"),
                ("own/", self.own_view, "own"),
                ("<int:pk>/revoke/", self.revoke_view, "revoke"),
            ),
            *super().get_urls(),
        ]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to issue a key."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "add"):
            link = reverse("admin:wallets_apikey_issue")
            response.context_data["actions_list"] = [
                {"title": "Issue key", "path": link, "icon": "add", "variant": "primary", "attrs": {}}
            ]
        return response

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """One key, without its secret."""
        key = self._key(object_id)
        status = key_status(key, at=now())
        buttons = []
        if status == "active" and self.allows(request, "change"):
            link = reverse("admin:wallets_apikey_revoke", args=[key.pk])
            buttons.append({"title": "Revoke", "path": link, "icon": "block", "variant": "danger", "attrs": {}})
        context = self.page_context(request, key, key=key, status=status, actions_detail=buttons)
        return TemplateResponse(request, "admin/api_key_page.html", context)

    @moves_money
    def issue_view(self, request: HttpRequest) -> HttpResponse:
        """Issue a key and show it once."""
        if not self.allows(request, "add"):
            raise PermissionDenied
        context = self.page_context(request, None)

        def perform(answers: dict[str, Any]) -> HttpResponse:
            issued = issue_api_key(
                name=answers["name"],
                scopes=answers["scopes"],
                at=now(),
                account=account_by_key(key=answers["account"]) if answers["account"] else None,
                expires_at=_midnight(answers["expires_on"]),
                actor=str(request.user),
            )
            return _issued(request, context, issued)

        page = ActionPage("Issue API key", "Issue key", IssueForm, reverse("admin:wallets_apikey_changelist"), perform)
        return run_action_page(request, page, context)

    @moves_money
    def own_view(self, request: HttpRequest) -> HttpResponse:
        """Issue a personal key to oneself: what it asks or decides is theirs. For who moves money or decides about it."""
        person: User = request.user  # type: ignore[assignment]
        if not any(person.has_perm(permission) for permission in PERSONAL):
            raise PermissionDenied
        context = self.page_context(request, None)

        def perform(answers: dict[str, Any]) -> HttpResponse:
            at = now()
            issued = issue_api_key(
                name=answers["name"],
                scopes=PERSONAL_SCOPES,
                at=at,
                actor=person.email,
                person=person,
                expires_at=at + PERSONAL_LIFE,
            )
            return _issued(request, context, issued)

        page = ActionPage(
            "Issue a personal key", "Issue personal key", OwnKeyForm, reverse("admin:index"), perform,
            warning="Whoever has it acts as you, with your limits. It works for 90 days.",
        )  # fmt: skip
        return run_action_page(request, page, context)

    def revoke_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop a key from working."""
        key = self._key(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            revoke_api_key(api_key=key, at=now())
            self.log_change(request, key, f"Revoked: {answers['reason']}")
            return f"{key.name} is revoked; it stops working everywhere within five seconds."

        page = ActionPage(
            "Revoke API key", "Revoke key", ReasonForm, reverse("admin:wallets_apikey_change", args=[key.pk]), perform,
            lambda _: [Change("Status", key_status(key, at=now()), "revoked")],
            warning="Whatever uses this key stops working. It cannot be brought back; issue a new one.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, key))

    def _key(self, pk: int | str) -> ApiKey:
        keys = ApiKey.objects.select_related("account")
        key = keys.filter(pk=pk).first() if str(pk).isdecimal() else None
        if key is None:
            raise Http404
        return key


def key_status(key: ApiKey, *, at: datetime) -> str:
    """`active`, `expired` or `revoked`."""
    if key.revoked_at is not None:
        return "revoked"
    if key.expires_at is not None and key.expires_at <= at:
        return "expired"
    return "active"


def _issued(request: HttpRequest, context: dict[str, Any], issued: IssuedKey) -> HttpResponse:
    """The page that shows a key, this once."""
    shown = {**context, "title": "Key issued", "key": issued.api_key, "secret": issued.secret}
    response = TemplateResponse(request, "admin/api_key_issued.html", shown)
    response["Cache-Control"] = "no-store"
    return response.render()


def _midnight(day: Any) -> datetime | None:
    return None if day is None else datetime.combine(day, time.min, tzinfo=UTC)
