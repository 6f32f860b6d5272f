"""What the rules against card testing and fraud found, and the rules."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import User
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import line_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.admin.rules_page import RulesAdmin
from wallets.admin.worklist import WaitingFirstFilter, buttons_of
from wallets.clock import now
from wallets.risk.models import HeldCredit, ReviewItem, TopUpAttempt, TrustTier, VelocityRule
from wallets.risk.review import clear_review, confirm_review, take_review

ATTEMPTS_SHOWN: Final = 20


class StateFilter(WaitingFirstFilter):
    """Open ones by default."""

    title = "state"
    parameter_name = "state"
    default = ("Open", Q(state="OPEN"))
    others = {"cleared": ("Cleared", Q(state="CLEARED")), "confirmed": ("Confirmed", Q(state="CONFIRMED"))}


@admin.register(ReviewItem)
class ReviewItemAdmin(ReadOnlyAdmin):
    """Review items: found by id, account key, top-up id, or the card or address they are about."""

    list_display = (
        "account_column", "rule", "hits", "amount_column", "last_at", "owner_column", "holds_column", "state_column",
    )  # fmt: skip
    list_display_links = ("account_column", "rule")
    list_select_related = ("account", "owner")
    list_filter = (StateFilter, "holds_credit")
    search_fields = ("public_id__exact", "account__key__exact", "top_up__exact", "subject__exact")
    search_help_text = "Review id, account key, top-up id, fingerprint or address"
    ordering = ("-last_at", "-id")

    @display(description="Account")
    def account_column(self, item: ReviewItem) -> str:
        """Who tried."""
        return item.account.name

    @display(description="Amount", ordering="amount")
    def amount_column(self, item: ReviewItem) -> SafeString:
        """Of the last attempt."""
        return line_cell(item.amount, item.currency)

    @display(description="Owner")
    def owner_column(self, item: ReviewItem) -> str:
        """Who looks at it."""
        return item.owner.email if item.owner else "nobody yet"

    @display(description="Credit", label={"held": "warning"})
    def holds_column(self, item: ReviewItem) -> str:
        """Is credit held for it?"""
        return "held" if item.holds_credit else "refused"

    @display(description="State", ordering="state", label={"OPEN": "warning", "CLEARED": "success", "CONFIRMED": "danger"})
    def state_column(self, item: ReviewItem) -> str:
        """Where it stands."""
        return item.state

    def get_urls(self) -> list[URLPattern]:
        """The decisions' pages."""
        own = self.action_urls(
            ("<int:pk>/take/", self.take_view, "take"),
            ("<int:pk>/clear/", self.clear_view, "clear"),
            ("<int:pk>/confirm/", self.confirm_view, "confirm"),
        )
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What was found, the attempts behind it, what is held, who decided."""
        item = self._item(object_id)
        buttons = []
        if item.state == "OPEN" and self.allows(request, "change"):
            buttons = [
                *([] if item.owner_id == request.user.pk else [("Take", "reviewitem_take", "person_check", "default")]),
                ("Confirm", "reviewitem_confirm", "gpp_bad", "default"),
                ("Clear", "reviewitem_clear", "verified_user", "primary"),
            ]
        context = self.page_context(
            request,
            item,
            title=item.rule,
            item=item,
            attempts=list(TopUpAttempt.objects.filter(account=item.account_id).order_by("-at", "-id")[:ATTEMPTS_SHOWN]),
            held=list(
                HeldCredit.objects.filter(account=item.account_id)
                .select_related("hold__wallet")
                .order_by("-id")[:ATTEMPTS_SHOWN]
            ),
            actions_detail=buttons_of(buttons, item.pk),
        )
        return TemplateResponse(request, "admin/review_page.html", context)

    def take_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It is mine to look at."""
        item, person = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            take_review(review_id=item.public_id, by=person)
            self.log_change(request, item, f"Taken: {answers['reason']}")
            return "It is yours."

        page = ActionPage(
            "Take review item", "Take", ReasonForm, _page_of(item), perform,
            lambda _: [Change("Owner", item.owner.email if item.owner else "nobody yet", person.email)],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, item))

    @moves_money
    def clear_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Nothing is wrong."""
        item, person = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            clear_review(review_id=item.public_id, by=person, note=answers["reason"], at=now())
            return "Cleared; credit that was held for it alone is released."

        page = ActionPage(
            "Clear review item", "Clear", ReasonForm, _page_of(item), perform,
            lambda _: [Change("State", "open", "cleared"), *_held_changes(item)],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, item))

    def confirm_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It was what it looked like."""
        item, person = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            confirm_review(review_id=item.public_id, by=person, note=answers["reason"], at=now())
            return "Confirmed; credit that is held stays held."

        page = ActionPage(
            "Confirm review item", "Confirm", ReasonForm, _page_of(item), perform,
            lambda _: [Change("State", "open", "confirmed")], danger=True,
            warning="Credit that is held stays held, and new credit will be. Suspend the account and refund the payments next.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, item))

    def _item(self, pk: int | str) -> ReviewItem:
        found = ReviewItem.objects.select_related("account", "wallet", "owner", "decided_by")
        item = found.filter(pk=pk).first() if str(pk).isdecimal() else None
        if item is None:
            raise Http404
        return item

    def _changeable(self, request: HttpRequest, pk: int) -> tuple[ReviewItem, User]:
        item = self._item(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        return item, request.user  # type: ignore[return-value]


@admin.register(VelocityRule)
class VelocityRuleAdmin(RulesAdmin):
    """How much of what within which time is too much."""

    list_display = ("name", "measure", "per", "window_minutes", "limit", "currency", "then", "machine_too", "is_active")
    list_filter = ("is_active", "measure", "per", "then")
    ordering = ("name",)


@admin.register(TrustTier)
class TrustTierAdmin(RulesAdmin):
    """What accounts may do at which age."""

    list_display = ("currency", "from_age_days", "most_amount", "most_balance")
    list_display_links = ("currency", "from_age_days")
    list_filter = ("currency",)
    ordering = ("currency", "from_age_days")


def _held_changes(item: ReviewItem) -> list[Change]:
    """What would be released of each hold, if nothing else holds it."""
    held = HeldCredit.objects.filter(account=item.account_id, hold__state="OPEN").select_related("hold__wallet").order_by("id")
    return [Change(f"Held of {one.top_up}", one.hold.amount, one.hold.amount * 0, one.hold.wallet.currency) for one in held]


def _page_of(item: ReviewItem) -> str:
    return reverse("admin:wallets_reviewitem_change", args=[item.pk])
