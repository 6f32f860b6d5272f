"""The queue of what waits for a second person: who asked for what and why, and the buttons of those who may decide it."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q, QuerySet
from django.forms import CharField, Form
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import UnfoldAdminTextareaWidget

from wallets.admin.action_page import MAX_REASON, ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.approval_kinds import KINDS, kind_of
from wallets.admin.cells import line_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.admin.rules_page import RulesAdmin
from wallets.admin.worklist import WaitingFirstFilter, buttons_of
from wallets.amount_text import headline_text
from wallets.approvals.carry_out import approve_and_do, decline_and_drop
from wallets.approvals.decide import withdraw_approval
from wallets.approvals.models import Approval, ApprovalLimit
from wallets.clock import now

LIST: Final = "admin:wallets_approval_changelist"
COLOURS: Final = {"WAITING": "warning", "APPROVED": "success", "DECLINED": "danger", "WITHDRAWN": None}


class AnswerForm(Form):
    """What is said with an approval, if anything."""

    answer = CharField(
        max_length=MAX_REASON, required=False, label="Note", widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}),
        help_text="Kept with the decision, for whoever asked and whoever asks later.",
    )  # fmt: skip


class StateFilter(WaitingFirstFilter):
    """Waiting ones by default."""

    title = "state"
    parameter_name = "state"
    default = ("Waiting", Q(state="WAITING"))
    others = {
        "approved": ("Approved", Q(state="APPROVED")),
        "declined": ("Declined", Q(state="DECLINED")),
        "withdrawn": ("Withdrawn", Q(state="WITHDRAWN")),
    }


class KindFilter(admin.SimpleListFilter):
    """By what is approved."""

    title = "what"
    parameter_name = "kind"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:  # noqa: ARG002 - Django's signature
        """The kinds there are."""
        return [(name, kind.title) for name, kind in KINDS.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Approval]) -> QuerySet[Approval]:  # noqa: ARG002
        """The approvals of the choice."""
        return queryset.filter(kind=self.value()) if self.value() else queryset


@admin.register(Approval)
class ApprovalAdmin(ReadOnlyAdmin):
    """Approvals: found by id, what they are about, account key or who asked."""

    list_display = ("what_column", "account_column", "amount_column", "reason", "asked_by_column", "asked_at", "state_column")
    list_display_links = ("what_column", "account_column")
    list_select_related = ("account", "asked_by")
    list_filter = (StateFilter, KindFilter)
    search_fields = ("public_id__exact", "subject__exact", "account__key__exact", "asked_by__email__iexact")
    search_help_text = "Approval id, the id of what it is about, account key, or e-mail address of who asked"
    ordering = ("-asked_at", "-id")

    @display(description="What", ordering="kind")
    def what_column(self, approval: Approval) -> str:
        """The kind of thing."""
        return title_of(approval)

    @display(description="Account")
    def account_column(self, approval: Approval) -> str:
        """Whose money."""
        return approval.account.name if approval.account else ""

    @display(description="Amount", ordering="amount")
    def amount_column(self, approval: Approval) -> SafeString:
        """What it is worth."""
        return line_cell(approval.amount, approval.currency)

    @display(description="Asked by", ordering="asked_by__email")
    def asked_by_column(self, approval: Approval) -> str:
        """Who cannot decide it."""
        return approval.asked_by.email

    @display(description="State", ordering="state", label=COLOURS)
    def state_column(self, approval: Approval) -> str:
        """Where it stands."""
        return approval.state

    def get_urls(self) -> list[URLPattern]:
        """The decisions' pages."""
        own = self.action_urls(
            ("<int:pk>/approve/", self.approve_view, "approve"),
            ("<int:pk>/decline/", self.decline_view, "decline"),
            ("<int:pk>/withdraw/", self.withdraw_view, "withdraw"),
        )
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What is asked, what approving would do, and what was decided."""
        approval = self._approval(object_id)
        waiting, own = approval.state == "WAITING", approval.asked_by_id == request.user.pk
        kind = KINDS.get(approval.kind)
        context = self.page_context(
            request,
            approval,
            title=title_of(approval),
            approval=approval,
            kind_title=title_of(approval),
            subject_page=kind.page(approval) if kind else None,
            changes=kind.changes(approval) if kind and waiting else (),
            waits_for_another=waiting and own,
            waits_for_an_approver=waiting and not own and not self.allows(request, "change"),
            actions_detail=self._buttons(request, approval) if waiting else [],
        )
        return TemplateResponse(request, "admin/approval_page.html", context)

    @moves_money
    def approve_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Approve, and have it carried out."""
        approval = self._decidable(request, pk)
        kind = kind_of(approval)

        def perform(answers: dict[str, Any]) -> str:
            return approve_and_do(approval_id=approval.public_id, by=request.user, at=now(), answer=answers["answer"])  # type: ignore[arg-type]

        page = ActionPage(
            f"Approve {kind.title.lower()}", "Approve", AnswerForm, _page_of(approval), perform,
            lambda _: [_decision(approval, "approved by you"), *kind.changes(approval)],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, approval))

    @moves_money
    def decline_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Decline, saying why."""
        approval = self._decidable(request, pk)
        kind = kind_of(approval)

        def perform(answers: dict[str, Any]) -> str:
            decline_and_drop(approval_id=approval.public_id, by=request.user, at=now(), answer=answers["reason"])  # type: ignore[arg-type]
            return "Declined; nothing was moved."

        page = ActionPage(
            f"Decline {kind.title.lower()}", "Decline", ReasonForm, _page_of(approval), perform,
            lambda _: [_decision(approval, "declined by you")], danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, approval))

    def withdraw_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Whoever asked takes the question back."""
        approval = self._approval(pk)
        if not self.has_view_permission(request) or approval.asked_by_id != request.user.pk:
            raise PermissionDenied
        kind = kind_of(approval)

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            kind.declined(withdraw_approval(approval_id=approval.public_id, at=at, answer=answers["reason"]), at)
            return "Withdrawn; nothing was moved."

        page = ActionPage(
            f"Withdraw {kind.title.lower()}",
            "Withdraw",
            ReasonForm,
            _page_of(approval),
            perform,
            lambda _: [_decision(approval, "withdrawn")],
        )
        return run_action_page(request, page, self.page_context(request, approval))

    def _approval(self, pk: int | str) -> Approval:
        found = Approval.objects.select_related("account", "asked_by", "decided_by")
        approval = found.filter(pk=pk).first() if str(pk).isdecimal() else None
        if approval is None:
            raise Http404
        return approval

    def _decidable(self, request: HttpRequest, pk: int) -> Approval:
        approval = self._approval(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        return approval

    def _buttons(self, request: HttpRequest, approval: Approval) -> list[dict[str, Any]]:
        """Deciding is for another person who may; withdrawing for whoever asked."""
        buttons: list[tuple[str, str, str, str]] = []
        if approval.asked_by_id == request.user.pk:
            buttons.append(("Withdraw", "approval_withdraw", "undo", "default"))
        elif self.allows(request, "change"):
            buttons.append(("Decline", "approval_decline", "close", "default"))
            buttons.append(("Approve", "approval_approve", "check", "primary"))
        return buttons_of(buttons, approval.pk)


@admin.register(ApprovalLimit)
class ApprovalLimitAdmin(RulesAdmin):
    """Up to which amount a role needs nobody else."""

    list_display = ("role", "kind", "currency", "amount")
    list_select_related = ("role",)
    list_filter = ("role",)
    ordering = ("role__name", "kind", "currency")


def title_of(approval: Approval) -> str:
    """Adjustment, Withdrawal …; the bare kind when nobody knows it."""
    kind = KINDS.get(approval.kind)
    return kind.title if kind else approval.kind.capitalize()


def _decision(approval: Approval, after: str) -> Change:
    asked = f"asked by {approval.asked_by.email}"
    return Change(f"{title_of(approval)}, {headline_text(approval.amount, approval.currency)}", asked, after)


def _page_of(approval: Approval) -> str:
    return reverse("admin:wallets_approval_change", args=[approval.pk])
