"""Money back: refunds, disputes and withdrawals; pages that make a refund, say that a wire was sent, or stop a payout."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import User
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.approval_kinds import KINDS, ApprovalKind
from wallets.admin.cells import id_cell, line_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.admin.refund_forms import SentForm, refund_form
from wallets.admin.worklist import WaitingFirstFilter
from wallets.amount_text import headline_text
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.money import ZERO
from wallets.payments.models import TopUp
from wallets.payments.providers.registry import MANUAL
from wallets.refunds import refund as refunds
from wallets.refunds import withdraw as withdrawals
from wallets.refunds.models import Dispute, Refund, Withdrawal
from wallets.refunds.preview import Preview, preview_refund, refundable_now
from wallets.refunds.refund import Why, carry_out_refund, drop_refund, refund_top_up
from wallets.refunds.send import send_refund
from wallets.refunds.settle import confirm_sent
from wallets.refunds.states import CANCELLABLE, CREATED, ON_ITS_WAY
from wallets.refunds.withdraw import approve_withdrawal, cancel_withdrawal, decline_withdrawal

COLOURS: Final = {
    "WAITING": "warning", "CREATED": "info", "PENDING": "info", "SUCCEEDED": "success", "FAILED": "danger", "DECLINED": None,
    "INQUIRY": "info", "OPEN": "warning", "WON": "success", "LOST": "danger", "CLOSED": None,
    "REQUESTED": None, "CONFIRMED": "warning", "APPROVED": "info", "PAYING": "info", "PAID": "success", "CANCELLED": None,
    "LAPSED": None,
}  # fmt: skip


class RefundFilter(WaitingFirstFilter):
    """What is not at its end by default."""

    title = "state"
    parameter_name = "state"
    default = ("Under way", Q(state__in=["WAITING", "CREATED", "PENDING"]))
    others = {"sent": ("Sent", Q(state="SUCCEEDED")), "failed": ("Failed or declined", Q(state__in=["FAILED", "DECLINED"]))}


class DisputeFilter(WaitingFirstFilter):
    """What the bank has not decided by default."""

    title = "state"
    parameter_name = "state"
    default = ("Undecided", Q(state__in=["INQUIRY", "OPEN"]))
    others = {"won": ("Won", Q(state="WON")), "lost": ("Lost", Q(state="LOST")), "closed": ("Closed", Q(state="CLOSED"))}


class WithdrawalFilter(WaitingFirstFilter):
    """What is not at its end by default."""

    title = "state"
    parameter_name = "state"
    default = ("Under way", Q(state__in=["REQUESTED", "CONFIRMED", "APPROVED", "PAYING"]))
    others = {
        "paid": ("Paid", Q(state="PAID")),
        "ended": ("Not paid", Q(state__in=["CANCELLED", "DECLINED", "LAPSED", "FAILED"])),
    }


class MoneyBackAdmin(ReadOnlyAdmin):
    """What the three lists share."""

    list_select_related: ClassVar[Any] = ("wallet__account",)
    ordering = ("-id",)
    amount_field = "total"

    @display(description="Account")
    def account_column(self, row: Any) -> str:
        """Whose money."""
        return str(row.wallet.account.name)

    @display(description="Id")
    def id_column(self, row: Any) -> SafeString:
        """Its public id."""
        return id_cell(row.public_id)

    @display(description="State", ordering="state", label=COLOURS)
    def state_column(self, row: Any) -> str:
        """Where it stands."""
        return str(row.state)

    @display(description="Amount")
    def amount_column(self, row: Any) -> SafeString:
        """The money."""
        return line_cell(getattr(row, self.amount_field), row.currency)

    def row_of(self, pk: int | str) -> Any:
        """The record. Raises Http404."""
        found = self.model.objects.select_related(*self.list_select_related)
        row = found.filter(pk=pk).first() if str(pk).isdecimal() else None
        if row is None:
            raise Http404
        return row

    def show(
        self, request: HttpRequest, row: Any, facts: list[tuple[str, str, str]], buttons: list[tuple[str, str]]
    ) -> HttpResponse:
        """The record's page. facts: label, text, link."""
        actions = [
            {"title": title, "path": reverse(f"admin:wallets_{self.opts.model_name}_{name}", args=[row.pk]), "icon": "payments",
             "variant": "default", "attrs": {}}
            for title, name in buttons
        ]  # fmt: skip
        context = self.page_context(
            request, row, title=f"{self.opts.verbose_name} {row.public_id}".capitalize(), row=row, facts=facts,
            amount=getattr(row, self.amount_field), actions_detail=actions,
        )  # fmt: skip
        return TemplateResponse(request, "admin/money_back_page.html", context)


