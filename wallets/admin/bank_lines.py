"""Wires: what is expected, what the bank says came, and what could not be matched."""

from __future__ import annotations

from typing import Any, Final

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Q
from django.forms import CharField, DecimalField, FileField, Form, ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.safestring import SafeString
from unfold.decorators import display
from unfold.widgets import (
    UnfoldAdminDecimalFieldWidget,
    UnfoldAdminFileFieldWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from wallets.accounts.models import User
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.admin.approval_kinds import KINDS, ApprovalKind
from wallets.admin.cells import line_cell
from wallets.admin.read_only import ReadOnlyAdmin, moves_money
from wallets.admin.worklist import WaitingFirstFilter, buttons_of, deeds_on
from wallets.amount_text import headline_text
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.clock import now
from wallets.errors import NotFound
from wallets.money import DIGITS, QUANTUM, SCALE
from wallets.payments.bank_csv import COLUMNS, LinesUnreadable, read_bank_lines
from wallets.payments.bank_models import BankLine
from wallets.payments.find import top_up_by_id
from wallets.payments.models import TopUp
from wallets.payments.wire import (
    drop_match,
    expect_wire,
    ignore_line,
    match_line,
    pay_approved,
    reference_of,
    take_in,
)

MOST_BYTES: Final = 1024 * 1024
LINES_SHOWN: Final = 200
LIST: Final = "admin:wallets_bankline_changelist"


class ImportForm(Form):
    """The bank's lines, from a file or pasted."""

    file = FileField(required=False, widget=UnfoldAdminFileFieldWidget, help_text=f"CSV with the columns {', '.join(COLUMNS)}.")
    lines = CharField(
        required=False, max_length=MOST_BYTES, widget=UnfoldAdminTextareaWidget(attrs={"rows": 8}),
        label="Or paste them",
        help_text="With the line that names the columns. Lines that were taken in before are left alone.",
    )  # fmt: skip

    def clean(self) -> dict[str, Any]:
        """Whatever was chosen, from now on the form carries the text."""
        answers = super().clean() or {}
        file, text = answers.get("file"), answers.get("lines") or ""
        if file:
            text = file.read(MOST_BYTES + 1).decode("utf-8", "replace")
        if len(text) > MOST_BYTES:
            raise ValidationError("The file is larger than is taken: at most 1 MB.")
        try:
            rows = read_bank_lines(text)
        except LinesUnreadable as refusal:
            raise ValidationError(refusal.message) from refusal
        self.data = {**self.data.dict(), "lines": text}  # type: ignore[attr-defined]
        self.cleaned_data = {"rows": rows}
        return self.cleaned_data


class MatchForm(ReasonForm):
    """Which top-up a line pays."""

    field_order = ["top_up", "reason"]
    top_up = CharField(
        max_length=40, widget=UnfoldAdminTextInputWidget,
        help_text="Id of the wire top-up (top_…), of the same amount. Expect one on the wallet's page when there is none.",
    )  # fmt: skip


class WireForm(Form):
    """A wire a customer has announced. Units: the wallet's currency."""

    amount = DecimalField(
        max_digits=DIGITS, decimal_places=SCALE, min_value=QUANTUM, widget=UnfoldAdminDecimalFieldWidget,
        help_text="What becomes credit; tax comes on top.",
    )  # fmt: skip
    note = CharField(max_length=500, required=False, widget=UnfoldAdminTextareaWidget(attrs={"rows": 2}))


class StateFilter(WaitingFirstFilter):
    """Unmatched ones by default."""

    title = "state"
    parameter_name = "state"
    default = ("Unmatched", Q(state="UNMATCHED"))
    others = {
        "waiting": ("Waiting for approval", Q(state="WAITING")),
        "matched": ("Matched", Q(state="MATCHED")),
        "ignored": ("Ignored", Q(state="IGNORED")),
    }


@admin.register(BankLine)
class BankLineAdmin(ReadOnlyAdmin):
    """Bank lines: found by id, the bank's id, or payer."""

    list_display = ("booked_date", "payer", "amount_column", "text", "why", "state_column")
    list_display_links = ("booked_date", "payer")
    list_filter = (StateFilter, "booked_date")
    search_fields = ("public_id__exact", "bank_id__exact", "payer__icontains", "top_up__public_id__exact")
    search_help_text = "Id, the bank's id, payer or top-up id"
    ordering = ("-booked_date", "-id")

    @display(description="Amount", ordering="amount")
    def amount_column(self, line: BankLine) -> SafeString:
        """What came."""
        return line_cell(line.amount, line.currency)

    @display(
        description="State", ordering="state",
        label={"UNMATCHED": "warning", "WAITING": "info", "MATCHED": "success", "IGNORED": None},
    )  # fmt: skip
    def state_column(self, line: BankLine) -> str:
        """Is it credit yet?"""
        return line.state

    def get_urls(self) -> list[URLPattern]:
        """The actions' pages."""
        own = self.action_urls(
            ("import/", self.import_view, "import"),
            ("expect/<int:pk>/", self.expect_view, "expect"),
            ("<int:pk>/match/", self.match_view, "match"),
            ("<int:pk>/ignore/", self.ignore_view, "ignore"),
        )
        return [*own, *super().get_urls()]

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """The list, with the way to take lines in."""
        response = super().changelist_view(request, extra_context)
        if isinstance(response, TemplateResponse) and response.context_data is not None and self.allows(request, "add"):
            link = reverse("admin:wallets_bankline_import")
            response.context_data["actions_list"] = [
                {"title": "Take bank lines in", "path": link, "icon": "upload", "variant": "primary", "attrs": {}}
            ]
        return response

    def record_page(self, request: HttpRequest, object_id: str) -> HttpResponse | None:
        """What the bank says, and what it became."""
        line = self._line(object_id)
        buttons = []
        if line.state == "UNMATCHED" and self.allows(request, "change"):
            buttons = [("Ignore", "bankline_ignore", "block", "default"), ("Match", "bankline_match", "link", "primary")]
        context = self.page_context(
            request, line, title=f"Payment of {line.payer or line.bank_id}", line=line, deeds=deeds_on(line),
            actions_detail=buttons_of(buttons, line.pk),
        )  # fmt: skip
        return TemplateResponse(request, "admin/bank_line_page.html", context)

    @moves_money
    def import_view(self, request: HttpRequest) -> HttpResponse:
        """Take the bank's lines in: first as a dry run, then for good."""
        if not self.allows(request, "add"):
            raise PermissionDenied
        person: User = request.user  # type: ignore[assignment]

        def preview(answers: dict[str, Any]) -> list[Change]:
            taken = take_in(answers["rows"], by=person, at=now(), dry_run=True)
            shown = [
                Change(
                    f"{one.row.booked:%-d %b} {one.row.payer}", str(headline_text(one.row.amount, one.row.currency)), one.what
                )
                for one in taken[:LINES_SHOWN]
            ]
            return [Change("Lines", f"{len(taken):,}", f"{sum(one.line is not None for one in taken):,} new"), *shown]

        def perform(answers: dict[str, Any]) -> str:
            taken = [one.line for one in take_in(answers["rows"], by=person, at=now()) if one.line is not None]
            count = {state: sum(line.state == state for line in taken) for state in BankLine.State.values}
            return (
                f"{len(taken):,} taken in: {count['MATCHED']:,} credited, {count['WAITING']:,} wait for approval, "
                f"{count['UNMATCHED']:,} unmatched."
            )

        page = ActionPage("Take bank lines in", "Take in", ImportForm, reverse(LIST), perform, preview)
        return run_action_page(request, page, self.page_context(request, None))

    def expect_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Expect a wire for a wallet: its reference is what the customer writes on it."""
        wallet = Wallet.objects.select_related("account").filter(pk=pk).first()
        if wallet is None:
            raise Http404
        if not request.user.has_perm("wallets.add_topup"):
            raise PermissionDenied

        def perform(answers: dict[str, Any]) -> str:
            made = expect_wire(wallet=wallet, at=now(), actor=request.user.get_username(), **answers)
            return f"Ask for {headline_text(made.total, made.currency)} with the reference {reference_of(made)}."

        page = ActionPage(
            "Expect a wire", "Expect it", WireForm, reverse("admin:wallets_wallet_change", args=[pk]), perform,
            warning="Nothing is credited before the money is on our account.",
        )  # fmt: skip
        return run_action_page(request, page, self.page_context(request, wallet))

    @moves_money
    def match_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Match a line with a top-up by hand."""
        line = self._changeable(request, pk)

        def found(answers: dict[str, Any]) -> TopUp:
            return top_up_by_id(public_id=answers["top_up"].strip())

        def preview(answers: dict[str, Any]) -> list[Change]:
            try:
                top_up = found(answers)
            except NotFound:
                return [Change("Top-up", "", "there is none with this id")]
            return [
                Change("Came, and was expected", line.amount, top_up.total, line.currency),
                Change(f"Credit of {top_up.wallet.account.name}", top_up.amount * 0, top_up.amount, top_up.currency),
            ]

        def perform(answers: dict[str, Any]) -> str:
            person: User = request.user  # type: ignore[assignment]
            matched = match_line(line_id=line.public_id, top_up=found(answers), by=person, at=now())
            self.log_change(request, line, f"Matched with {answers['top_up']}: {answers['reason']}")
            return "Credited." if matched.state == "MATCHED" else "It waits for another person's approval."

        page = ActionPage("Match payment", "Match", MatchForm, _page_of(line), perform, preview)
        return run_action_page(request, page, self.page_context(request, line))

    def ignore_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """It is no top-up of ours."""
        line = self._changeable(request, pk)

        def perform(answers: dict[str, Any]) -> str:
            ignore_line(line_id=line.public_id, why=answers["reason"], at=now())
            self.log_change(request, line, f"Ignored: {answers['reason']}")
            return "It is off the worklist."

        page = ActionPage("Ignore payment", "Ignore", ReasonForm, _page_of(line), perform)
        return run_action_page(request, page, self.page_context(request, line))

    def _line(self, pk: int | str) -> BankLine:
        found = BankLine.objects.select_related("top_up__wallet__account", "entered_by", "matched_by")
        line = found.filter(pk=pk).first() if str(pk).isdecimal() else None
        if line is None:
            raise Http404
        return line

    def _changeable(self, request: HttpRequest, pk: int) -> BankLine:
        line = self._line(pk)
        if not self.allows(request, "change"):
            raise PermissionDenied
        return line


def _page_of(line: BankLine) -> str:
    return reverse("admin:wallets_bankline_change", args=[line.pk])


def _approved(approval: Approval, at: Any) -> str:
    pay_approved(approval=approval, at=at)
    return "Approved: the wire is credited."


def _dropped(approval: Approval, at: Any) -> None:
    drop_match(approval=approval, at=at)


def _changes(approval: Approval) -> list[Change]:
    line = BankLine.objects.select_related("top_up__wallet").get(public_id=approval.subject)
    if line.top_up is None:
        return []
    wallet = line.top_up.wallet
    return [Change("Balance", wallet.balance, wallet.balance + line.top_up.amount, wallet.currency)]


def _page(approval: Approval) -> str | None:
    pk = BankLine.objects.filter(public_id=approval.subject).values_list("pk", flat=True).first()
    return reverse("admin:wallets_bankline_change", args=[pk]) if pk else None


KINDS["wire"] = ApprovalKind("Wire", _approved, _dropped, _changes, _page)
