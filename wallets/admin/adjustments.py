"""Adjustments: credit moved by hand, with its reason, what proves it, and who approved it."""

from __future__ import annotations

from datetime import datetime, time, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display

from wallets.accounts.models import User
from wallets.adjustments.adjust import APPROVALS, adjust_balance, drop_adjustment, post_approved, posted_alone_by
from wallets.adjustments.models import Adjustment, Attachment, ReasonCode
from wallets.admin.action_page import ActionPage, Change, run_action_page
from wallets.admin.adjustment_form import adjustment_form
from wallets.admin.approval_kinds import KINDS, ApprovalKind
from wallets.admin.cells import line_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.admin.rules_page import RulesAdmin
from wallets.admin.worklist import WaitingFirstFilter
from wallets.amount_text import headline_text
from wallets.approvals.limits import needs_approval
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.money import ZERO

Kind = Adjustment.Kind
TITLES: Final = {"goodwill": "Goodwill credit", "correction": "Correction", "write_off": "Write-off"}


class StateFilter(WaitingFirstFilter):
    """All by default: what waits is in the queue of approvals."""

    title = "state"
    parameter_name = "state"
    default = ("All", Q())
    others = {
        "waiting": ("Waiting", Q(state="WAITING")),
        "posted": ("Posted", Q(state="POSTED")),
        "declined": ("Declined", Q(state="DECLINED")),
    }

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        """The states."""
        return super().lookups(request, model_admin)[:-1]


@admin.register(Adjustment)
class AdjustmentAdmin(ReadOnlyAdmin):
    """Adjustments: found by id, wallet id, account key or who asked."""

    list_display = ("account_column", "kind_column", "amount_column", "reason", "asked_by_column", "asked_at", "state_column")
    list_display_links = ("account_column", "kind_column")
    list_select_related = ("wallet__account", "reason", "asked_by")
    list_filter = (StateFilter, "kind")
    search_fields = ("public_id__exact", "wallet__public_id__exact", "wallet__account__key__exact", "asked_by__email__iexact")
    search_help_text = "Adjustment id, wallet id, account key, or e-mail address of who asked"
    ordering = ("-id",)

    @display(description="Account")
    def account_column(self, adjustment: Adjustment) -> str:
        """Whose balance."""
        return adjustment.wallet.account.name

    @display(description="What", ordering="kind")
    def kind_column(self, adjustment: Adjustment) -> str:
        """Which way."""
        return str(adjustment.get_kind_display())

    @display(description="Amount", ordering="amount")
    def amount_column(self, adjustment: Adjustment) -> SafeString:
        """With its sign, as it changes the balance."""
        down = adjustment.kind == Kind.DEBIT
        return line_cell(-adjustment.amount if down else adjustment.amount, adjustment.currency)

    @display(description="Asked by", ordering="asked_by__email")
    def asked_by_column(self, adjustment: Adjustment) -> str:
        """Who wanted it."""
        return adjustment.asked_by.email

    @display(description="State", ordering="state", label={"WAITING": "warning", "POSTED": "success", "DECLINED": "danger"})
    def state_column(self, adjustment: Adjustment) -> str:
        """Where it stands."""
        return adjustment.state

    def get_urls(self) -> list[URLPattern]:
        """The form's page, and the files."""
        own = self.action_urls(
            ("wallet/<int:pk>/", self.adjust_view, "adjust"),
            ("<int:pk>/file/<str:file_id>/", self.file_view, "file"),
        )
        return [*own, *super().get_urls()]

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What was asked, by whom, why, with which proof; who approved it; what it did."""
        adjustment = self._adjustment(object_id)
        context = self.page_context(
            request,
            adjustment,
            title=str(adjustment.get_kind_display()),
            adjustment=adjustment,
            change=-adjustment.amount if adjustment.kind == Kind.DEBIT else adjustment.amount,
            files=list(adjustment.attachments.defer("content").select_related("uploaded_by").order_by("id")),
        )
        return TemplateResponse(request, "admin/adjustment_page.html", context)

    @moves_money
    def adjust_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Adjust a wallet."""
        if not self.allows(request, "add"):
            raise PermissionDenied
        wallet = Wallet.objects.select_related("account").filter(pk=pk).first()
        if wallet is None:
            raise Http404
        person: User = request.user  # type: ignore[assignment]

        def perform(answers: dict[str, Any]) -> str:
            adjustment = adjust_balance(
                wallet=wallet,
                kind=answers["kind"],
                amount=answers["amount"],
                reason_code=answers["reason"].code,
                note=answers["note"],
                by=person,
                at=now(),
                expires_at=end_of(answers["valid_through"], wallet.account.time_zone),
                attachments=[answers["attachment"]] if answers["attachment"] else (),
            )
            amount = headline_text(adjustment.amount, wallet.currency)
            if adjustment.state == Adjustment.State.WAITING:
                return f"{adjustment.get_kind_display()} of {amount} waits for another person's approval."
            return f"{adjustment.get_kind_display()} of {amount} is posted as {adjustment.public_id}."

        def preview(answers: dict[str, Any]) -> list[Change]:
            changes = changes_of(wallet, answers["kind"], answers["amount"])
            at, kind, amount = now(), answers["kind"], answers["amount"]
            sum_of_day = amount + posted_alone_by(person, kind=kind, currency=wallet.currency, at=at)
            alone = not needs_approval(user=person, amount=sum_of_day, currency=wallet.currency, kind=APPROVALS[kind])
            goes = "posted at once" if alone else "after another person’s approval"  # noqa: RUF001 - typography
            return [*changes, Change("When", "", goes)]

        page = ActionPage(
            "Adjust balance", "Adjust balance", adjustment_form(person),
            reverse("admin:wallets_wallet_change", args=[wallet.pk]), perform, preview,
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, wallet))

    def file_view(self, request: HttpRequest, pk: int, file_id: str) -> HttpResponse:
        """A file, to keep: the browser is told not to show it and not to guess what it is."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        attachment = Attachment.objects.filter(adjustment_id=pk, public_id=file_id).first()
        if attachment is None:
            raise Http404
        response = HttpResponse(bytes(attachment.content), content_type="application/octet-stream")
        response["Content-Disposition"] = f'attachment; filename="{attachment.name.encode("ascii", "replace").decode()}"'
        response["X-Content-Type-Options"] = "nosniff"
        response["Content-Security-Policy"] = "sandbox; default-src 'none'"
        response["Cache-Control"] = "private, no-store"
        return response

    def _adjustment(self, pk: int | str) -> Adjustment:
        found = Adjustment.objects.select_related("wallet__account", "reason", "asked_by", "approval__decided_by")
        adjustment = found.filter(pk=pk).first() if str(pk).isdecimal() else None
        if adjustment is None:
            raise Http404
        return adjustment


@admin.register(ReasonCode)
class ReasonCodeAdmin(RulesAdmin):
    """Why money is moved by hand; a code that was used stays, and is retired instead of deleted."""

    list_display = ("title", "code", "is_active")
    list_filter = ("is_active",)
    ordering = ("title",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Retired, not deleted."""
        return False

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> tuple[str, ...]:  # noqa: ARG002 - Django's signature
        """The code is in the books."""
        return ("code",) if obj else ()


