"""Subscriptions and commitments: what is paid for and what is left of it; actions with a look at the figures first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from pricing.admin.deal_forms import CommitmentForm
from pricing.admin.deals import MadeByForm
from pricing.admin.plan_forms import CancelForm, ChangePlanForm
from pricing.admin.plans import button
from pricing.commitments.make import make_commitment
from pricing.commitments.models import Commitment
from pricing.commitments.queries import periods_of as commitment_periods
from pricing.commitments.queries import utilisation
from pricing.periods import Period, share
from pricing.plans.cancel import cancel_subscription
from pricing.plans.card import NoCardPayments
from pricing.plans.change import change_plan, due_now
from pricing.plans.models import PeriodAllowance, Subscription
from pricing.plans.pause import pause_subscription, resume_subscription
from pricing.plans.queries import changes_of, included_meters, periods_of, subscriptions_seen
from pricing.plans.states import ACTIVE, CANCELLED, PAUSED
from wallets.accounts.queries import account_by_key
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import line_cell, link_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.clock import now
from wallets.credit.models import CreditLot
from wallets.money import ZERO

PERIODS_SHOWN: Final = 24
CHANGES_SHOWN: Final = 50
STATE_LABELS: Final = {"ACTIVE": "success", "TRIALING": "info", "PAST_DUE": "danger", "PAUSED": "warning", "CANCELLED": None}


@admin.register(Subscription)
class SubscriptionAdmin(ReadOnlyAdmin):
    """Subscriptions: found by account, plan or id."""

    list_display = ("account_column", "plan_column", "state_column", "fee_column", "period_end", "created_at")
    list_display_links = ("account_column", "plan_column")
    list_select_related = ("account", "plan")
    list_filter = ("state", "plan_code")
    search_fields = ("public_id__exact", "account__key__exact", "account__name__icontains", "plan_code__exact")
    search_help_text = "Subscription id, account or plan"
    ordering = ("-id",)

    @display(description="Account", ordering="account__name")
    def account_column(self, subscription: Subscription) -> str:
        """Whose it is."""
        return subscription.account.name

    @display(description="Plan", ordering="plan__name")
    def plan_column(self, subscription: Subscription) -> str:
        """To what."""
        return f"{subscription.plan.name} version {subscription.plan.version}"

    @display(description="State", ordering="state", label=STATE_LABELS)
    def state_column(self, subscription: Subscription) -> str:
        """Where it stands."""
        return subscription.state

    @display(description="Fee", ordering="plan__fee")
    def fee_column(self, subscription: Subscription) -> SafeString:
        """Per interval."""
        return format_html("{} a {}", line_cell(subscription.plan.fee, subscription.plan.currency), subscription.plan.interval)

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("<int:pk>/pause/", self.pause_view, "pause"),
            ("<int:pk>/resume/", self.resume_view, "resume"),
            ("<int:pk>/change-plan/", self.change_plan_view, "change_plan"),
            ("<int:pk>/cancel/", self.cancel_view, "cancel"),
        )
        return own + super().get_urls()

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A subscription: what its period includes and what is left, its periods, its history."""
        subscription = self._subscription(object_id)
        at = now()
        included = [allowance_row(rows) for rows in included_meters(subscription=subscription).values()]
        context = self.page_context(
            request,
            subscription,
            subscription=subscription,
            as_of=at,
            ended=at >= subscription.period_end,
            included=included,
            periods=list(periods_of(subscription=subscription).order_by("-index")[:PERIODS_SHOWN]),
            changes=list(changes_of(subscription=subscription)[:CHANGES_SHOWN]),
            actions_detail=self._buttons(request, subscription),
        )
        return TemplateResponse(request, "admin/subscription_page.html", context)

    def pause_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Renew nothing."""
        return self._simple(
            request, pk, title="Pause", after="PAUSED", verb=pause_subscription,
            warning="What is paid for stays until the period ends. Nothing is renewed until it is resumed.",
        )  # fmt: skip

    def resume_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Go on."""
        return self._simple(
            request, pk, title="Resume", after="ACTIVE", verb=resume_subscription,
            warning="If the period has ended meanwhile, a new one begins now and its fee is taken from the wallet.",
        )  # fmt: skip

    @moves_money
    def change_plan_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Another plan."""
        subscription = self._changeable(request, pk)
        at = now()

        def preview(answers: dict[str, Any]) -> list[Change]:
            plan = answers["plan"]
            due, balance = due_now(subscription, plan, at=at), subscription.wallet.balance
            return [
                Change("Plan", subscription.plan.name, plan.name),
                Change("Fee", subscription.plan.fee, plan.fee, plan.currency),
                Change("Balance, if it changes now", balance, balance - due, plan.currency),
            ]

        def perform(answers: dict[str, Any]) -> str:
            _refuse_cards(subscription)
            changed = change_plan(
                subscription=subscription,
                plan=answers["plan"],
                when=answers["when"] or None,
                reason=answers["reason"],
                at=now(),
                actor=request.user.get_username(),
            )
            later = changed.next_plan is not None
            return f"The plan {'changes' if later else 'is changed'} to {answers['plan'].name}."

        page = ActionPage("Change plan", "Change plan", ChangePlanForm, _page_of(subscription), perform, preview)
        return run_action_page(request, page, self.page_context(request, subscription))

    @moves_money
    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The end, at the end of the period or now."""
        subscription = self._changeable(request, pk)

        def preview(answers: dict[str, Any]) -> list[Change]:
            changes = [Change("State", subscription.state, CANCELLED if answers["now"] else subscription.state)]
            if answers["now"] and answers["refund"]:
                unused = unused_fee(subscription, at=now())
                balance = subscription.wallet.balance
                changes.append(Change("Balance", balance, balance + unused, subscription.plan.currency))
            return changes

        def perform(answers: dict[str, Any]) -> str:
            cancelled = cancel_subscription(subscription=subscription, at=now(), actor=request.user.get_username(), **answers)
            return "It is cancelled." if cancelled.state == CANCELLED else "It ends with its period."

        page = ActionPage(
            "Cancel subscription", "Cancel subscription", CancelForm, _page_of(subscription), perform, preview,
            warning="Ended now, what is left of its allowances is taken back.", danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, subscription))

    def _simple(
        self, request: HttpRequest, pk: int, *, title: str, after: str, verb: Callable[..., Subscription], warning: str
    ) -> HttpResponse:
        """An action that asks for a reason only."""
        subscription = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            if verb is resume_subscription:
                _refuse_cards(subscription)
            done = verb(subscription=subscription, at=now(), reason=answers["reason"], actor=request.user.get_username())
            return f"The subscription is {done.state.lower()}."

        page = ActionPage(
            f"{title} subscription", f"{title} subscription", ReasonForm, _page_of(subscription), perform,
            lambda _: [Change("State", subscription.state, after)], warning=warning,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, subscription))

    def _subscription(self, pk: int | str) -> Subscription:
        found = subscriptions_seen().filter(pk=pk).first() if str(pk).isdecimal() else None
        if found is None:
            raise Http404
        return found

    def _changeable(self, request: HttpRequest, pk: int) -> Subscription:
        if not self.allows(request, "change"):
            raise PermissionDenied
        return self._subscription(pk)

    def _buttons(self, request: HttpRequest, subscription: Subscription) -> list[dict[str, Any]]:
        """What this person may do with it now."""
        if not self.allows(request, "change") or subscription.state == CANCELLED:
            return []
        pk, buttons = subscription.pk, []
        if subscription.state == PAUSED or subscription.cancel_at_period_end:
            buttons.append(button("Resume", "subscription_resume", "play_arrow", pk, variant="primary"))
        else:
            buttons.append(button("Change plan", "subscription_change_plan", "swap_horiz", pk))
            if subscription.state == ACTIVE:
                buttons.append(button("Pause", "subscription_pause", "pause", pk))
        return [*buttons, button("Cancel", "subscription_cancel", "block", pk, variant="danger")]


