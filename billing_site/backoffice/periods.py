"""Months of the books: which are open, what is to be done before one is closed, and the pages that close and reopen it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.core.exceptions import PermissionDenied
from django.forms import BooleanField, Form
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import reverse
from unfold.sites import UnfoldAdminSite
from unfold.widgets import UnfoldBooleanSwitchWidget

from billing_site.backoffice.period_checks import checklist
from wallets.accounts.models import User
from wallets.admin.action_page import ActionPage, Change, ReasonForm, run_action_page
from wallets.approvals.models import Approval
from wallets.clock import now
from wallets.periods.close import close_period
from wallets.periods.models import PeriodClosing
from wallets.periods.period import Period, closing_of, period_of, periods_since_the_first
from wallets.periods.prove import last_proof, prove_period
from wallets.periods.reopen import KIND, ask_to_reopen

SEE: Final = "wallets.view_periodclosing"
CLOSE: Final = "wallets.add_periodclosing"
REOPEN: Final = "wallets.change_periodclosing"
MOST_MONTHS: Final = 36
EARLIEST_YEAR: Final = 1


@dataclass(frozen=True, slots=True)
class Month:
    """A period in the list."""

    period: Period
    closing: PeriodClosing | None
    is_over: bool


class CloseForm(ReasonForm):
    """Whether what may stay open stays so, and why the month is closed now."""

    leave_open = BooleanField(
        required=False, label="Leave open what is open", widget=UnfoldBooleanSwitchWidget,
        help_text="Unrated usage, unmatched money and the like; statements and the proof must be done. What stays open is kept "
        "with the closing.",
    )  # fmt: skip
    field_order = ("leave_open", "reason")


class NothingForm(Form):
    """There is nothing to ask."""


def periods_page(site: UnfoldAdminSite, request: HttpRequest) -> HttpResponse:
    """The months, newest first."""
    _allow(request, SEE)
    at = now()
    closings = {
        one.starts_at: one for one in PeriodClosing.objects.select_related("closed_by").filter(state=PeriodClosing.State.CLOSED)
    }
    months = [
        Month(period, closings.get(period.starts_at), at >= period.closes_at)
        for period in periods_since_the_first(at=at, most=MOST_MONTHS)
    ]
    context = _context(site, request, "Periods", months=months)
    return TemplateResponse(request, "admin/periods_page.html", context)


def period_page(site: UnfoldAdminSite, request: HttpRequest, year: int, month: int) -> HttpResponse:
    """One month: its checklist, its closings, its proofs."""
    _allow(request, SEE)
    period = _period(year, month)
    closing, at = closing_of(period), now()
    history = PeriodClosing.objects.select_related("closed_by", "reopening__asked_by", "reopening__decided_by")
    context = _context(
        site, request, period.name,
        period=period,
        closing=closing,
        is_over=at >= period.closes_at,
        rows=[] if closing else checklist(period=period, at=at),
        proof=last_proof(period),
        history=list(history.filter(entity=period.entity, starts_at=period.starts_at).order_by("-id")),
        reopening=Approval.objects.filter(kind=KIND, subject=closing.public_id, state="WAITING").first() if closing else None,
        actions_detail=_buttons(request, period, closing),
    )  # fmt: skip
    return TemplateResponse(request, "admin/period_page.html", context)


def prove_page(site: UnfoldAdminSite, request: HttpRequest, year: int, month: int) -> HttpResponse:
    """Prove a month now."""
    _allow(request, CLOSE)
    period, person = _period(year, month), _person(request)

    def perform(_: dict[str, Any]) -> str:
        proof = prove_period(period=period, at=now(), by=person)
        return f"{proof.checked:,} entries and statements looked at, {proof.faults:,} wrong."

    page = ActionPage(
        f"Prove {period.name}", "Prove", NothingForm, _address("period", period), perform,
        warning="Reads every posting of the month once; for millions of them use python manage.py close_period --prove.",
    )  # fmt: skip
    return run_action_page(request, page, _context(site, request, page.title))


def close_page(site: UnfoldAdminSite, request: HttpRequest, year: int, month: int) -> HttpResponse:
    """Close a month."""
    _allow(request, CLOSE)
    period, person = _period(year, month), _person(request)

    def perform(answers: dict[str, Any]) -> str:
        at = now()
        findings = [row.finding for row in checklist(period=period, at=at)]
        close_period(
            period=period, findings=findings, by=person, reason=answers["reason"], at=at, leave_open=answers["leave_open"]
        )
        return f"{period.name} is closed."

    page = ActionPage(
        f"Close {period.name}", "Close the period", CloseForm, _address("period", period), perform,
        lambda _: [Change(row.finding.title, row.finding.said, "done" if row.finding.done else "open")
                   for row in checklist(period=period, at=now())],
        warning="From then on no journal entry is dated in it; what arrives late is booked when it arrives. Opening it again "
        "takes a second person.",
    )  # fmt: skip
    return run_action_page(request, page, _context(site, request, page.title))


def reopen_page(site: UnfoldAdminSite, request: HttpRequest, year: int, month: int) -> HttpResponse:
    """Ask that a closed month be opened again."""
    _allow(request, REOPEN)
    period, person = _period(year, month), _person(request)
    closing = closing_of(period)
    if closing is None:
        raise Http404

    def perform(answers: dict[str, Any]) -> str:
        ask_to_reopen(closing=closing, by=person, reason=answers["reason"], at=now())
        return f"Opening {period.name} again waits for another person's approval."

    page = ActionPage(
        f"Open {period.name} again", "Ask for approval", ReasonForm, _address("period", period), perform,
        lambda _: [Change(period.name, "closed", "open, after another person’s approval")],  # noqa: RUF001 - typography
        danger=True,
    )  # fmt: skip
    return run_action_page(request, page, _context(site, request, page.title, original=closing))


def _buttons(request: HttpRequest, period: Period, closing: PeriodClosing | None) -> list[dict[str, Any]]:
    buttons = []
    if closing is None and now() >= period.ends_at and request.user.has_perm(CLOSE):
        buttons = [("Prove", "prove-period", "verified", "default"), ("Close the period", "close-period", "lock", "primary")]
    elif closing is not None and request.user.has_perm(REOPEN):
        buttons = [("Open again", "reopen-period", "lock_open", "default")]
    return [
        {"title": title, "path": _address(name, period), "icon": icon, "variant": variant, "attrs": {}}
        for title, name, icon, variant in buttons
    ]


def _address(name: str, period: Period) -> str:
    return reverse(f"admin:{name}", args=[period.starts_at.year, period.starts_at.month])


def _period(year: int, month: int) -> Period:
    """A month that has begun. Raises Http404."""
    try:
        period = period_of(datetime(year, month, 2, tzinfo=UTC))
    except (ValueError, OverflowError) as error:
        raise Http404 from error
    if period.starts_at > now():
        raise Http404
    return period


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User), request.user
    return request.user


def _allow(request: HttpRequest, permission: str) -> None:
    if not request.user.has_perm(permission):
        raise PermissionDenied


def _context(site: UnfoldAdminSite, request: HttpRequest, title: str, **more: Any) -> dict[str, Any]:
    named = {"title": title, "content_title": title, "opts": PeriodClosing._meta}  # noqa: SLF001 - Django's own way to ask
    return {**site.each_context(request), **named, "original": None, **more}