@admin.register(Refund)
class RefundAdmin(MoneyBackAdmin):
    """Refunds: found by id, top-up, the provider's id or the account key."""

    list_display = ("account_column", "id_column", "amount_column", "origin", "reason", "created_at", "state_column")
    list_display_links = ("account_column", "id_column")
    list_select_related: ClassVar[Any] = ("wallet__account", "top_up", "approval")
    list_filter = (RefundFilter, "origin")
    search_fields = ("public_id__exact", "top_up__public_id__exact", "provider_ref__exact", "wallet__account__key__exact")
    search_help_text = "Refund id, top-up id, the provider's id, or account key"

    def get_urls(self) -> list[URLPattern]:
        """The pages that make a refund, and that say it was sent."""
        own = self.action_urls(
            ("top-up/<int:pk>/", self.refund_view, "make"), ("<int:pk>/sent/", self.sent_view, "sent")
        )  # fmt: skip
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What went back, of what, why, and who said so."""
        refund = self.row_of(object_id)
        facts = [
            ("Top-up", refund.top_up.public_id, _address("topup", refund.top_up_id)),
            ("Credit taken back", headline_text(refund.credit, refund.currency), ""),
            ("of it from the lot", headline_text(refund.from_lot, refund.currency), ""),
            ("used already, owed now", headline_text(refund.owed, refund.currency), ""),
            ("Bonus taken back", headline_text(refund.bonus, refund.currency), ""),
            ("Tax", headline_text(refund.tax, refund.currency), ""),
            ("Fee", headline_text(refund.fee, refund.currency), ""),
            ("Why", f"{refund.reason} {refund.note}".strip(), ""),
            ("By", refund.actor, ""),
            ("At the provider", refund.provider_ref or "not there yet", ""),
        ]
        if refund.approval:
            facts.append(("Approval", refund.approval.state.lower(), _address("approval", refund.approval_id)))
        if refund.failure_code:
            facts.append(("Failed", refund.failure_code, ""))
        by_hand = refund.provider == MANUAL and refund.state in ON_ITS_WAY and self.allows(request, "change")
        return self.show(request, refund, facts, [("Money was sent", "sent")] if by_hand else [])

    @moves_money
    def refund_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Refund a top-up."""
        if not self.allows(request, "add"):
            raise PermissionDenied
        top_up = TopUp.objects.select_related("wallet__account", "lot").filter(pk=pk).first()
        if top_up is None:
            raise Http404
        person: User = request.user  # type: ignore[assignment]
        can = refundable_now(top_up=top_up, at=now())

        def perform(answers: dict[str, Any]) -> str:
            at = now()
            refund = refund_top_up(
                top_up=top_up,
                credit=answers["amount"],
                why=Why(answers["reason"], answers["note"], by=person),
                overrides=answers["overrides"],
                at=at,
            )
            if refund.state != CREATED:
                return f"Refund {refund.public_id} of {_money(refund)} waits for another person's approval."
            _send_after_commit(refund, at)
            return f"Refund {refund.public_id} of {_money(refund)} is on its way."

        page = ActionPage(
            f"Refund top-up {top_up.public_id}", "Refund", refund_form(can, top_up.currency),
            _address("topup", top_up.pk), perform,
            lambda answers: _changes(
                preview_refund(top_up=top_up, credit=answers["amount"], by=person, overrides=answers["overrides"], at=now()),
                top_up.currency,
            ),
            warning="Money that has left cannot be called back.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, None))

    @moves_money
    def sent_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Finance has sent a wire."""
        if not self.allows(request, "change"):
            raise PermissionDenied
        refund = self.row_of(pk)
        person: User = request.user  # type: ignore[assignment]

        def perform(answers: dict[str, Any]) -> str:
            confirm_sent(refund=refund, reference=answers["reference"], actor=person.email, at=now())
            return f"{_money(refund)} was sent."

        page = ActionPage(
            "Money was sent", "It was sent", SentForm, _address("refund", refund.pk), perform,
            lambda _: [Change("Owed to the customer", refund.total, ZERO, refund.currency)],
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, refund))


@admin.register(Dispute)
class DisputeAdmin(MoneyBackAdmin):
    """Disputes: found by id, top-up, the provider's id or the account key."""

    list_display = ("account_column", "id_column", "amount_column", "reason", "evidence_due_at", "opened_at", "state_column")
    list_display_links = ("account_column", "id_column")
    list_select_related: ClassVar[Any] = ("wallet__account", "top_up")
    list_filter = (DisputeFilter,)
    search_fields = ("public_id__exact", "top_up__public_id__exact", "provider_ref__exact", "wallet__account__key__exact")
    search_help_text = "Dispute id, top-up id, the provider's id, or account key"

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What the bank took, and what that did to the credit."""
        dispute = self.row_of(object_id)
        due = dispute.evidence_due_at
        facts = [
            ("Top-up", dispute.top_up.public_id, _address("topup", dispute.top_up_id)),
            ("Why, the bank says", dispute.reason.replace("_", " "), ""),
            ("Answer it at the provider by", f"{due:%d %b %Y %H:%M} UTC" if due else "no day is set", ""),
            ("Credit frozen", headline_text(dispute.from_lot, dispute.currency), ""),
            ("Used already, owed", headline_text(dispute.owed, dispute.currency), ""),
            ("of it written off", headline_text(dispute.written_off, dispute.currency), ""),
            ("Bonus frozen", headline_text(dispute.bonus, dispute.currency), ""),
            ("Tax", headline_text(dispute.tax, dispute.currency), ""),
            ("Fee", headline_text(dispute.fee, dispute.currency), ""),
            ("Wallet frozen", "yes" if dispute.froze_wallet else "no", _address("wallet", dispute.wallet_id)),
            ("At the provider", dispute.provider_ref, ""),
        ]
        return self.show(request, dispute, facts, [])


@admin.register(Withdrawal)
class WithdrawalAdmin(MoneyBackAdmin):
    """Withdrawals: found by id, wallet, account key or who asked."""

    amount_field = "amount"
    list_display = ("account_column", "id_column", "amount_column", "asked_by", "payable_at", "created_at", "state_column")
    list_display_links = ("account_column", "id_column")
    list_select_related: ClassVar[Any] = ("wallet__account", "asked_by", "approval")
    list_filter = (WithdrawalFilter,)
    search_fields = ("public_id__exact", "wallet__public_id__exact", "wallet__account__key__exact", "asked_by__email__iexact")
    search_help_text = "Withdrawal id, wallet id, account key, or e-mail address of who asked"

    def get_urls(self) -> list[URLPattern]:
        """The page that stops a payout."""
        return [*self.action_urls(("<int:pk>/cancel/", self.cancel_view, "cancel")), *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """Who asked, what stands in the way, what was paid to where."""
        withdrawal = self.row_of(object_id)
        facts = [
            ("Wallet", withdrawal.wallet.public_id, _address("wallet", withdrawal.wallet_id)),
            ("Asked by", withdrawal.asked_by.email, ""),
            ("Known again by", "password and second factor" if withdrawal.second_factor else "password", ""),
            ("Confirmed", _moment(withdrawal.confirmed_at), ""),
            ("Not paid before", _moment(withdrawal.payable_at), ""),
            ("Paid, with tax", headline_text(withdrawal.paid, withdrawal.currency), ""),
            ("Note", withdrawal.note or "none", ""),
        ]
        if withdrawal.approval:
            facts.append(("Approval", withdrawal.approval.state.lower(), _address("approval", withdrawal.approval_id)))
        if withdrawal.failure:
            facts.append(("Not paid", withdrawal.failure, ""))
        facts += [
            (f"Refund, {one.state.lower()}", _money(one), _address("refund", one.pk))
            for one in withdrawal.refunds.order_by("id")
        ]
        can = withdrawal.state in CANCELLABLE and self.allows(request, "change")
        return self.show(request, withdrawal, facts, [("Cancel", "cancel")] if can else [])

    @moves_money
    def cancel_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Stop a payout: the credit is free again."""
        if not self.allows(request, "change"):
            raise PermissionDenied
        withdrawal = self.row_of(pk)

        def perform(_: dict[str, Any]) -> str:
            cancel_withdrawal(withdrawal=withdrawal, at=now())
            return f"Withdrawal {withdrawal.public_id} is cancelled; the credit is free."

        page = ActionPage(
            "Cancel withdrawal", "Cancel withdrawal", ReasonForm, _address("withdrawal", withdrawal.pk), perform,
            lambda _: [Change("State", withdrawal.state.lower(), "cancelled")], danger=True,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, withdrawal))