def allowance_row(rows: list[PeriodAllowance]) -> dict[str, Any]:
    """What a period got of one meter, and what is left of it."""
    granted = sum((row.quantity for row in rows), ZERO)
    left = sum((row.lot.remaining for row in rows if row.lot is not None and row.lot.state == CreditLot.State.OPEN), ZERO)
    return {
        "meter": rows[0].meter.code,
        "granted": granted,
        "left": left,
        "share": left * 100 / granted,
        "rolled_over": sum((row.quantity for row in rows if row.rolled_from_id is not None), ZERO),
        "lots": [row.lot for row in rows if row.lot is not None],
    }


def unused_fee(subscription: Subscription, *, at: datetime) -> Decimal:
    """The share of the present period's fee that belongs to the time to come."""
    period = Period(subscription.period_start, subscription.period_end)
    if subscription.state != ACTIVE or at >= period.end:
        return ZERO
    return share(subscription.plan.fee, of=period, part=Period(max(at, period.start), period.end))


def _refuse_cards(subscription: Subscription) -> None:
    """A card's bank is asked outside every transaction, and an action of the back office is one."""
    if subscription.pay_by == Subscription.PayBy.CARD:
        raise NoCardPayments("This subscription is paid by card: do this over the API, which can ask the bank.")


def _page_of(subscription: Subscription) -> str:
    return reverse("admin:pricing_subscription_change", args=[subscription.pk])