def changes_of(wallet: Wallet, kind: str, amount: Any) -> list[Change]:
    """Balance and what is owed, before and after an adjustment of this kind."""
    change = -amount if kind == Kind.DEBIT else amount
    owed = wallet.overdraft
    repaid = ZERO if kind == Kind.DEBIT else min(owed, amount)
    changes = [Change("Balance", wallet.balance, wallet.balance + change, wallet.currency)]
    if owed:
        changes.append(Change("Owed", owed, owed - repaid, wallet.currency))
    return [*changes, Change("Available", wallet.available, wallet.available + change, wallet.currency)]


def end_of(last_day: Any, zone: str) -> datetime | None:
    """The moment after the last day, in the account's zone."""
    return None if last_day is None else datetime.combine(last_day + timedelta(days=1), time.min, tzinfo=ZoneInfo(zone))


def _approved(approval: Approval, at: datetime) -> str:
    adjustment = post_approved(approval=approval, at=at)
    return f"Approved: {adjustment.public_id} is posted."


def _dropped(approval: Approval, at: datetime) -> None:
    drop_adjustment(approval=approval, at=at)


def _changes(approval: Approval) -> list[Change]:
    adjustment = Adjustment.objects.select_related("wallet").get(public_id=approval.subject)
    return changes_of(adjustment.wallet, adjustment.kind, adjustment.amount)


def _page(approval: Approval) -> str | None:
    pk = Adjustment.objects.filter(public_id=approval.subject).values_list("pk", flat=True).first()
    return reverse("admin:wallets_adjustment_change", args=[pk]) if pk else None


KINDS.update({kind: ApprovalKind(title, _approved, _dropped, _changes, _page) for kind, title in TITLES.items()})
