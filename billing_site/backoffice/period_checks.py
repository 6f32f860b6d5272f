"""The checklist of closing a month: one table, each row with the worklist where it is done."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.urls import reverse

from billing_site.backoffice.worklists import WORKLISTS, Worklist
from metering.ingest.models import DeadLetter
from wallets.outbox.models import Delivery
from wallets.periods.close import Finding
from wallets.periods.period import Period
from wallets.periods.prove import last_proof
from wallets.reports.worklists import open_differences, open_reviews, unmatched_wires, waiting_approvals
from wallets.statements.spans import due_wallets

DELIVERIES_LINK: Final = "admin:notifications_delivery_changelist"
STATEMENTS_LINK: Final = "admin:wallets_statement_changelist"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the checklist as a page shows it. link: where it is done."""

    finding: Finding
    link: str


def _unrated(period: Period, _: datetime) -> int:
    waiting = DeadLetter.objects.filter(replayed_at__isnull=True, event__received_at__lt=period.ends_at)
    return waiting.count()


def _undelivered(period: Period, _: datetime) -> int:
    return Delivery.objects.filter(delivered_at__isnull=True, news__happened_at__lt=period.ends_at).count()


def _not_issued(period: Period, at: datetime) -> int:
    return sum(1 for due in due_wallets(at=at) if due.period_start < period.ends_at)


@dataclass(frozen=True, slots=True)
class _Check:
    code: str
    title: str
    count: Callable[[Period, datetime], int]
    clean: str
    left: str
    link: Callable[[], str]
    must: bool = False


def _list(model: str) -> Callable[[], str]:
    found: Worklist = next(one for one in WORKLISTS if one.model == model)
    return lambda: found.link


CHECKS: Final = (
    _Check(
        "statements", "Statements issued", _not_issued, "all of the month are issued", "{} not issued yet: python manage.py "
        "close_periods", lambda: reverse(STATEMENTS_LINK), must=True,
    ),
    _Check(
        "unrated", "Unrated usage", _unrated, "every event is charged", "{} wait for a price; they will be late usage",
        _list("metering.deadletter"),
    ),
    _Check(
        "bank_lines", "Unmatched money", lambda *_: unmatched_wires().count(), "every payment is somebody's",
        "{} on our bank account are nobody's", _list("wallets.bankline"),
    ),
    _Check(
        "differences", "Differences with the provider", lambda *_: open_differences().count(), "none is open", "{} are open",
        _list("wallets.paymentexception"),
    ),
    _Check("reviews", "Reviews", lambda *_: open_reviews().count(), "none is open", "{} are open", _list("wallets.reviewitem")),
    _Check(
        "approvals", "Approvals", lambda *_: waiting_approvals().count(), "nothing waits for a second person",
        "{} wait for a second person", _list("wallets.approval"),
    ),
    _Check(
        "outbox", "News told", _undelivered, "every piece of news of the month has reached its readers",
        "{} have not reached their readers", lambda: reverse(DELIVERIES_LINK),
    ),
)  # fmt: skip


def checklist(*, period: Period, at: datetime) -> list[Row]:
    """What is to be done before the period is closed, as it is now."""
    rows = []
    for check in CHECKS:
        count = check.count(period, at)
        said = check.left.format(f"{count:,}") if count else check.clean
        rows.append(Row(Finding(check.code, check.title, count, said, check.must), check.link()))
    return [*rows, _proof(period)]


def _proof(period: Period) -> Row:
    proof = last_proof(period)
    if proof is None:
        finding = Finding("proof", "Proof of the month", 1, "not proved since it ended", must=True)
    elif proof.faults:
        finding = Finding("proof", "Proof of the month", proof.faults, "; ".join(proof.offenders[:3]), must=True)
    else:
        said = f"{proof.checked:,} entries and statements hold, {proof.proved_at:%-d %B %Y, %H:%M} UTC"
        finding = Finding("proof", "Proof of the month", 0, said, must=True)
    return Row(finding, reverse("admin:prove-period", args=[period.starts_at.year, period.starts_at.month]))