@admin.register(Commitment)
class CommitmentAdmin(MadeByForm):
    """Commitments: found by account, name or id. Their terms never change; they end with their term."""

    makes = ("Make commitment", "commitment_make", "handshake")

    list_display = ("name", "account_column", "amount_column", "discount_column", "ends_at")
    list_select_related = ("account", "wallet")
    list_filter = ("interval",)
    search_fields = ("public_id__exact", "account__key__exact", "name__icontains")
    search_help_text = "Commitment id, account key or name"
    ordering = ("-id",)

    @display(description="Account", ordering="account__name")
    def account_column(self, commitment: Commitment) -> SafeString:
        """Whose it is."""
        return link_cell("wallets_account", commitment.account_id, commitment.account.name)

    @display(description="Committed", ordering="amount")
    def amount_column(self, commitment: Commitment) -> SafeString:
        """Per interval."""
        amount = line_cell(commitment.amount, commitment.wallet.currency)
        return format_html("{} {}", amount, "an hour" if commitment.interval == "hour" else "a month")

    @display(description="Discount", ordering="discount_percent")
    def discount_column(self, commitment: Commitment) -> str:
        """Off list prices."""
        return f"{commitment.discount_percent.normalize():f} %"

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A commitment: how much of it is used, and its periods."""
        found = Commitment.objects.select_related("account", "wallet")
        commitment = found.filter(pk=object_id).first() if str(object_id).isdecimal() else None
        if commitment is None:
            raise Http404
        context = self.page_context(
            request,
            commitment,
            commitment=commitment,
            used=utilisation(commitment=commitment, at=now()),
            periods=list(commitment_periods(commitment=commitment).order_by("-index")[:PERIODS_SHOWN]),
        )
        return TemplateResponse(request, "admin/commitment_page.html", context)

    def get_urls(self) -> list[URLPattern]:
        """The action's page."""
        return [*self.action_urls(("make/", self.make_view, "make")), *super().get_urls()]

    @moves_money
    def make_view(self, request: HttpRequest) -> HttpResponse:
        """Commit a customer to an amount every interval."""
        self._may_make(request)

        def perform(answers: dict[str, Any]) -> str:
            made = make_commitment(
                account=account_by_key(key=answers["account"]), name=answers["name"], amount=answers["amount"],
                interval=answers["interval"], periods=answers["periods"], discount_percent=answers["discount_percent"],
                meters=[meter.code for meter in answers["meters"]], at=now(), starts_at=answers["starts_at"],
                actor=request.user.get_username(),
            )  # fmt: skip
            return f"{made.account.name} is committed until {made.ends_at:%d %b %Y}."

        page = ActionPage(
            "Make commitment", "Make commitment", CommitmentForm, reverse("admin:pricing_commitment_changelist"), perform,
            warning="It runs to the end of its term: there is no way to end it before. One that begins now is charged at once.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))