def _changes(preview: Preview, currency: str) -> list[Change]:
    balance = preview.balance
    changes = [
        Change("Balance", balance, balance - preview.credit - preview.bonus, currency),
        Change("Unused of this top-up", preview.unused, max(preview.unused - preview.credit, ZERO), currency),
        Change("Tax collected on it", preview.tax_left, preview.tax_left - preview.tax, currency),
        Change("To the customer", ZERO, preview.money, currency),
    ]
    if preview.bonus:
        changes.append(Change("Bonus credit taken back", ZERO, preview.bonus, currency))
    if preview.owed:
        changes.append(Change("Owed by the customer", ZERO, preview.owed, currency))
    return [*changes, Change("When", "", "after another person approved it" if preview.needs_approval else "at once")]


def _money(refund: Refund) -> str:
    return str(headline_text(refund.total, refund.currency))


def _moment(moment: datetime | None) -> str:
    return f"{moment:%d %b %Y %H:%M} UTC" if moment else "not yet"


def _address(name: str, pk: int) -> str:
    return reverse(f"admin:wallets_{name}_change", args=[pk])


def _send_after_commit(refund: Refund, at: datetime) -> None:
    """The provider is asked once the row is committed; what that misses, the sweep sends."""
    transaction.on_commit(lambda: send_refund(refund=refund, at=at), robust=True)


