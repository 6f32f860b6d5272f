"""Everything that happened to a customer, in one order: one table says where it is read from. Each source is asked for its
latest lines before a moment; together they are merged, so that a page costs as many queries as there are sources."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from heapq import nlargest
from typing import Final, NamedTuple

from django.db.models import Model, Q
from django.urls import reverse

from notifications.alerts.models import Alert
from pricing.plans.models import Subscription
from wallets.accounts.models import Account
from wallets.accounts.note_models import AccountNote
from wallets.adjustments.models import Adjustment
from wallets.audit.models import AuditEvent
from wallets.balances.models import ThresholdCrossing
from wallets.credit.models import CreditLot
from wallets.holds.models import Hold
from wallets.payments.models import TopUp
from wallets.recharge.log import text_of
from wallets.recharge.models import RechargeDecision
from wallets.refunds.models import Dispute, Refund, Withdrawal
from wallets.risk.models import ReviewItem
from wallets.statements.models import Statement

PER_PAGE: Final = 40
TONES: Final = {
    "SUCCEEDED": "good", "FAILED": "bad", "EXPIRED": "bad", "DECLINED": "bad", "LOST": "bad", "OPEN": "soon", "WAITING": "soon",
    "critical": "bad", "warning": "soon", "POSTED": "good", "WON": "good", "PAID": "good",
}  # fmt: skip


class Money(NamedTuple):
    """An amount of a currency."""

    amount: Decimal
    currency: str


@dataclass(frozen=True, slots=True)
class Line:
    """Something that happened. amount, text: what of it; state: where it stands, if it can move; tone: good, soon, bad;
    link: its page, for those who may see it."""

    at: datetime
    what: str
    text: str
    amount: Money | None = None
    state: str = ""
    tone: str = ""
    link: str = ""


Source = Callable[[Account, list[int], datetime, int], Iterable[Line]]


def timeline_of(
    account: Account, *, wallet_ids: list[int], before: datetime, may: Callable[[str], bool], only: str = ""
) -> list[Line]:
    """The latest lines before a moment of what a person may see, newest first: PER_PAGE and one more, if there are more."""
    asked = [source for permission, name, source in SOURCES if may(permission) and (not only or name == only)]
    lines = (line for source in asked for line in source(account, wallet_ids, before, PER_PAGE + 1))
    return nlargest(PER_PAGE + 1, lines, key=lambda line: line.at)


def kinds_of(may: Callable[[str], bool]) -> list[str]:
    """What the lines can be narrowed to."""
    return list(dict.fromkeys(name for permission, name, _ in SOURCES if may(permission)))


def _link(row: Model) -> str:
    meta = row._meta  # noqa: SLF001 - Django's own way to ask
    return reverse(f"admin:{meta.app_label}_{meta.model_name}_change", args=[row.pk])


def _top_ups(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = (
        TopUp.objects.filter(wallet__in=wallets, created_at__lt=before).select_related("method").order_by("-created_at", "-id")
    )
    for row in rows[:limit]:
        by = row.method.label if row.method else str(row.get_means_display())
        told = f"{by}, {row.origin}" + (f": {row.failure}" if row.failure else "")
        yield Line(
            row.created_at, "Top-up", told, Money(row.amount, row.currency), row.state.lower(),
            TONES.get(row.state, ""), _link(row),
        )  # fmt: skip


def _recharges(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = RechargeDecision.objects.filter(wallet__in=wallets, decided_at__lt=before)
    for row in rows.select_related("wallet__account", "method", "top_up").order_by("-decided_at", "-id")[:limit]:
        link = _link(row.top_up) if row.top_up else ""
        yield Line(row.decided_at, "Auto-recharge", text_of(row), None, row.state.lower(), TONES.get(row.state, ""), link)


def _lots(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = CreditLot.objects.filter(wallet__in=wallets, created_at__lt=before).select_related("wallet")
    for row in rows.order_by("-created_at", "-id")[:limit]:
        amount = None if row.unit_meter else Money(row.amount, row.wallet.currency)
        told = ", ".join(part for part in (str(row.get_kind_display()), row.reason, row.source) if part)
        yield Line(row.created_at, "Credit", told, amount, row.state.lower(), "", _link(row))


def _holds(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = Hold.objects.filter(wallet__in=wallets, placed_at__lt=before).select_related("wallet")
    for row in rows.order_by("-placed_at", "-id")[:limit]:
        yield Line(
            row.placed_at,
            "Hold",
            row.public_id,
            Money(row.amount, row.wallet.currency),
            row.state.lower(),
            "",
            _link(row),
        )


def _crossings(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = ThresholdCrossing.objects.filter(wallet__in=wallets, crossed_at__lt=before).select_related("wallet")
    for row in rows.order_by("-crossed_at", "-id")[:limit]:
        yield Line(
            row.crossed_at, "Balance", f"crossed a threshold (number {row.number}) of {row.wallet.currency}", tone="soon"
        )


def _alerts(account: Account, _: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = (
        Alert.objects.filter(account=account, raised_at__lt=before).prefetch_related("deliveries").order_by("-raised_at", "-id")
    )
    for row in rows[:limit]:
        sent = [f"{one.channel} {one.state.lower()}" for one in row.deliveries.all()]
        yield Line(row.raised_at, "Alert", f"{row.topic}; {', '.join(sent) or 'told nobody'}", tone=TONES.get(row.severity, ""))


def _statements(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = Statement.objects.filter(wallet__in=wallets, issued_at__lt=before)
    for row in rows.order_by("-issued_at", "-id")[:limit]:
        yield Line(
            row.issued_at,
            "Statement",
            str(row),
            Money(row.closing_balance, row.currency),
            "closing balance",
            "",
            _link(row),
        )


def _refunds(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = Refund.objects.filter(wallet__in=wallets, created_at__lt=before)
    for row in rows.order_by("-created_at", "-id")[:limit]:
        yield Line(
            row.created_at, "Refund", row.reason, Money(row.total, row.currency), row.state.lower(),
            TONES.get(row.state, ""), _link(row),
        )  # fmt: skip


def _disputes(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = (
        Dispute.objects.filter(wallet__in=wallets, opened_at__lt=before).select_related("wallet").order_by("-opened_at", "-id")
    )
    for row in rows[:limit]:
        yield Line(row.opened_at, "Dispute", row.public_id, None, row.state.lower(), TONES.get(row.state, "bad"), _link(row))


def _withdrawals(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = Withdrawal.objects.filter(wallet__in=wallets, created_at__lt=before).select_related("wallet")
    for row in rows.order_by("-created_at", "-id")[:limit]:
        amount = Money(row.amount, row.wallet.currency)
        yield Line(row.created_at, "Withdrawal", row.public_id, amount, row.state.lower(), TONES.get(row.state, ""), _link(row))


def _adjustments(_: Account, wallets: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = Adjustment.objects.filter(wallet__in=wallets, asked_at__lt=before).select_related("reason", "asked_by")
    for row in rows.order_by("-asked_at", "-id")[:limit]:
        told = f"{row.get_kind_display()}: {row.reason.title}, {row.note} ({row.asked_by.email})"
        amount = Money(row.amount, row.currency)
        yield Line(row.asked_at, "Adjustment", told, amount, row.state.lower(), TONES.get(row.state, ""), _link(row))


def _reviews(account: Account, _: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = ReviewItem.objects.filter(account=account, opened_at__lt=before)
    for row in rows.order_by("-opened_at", "-id")[:limit]:
        yield Line(row.opened_at, "Review", str(row), None, row.state.lower(), TONES.get(row.state, ""), _link(row))


def _plans(account: Account, _: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = (
        Subscription.objects.filter(account=account, created_at__lt=before)
        .select_related("plan")
        .order_by("-created_at", "-id")
    )
    for row in rows[:limit]:
        yield Line(row.created_at, "Plan", f"subscribed to {row.plan.name}", None, row.state.lower(), "", _link(row))


def _changes(account: Account, _: list[int], before: datetime, limit: int) -> Iterator[Line]:
    """What people and programs changed; what has a line of its own by its kind stands there too, with who and why here."""
    rows = (
        AuditEvent.objects.filter(~Q(subject=""), account=account, at__lt=before).select_related("user").order_by("-at", "-id")
    )
    for row in rows[:limit]:
        yield Line(row.at, "Change", f"{row.action} by {row.who}" + (f": {row.reason}" if row.reason else ""), link=_link(row))


def _notes(account: Account, _: list[int], before: datetime, limit: int) -> Iterator[Line]:
    rows = AccountNote.objects.filter(account=account, at__lt=before).select_related("by")
    for row in rows.order_by("-at", "-id")[:limit]:
        yield Line(row.at, "Note", f"{row.text} ({row.by.email})")


SOURCES: Final[tuple[tuple[str, str, Source], ...]] = (
    ("wallets.view_topup", "Payments", _top_ups),
    ("wallets.view_topup", "Recharges", _recharges),
    ("wallets.view_creditlot", "Credit", _lots),
    ("wallets.view_hold", "Holds", _holds),
    ("wallets.view_wallet", "Alerts", _crossings),
    ("wallets.view_account", "Alerts", _alerts),
    ("wallets.view_statement", "Statements", _statements),
    ("wallets.view_refund", "Money back", _refunds),
    ("wallets.view_dispute", "Money back", _disputes),
    ("wallets.view_withdrawal", "Money back", _withdrawals),
    ("wallets.view_adjustment", "Credit", _adjustments),
    ("wallets.view_reviewitem", "Payments", _reviews),
    ("pricing.view_subscription", "Plans", _plans),
    ("wallets.view_auditevent", "Changes", _changes),
    ("wallets.view_accountnote", "Notes", _notes),
)
"""What it takes to see it, what it is called, where it is read."""
