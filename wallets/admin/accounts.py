"""Customers: an account with its wallets, people and keys on one page."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Prefetch, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html_join
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import Account, Member
from wallets.accounts.open import open_account
from wallets.accounts.suspend import reinstate_account, suspend_account
from wallets.admin.account_forms import AccountForm, WalletForm
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.billing_page import billing_page
from wallets.admin.cells import headline_cell, id_cell
from wallets.admin.policy_pages import account_policy_page, policy_lines
from wallets.admin.read_only import ReadOnlyAdmin
from wallets.admin.threshold_pages import account_thresholds_page
from wallets.api_keys.models import ApiKey
from wallets.balances.held import without_lapsed
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.clock import now
from wallets.payments.find import cards_of
from wallets.payments.models import TopUp
from wallets.risk.models import ReviewItem

MOST_MEMBERS: Final = 50
MOST_KEYS: Final = 20
TOP_UPS_SHOWN: Final = 8


@admin.register(Account)
class AccountAdmin(ReadOnlyAdmin):
    """Customer companies: found by key, name or e-mail."""

    list_display = ("name", "key_column", "status_column", "available_column", "created_at")
    list_display_links = ("name", "key_column")
    list_filter = ("status",)
    search_fields = ("key__exact", "key__istartswith", "name__icontains", "email__iexact")
    search_help_text = "Account key, name or e-mail"
    ordering = ("name", "id")
    paginator = Paginator
    show_full_result_count = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Account]:
        """Accounts with their wallets: one more query a page."""
        wallets = Wallet.objects.exclude(status=Wallet.Status.CLOSED).order_by("-is_default", "currency", "id")
        return super().get_queryset(request).prefetch_related(Prefetch("wallets", wallets, to_attr="open_wallets"))

    @display(description="Key", ordering="key")
    def key_column(self, account: Account) -> SafeString:
        """The vendor's own name for it."""
        return id_cell(account.key)

    @display(description="Status", ordering="status", label={"ACTIVE": "success", "SUSPENDED": "danger"})
    def status_column(self, account: Account) -> str:
        """May it use anything?"""
        return account.status

    @display(description="Available")
    def available_column(self, account: Account) -> SafeString:
        """Of each wallet."""
        wallets: list[Wallet] = account.open_wallets  # type: ignore[attr-defined]
        return format_html_join(" ", "{}", ((headline_cell(wallet.available, wallet.currency),) for wallet in wallets))

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("open/", self.open_view, "open"),
            ("<int:pk>/suspend/", self.suspend_view, "suspend"),
            ("<int:pk>/reinstate/", self.reinstate_view, "reinstate"),
            ("<int:pk>/policy/", self.policy_view, "policy"),
            ("<int:pk>/billing/", self.billing_view, "billing"),
            ("<int:pk>/thresholds/", self.thresholds_view, "thresholds"),
            ("<int:pk>/open-wallet/", self.open_wallet_view, "open_wallet"),
        )
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to open an account."""
        buttons = [_button("Open account", "open", "add", "primary")] if self.allows(request, "add") else []
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None:
            response.context_data["actions_list"] = buttons
        return response

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """The customer's page."""
        account, at = self._account(object_id), now()
        wallets = list(account.wallets.order_by("status", "-is_default", "currency", "id"))
        without_lapsed(wallets, at=at)
        context = self.page_context(
            request,
            account,
            account=account,
            as_of=at,
            wallets=wallets,
            policy=policy_lines(account),
            members=list(
                Member.objects.filter(account=account).select_related("user").order_by("role", "user__email")[:MOST_MEMBERS]
            ),
            keys=list(ApiKey.objects.filter(account=account).order_by("revoked_at", "-created_at", "-id")[:MOST_KEYS]),
            actions_detail=self._buttons(request, account),
            **money_in(account) if request.user.has_perm("wallets.view_topup") else {},
        )
        return TemplateResponse(request, "admin/account_page.html", context)

    def open_view(self, request: HttpRequest) -> HttpResponse:
        """Open an account, with its first wallet."""
        if not self.allows(request, "add"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            details = {name: answer for name, answer in answers.items() if name != "account"}
            account = open_account(key=answers["account"], at=at, **details)
            if not account.wallets.exists():
                open_wallet(account=account, currency=account.currency, at=at)
            return f"Account {account.key} is open."

        page = ActionPage(
            "Open account", "Open account", AccountForm, reverse("admin:wallets_account_changelist"), perform,
            warning="The key cannot be changed later: usage is sent under it.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))

    def open_wallet_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Open a further wallet of an account."""
        account = self._account(pk)
        if not request.user.has_perm("wallets.add_wallet"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            wallet = open_wallet(account=account, at=now(), **answers)
            return f"Wallet {wallet.public_id} in {wallet.currency} is open."

        page = ActionPage("Open wallet", "Open wallet", WalletForm, _page_of(account), perform)
        return run_action_page(request, page, self.page_context(request, account))

    def suspend_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop an account's usage."""
        account = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            suspend_account(account=account, at=now())
            self.log_change(request, account, f"Suspended: {answers['reason']}")
            return f"{account.name} is suspended: the gate refuses its calls."

        page = ActionPage(
            "Suspend account", "Suspend account", ReasonForm, _page_of(account), perform,
            lambda _: [Change("Status", account.status, Account.Status.SUSPENDED.value)],
            warning="The gate refuses every call of this account from now on. Its credit stays.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, account))

    def reinstate_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Let a suspended account be used again."""
        account = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            reinstate_account(account=account, at=now())
            self.log_change(request, account, f"Reinstated: {answers['reason']}")
            return f"{account.name} is active again."

        page = ActionPage(
            "Reinstate account", "Reinstate account", ReasonForm, _page_of(account), perform,
            lambda _: [Change("Status", account.status, Account.Status.ACTIVE.value)],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, account))

    def policy_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change how an account's work is let through."""
        account = self._changeable(request, pk)
        page = account_policy_page(account, back=_page_of(account), tell=lambda text: self.log_change(request, account, text))
        return run_action_page(request, page, self.page_context(request, account))

    def billing_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change who an account is on statements and receipts."""
        account = self._changeable(request, pk)
        page = billing_page(account, back=_page_of(account), tell=lambda text: self.log_change(request, account, text))
        return run_action_page(request, page, self.page_context(request, account))

    def thresholds_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Change what its wallets are watched for."""
        account = self._changeable(request, pk)
        page = account_thresholds_page(
            account, back=_page_of(account), tell=lambda text: self.log_change(request, account, text)
        )
        return run_action_page(request, page, self.page_context(request, account))

    def _account(self, pk: int | str) -> Account:
        account = Account.objects.filter(pk=pk).first() if str(pk).isdecimal() else None
        if account is None:
            raise Http404
        return account

    def _changeable(self, request: HttpRequest, pk: int) -> Account:
        account = self._account(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        return account

    def _buttons(self, request: HttpRequest, account: Account) -> list[dict[str, Any]]:
        buttons = []
        if self.allows(request, "change"):
            active = account.status == Account.Status.ACTIVE
            title, name, icon = ("Suspend", "suspend", "block") if active else ("Reinstate", "reinstate", "undo")
            buttons.append(_button(title, name, icon, "default", account.pk))
            buttons.append(_button("Policy", "policy", "tune", "default", account.pk))
            buttons.append(_button("Billing details", "billing", "contact_page", "default", account.pk))
            buttons.append(_button("Thresholds", "thresholds", "notifications", "default", account.pk))
        if request.user.has_perm("wallets.add_wallet"):
            buttons.append(_button("Open wallet", "open_wallet", "add", "default", account.pk))
        return buttons


def _button(title: str, name: str, icon: str, variant: str, *args: int) -> dict[str, Any]:
    """A button of Unfold's header."""
    link = reverse(f"admin:wallets_account_{name}", args=args)
    return {"title": title, "path": link, "icon": icon, "variant": variant, "attrs": {}}


def _page_of(account: Account) -> str:
    return reverse("admin:wallets_account_change", args=[account.pk])


def money_in(account: Account) -> dict[str, Any]:
    """What the customer has paid lately, with what, and what somebody has to look at. Three queries."""
    top_ups = TopUp.objects.filter(wallet__account=account).select_related("method").order_by("-id")
    reviews = ReviewItem.objects.filter(account=account, state=ReviewItem.State.OPEN).order_by("-last_at", "-id")
    return {
        "top_ups": list(top_ups[:TOP_UPS_SHOWN]),
        "cards": cards_of(account_id=account.pk),
        "reviews": list(reviews[:MOST_KEYS]),
    }