def _approved_refund(approval: Approval, at: datetime) -> str:
    refund = carry_out_refund(approval=approval, at=at)
    _send_after_commit(refund, at)
    return f"Approved: {_money(refund)} is on its way to the customer."


def _approved_withdrawal(approval: Approval, at: datetime) -> str:
    withdrawal = approve_withdrawal(approval=approval, at=at)
    return f"Approved: it is paid after {_moment(withdrawal.payable_at)}, unless it is cancelled before."


def _dropped_refund(approval: Approval, at: datetime) -> None:
    drop_refund(approval=approval, at=at)


def _declined_withdrawal(approval: Approval, at: datetime) -> None:
    decline_withdrawal(approval=approval, at=at)


def _refund_changes(approval: Approval) -> list[Change]:
    refund = Refund.objects.select_related("wallet").get(public_id=approval.subject)
    before = refund.wallet.balance
    return [
        Change("Balance", before, before - refund.credit, refund.currency),
        Change("To the customer", ZERO, refund.total, refund.currency),
        Change("Used credit too", "", "yes, the customer owes it then" if refund.overrides else "no"),
    ]


def _withdrawal_changes(approval: Approval) -> list[Change]:
    withdrawal = Withdrawal.objects.select_related("wallet").get(public_id=approval.subject)
    wallet: Wallet = withdrawal.wallet
    return [
        Change("Balance", wallet.balance, wallet.balance - withdrawal.amount, withdrawal.currency),
        Change("To the customer, and tax", ZERO, Decimal(withdrawal.amount), withdrawal.currency),
    ]


def _page_of(model: type[Refund | Withdrawal], name: str) -> Callable[[Approval], str | None]:
    def page(approval: Approval) -> str | None:
        pk = model.objects.filter(public_id=approval.subject).values_list("pk", flat=True).first()
        return _address(name, pk) if pk else None

    return page


KINDS[refunds.APPROVAL] = ApprovalKind("Refund", _approved_refund, _dropped_refund, _refund_changes, _page_of(Refund, "refund"))
KINDS[withdrawals.APPROVAL] = ApprovalKind(
    "Withdrawal", _approved_withdrawal, _declined_withdrawal, _withdrawal_changes, _page_of(Withdrawal, "withdrawal")
)
