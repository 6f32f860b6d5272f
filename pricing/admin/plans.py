"""Plans: what they cost and include, who subscribes; a new one, the next version, the end of the sale."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.core.paginator import Paginator
from django.db.models import Count, Q, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from unfold.decorators import display

from pricing.admin.plan_forms import NextVersionForm, PlanForm, SubscribeForm, answers_of, terms_asked
from pricing.plans.define import close_plan, define_plan, revise_plan
from pricing.plans.models import Plan, Subscription
from pricing.plans.states import LIVE
from pricing.plans.subscribe import subscribe
from wallets.accounts.queries import account_by_key
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.cells import line_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.clock import now
from wallets.money import ZERO

SUBSCRIBERS_SHOWN: Final = 50
LIST: Final = "admin:pricing_plan_changelist"


def button(title: str, name: str, icon: str, *args: Any, variant: str = "default") -> dict[str, Any]:
    """A button of Unfold's header, to the action page `name` of a model of this app."""
    link = reverse(f"admin:pricing_{name}", args=args)
    return {"title": title, "path": link, "icon": icon, "variant": variant, "attrs": {}}


@admin.register(Plan)
class PlanAdmin(ReadOnlyAdmin):
    """Plans by name."""

    list_display = ("name", "code", "version", "fee_column", "includes_column", "subscribers_column", "status_column")
    list_filter = ("interval",)
    search_fields = ("name__icontains", "code__icontains", "public_id__exact")
    search_help_text = "Name, code or id"
    ordering = ("-id",)
    paginator = Paginator
    show_full_result_count = True

    def get_queryset(self, request: HttpRequest) -> QuerySet[Plan]:
        """Plans with what they include and who is on them."""
        plans: QuerySet[Plan] = super().get_queryset(request)
        live = Count("subscriptions", filter=Q(subscriptions__state__in=LIVE), distinct=True)
        return plans.prefetch_related("allowances__meter").annotate(live=live)

    @display(description="Fee", ordering="fee")
    def fee_column(self, plan: Plan) -> SafeString:
        """Per interval."""
        return format_html("{} a {}", line_cell(plan.fee, plan.currency), plan.interval)

    @display(description="Includes")
    def includes_column(self, plan: Plan) -> str:
        """Its allowances."""
        return ", ".join(f"{allowance.quantity.normalize():,f} {allowance.meter.code}" for allowance in plan.allowances.all())

    @display(description="Subscribers")
    def subscribers_column(self, plan: Plan) -> int:
        """Not cancelled."""
        return int(plan.live)  # type: ignore[attr-defined]

    @display(description="Status", ordering="closed_at", label={"on sale": "success", "closed": None})
    def status_column(self, plan: Plan) -> str:
        """Can one subscribe to it?"""
        return "closed" if plan.closed_at else "on sale"

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("define/", self.define_view, "define"),
            ("<int:pk>/next-version/", self.revise_view, "revise"),
            ("<int:pk>/close/", self.close_view, "close"),
            ("<int:pk>/subscribe/", self.subscribe_view, "subscribe"),
        )
        return own + super().get_urls()

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to define a plan."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "add"):
            response.context_data["actions_list"] = [button("Define plan", "plan_define", "add", variant="primary")]
        return response

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """A plan with its terms and its subscribers."""
        plan = self._plan(object_id)
        subscribers = Subscription.objects.filter(plan=plan, state__in=LIVE).select_related("account").order_by("-id")
        buttons = []
        if plan.closed_at is None and self.allows(request, "change"):
            buttons += [
                button("Close", "plan_close", "block", plan.pk),
                button("Next version", "plan_revise", "edit", plan.pk),
            ]
        if plan.closed_at is None and request.user.has_perm("pricing.add_subscription"):
            buttons.append(button("Subscribe an account", "plan_subscribe", "person_add", plan.pk, variant="primary"))
        context = self.page_context(
            request,
            plan,
            plan=plan,
            allowances=list(plan.allowances.select_related("meter").order_by("id")),
            versions=list(Plan.objects.filter(code=plan.code).order_by("-version")),
            subscribers=list(subscribers[:SUBSCRIBERS_SHOWN]),
            subscriber_count=subscribers.count(),
            actions_detail=buttons,
        )
        return TemplateResponse(request, "admin/plan_page.html", context)

    def define_view(self, request: HttpRequest) -> HttpResponse:
        """A new plan."""
        if not self.allows(request, "add"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            plan = define_plan(code=answers["code"], terms=terms_asked(answers), at=now())
            self.log_addition(request, plan, f"Defined: {answers['reason']}")
            return f"Plan {plan.name} is on sale."

        page = ActionPage(
            "Define plan", "Define plan", PlanForm, reverse(LIST), perform,
            warning="A plan never changes; a change is its next version, and its subscribers stay until they are moved.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))

    def revise_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The next version of a plan."""
        plan = self._changeable(request, pk)

        def preview(answers: dict[str, Any]) -> list[Change]:
            return [Change("Fee", plan.fee, answers["fee"], plan.currency), Change("Name", plan.name, answers["name"])]

        def perform(answers: dict[str, Any]) -> str:
            revised = revise_plan(plan=plan, terms=terms_asked(answers, currency=plan.currency), at=now())
            self.log_addition(request, revised, f"Version {revised.version}: {answers['reason']}")
            return f"Version {revised.version} of {revised.name} is on sale."

        page = ActionPage(
            f"Next version of {plan.name}", "Put the next version on sale", NextVersionForm, self._page_of(plan), perform,
            preview, initial=answers_of(plan),
            warning="The present version is closed. Its subscribers stay on it until they are moved.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, plan))

    def close_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """The end of the sale."""
        plan = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            close_plan(plan=plan, at=now())
            self.log_change(request, plan, f"Closed: {answers['reason']}")
            return f"{plan.name} is not sold any more."

        page = ActionPage(
            f"Close {plan.name}", "Close plan", ReasonForm, self._page_of(plan), perform,
            lambda _: [Change("Status", "on sale", "closed")], warning="Nobody can subscribe to it any more. Subscribers stay.",
            danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, plan))

    @moves_money
    def subscribe_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Subscribe an account, paid from its wallet."""
        plan = self._plan(pk)
        if not request.user.has_perm("pricing.add_subscription"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            account = account_by_key(key=answers["account"])
            made = subscribe(account=account, plan=plan, at=now(), actor=request.user.get_username())
            return f"{account.name} is subscribed to {plan.name} as {made.public_id}."

        page = ActionPage(
            f"Subscribe an account to {plan.name}", "Subscribe", SubscribeForm, self._page_of(plan), perform,
            lambda _: [Change("Taken from the wallet now, unless a trial begins", ZERO, plan.fee, plan.currency)],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, plan))

    @staticmethod
    def _page_of(plan: Plan) -> str:
        return reverse("admin:pricing_plan_change", args=[plan.pk])

    def _plan(self, pk: int | str) -> Plan:
        plan = Plan.objects.select_related("price_book").filter(pk=pk).first() if str(pk).isdecimal() else None
        if plan is None:
            raise Http404
        return plan

    def _changeable(self, request: HttpRequest, pk: int) -> Plan:
        if not self.allows(request, "change"):
            raise PermissionDenied
        return self._plan(pk)
