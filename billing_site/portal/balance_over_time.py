"""The balance of a day, a week or a month as a stepped line, with what came in marked, and the same as a table."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.utils.formats import date_format
from django.utils.timezone import localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from billing_site.step_chart import StepChart, step_chart
from wallets.amount_text import headline_text
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ledger.balance_line import balances_at
from wallets.money import ZERO

WIDE: Final = (1_100, 240)
NARROW: Final = (420, 220)
MOST_MARKS: Final = 40


@dataclass(frozen=True, slots=True)
class Span:
    """How far back the line goes, how often it looks, and what is one row of the table. label, row: date formats."""

    words: Any
    length: timedelta
    step: timedelta
    row: timedelta
    label: str
    row_label: str


SPANS: Final = {
    "day": Span(gettext_lazy("day"), timedelta(hours=24), timedelta(minutes=15), timedelta(hours=1), "j M, H:i", "H:i"),
    "week": Span(gettext_lazy("week"), timedelta(days=7), timedelta(hours=2), timedelta(days=1), "j M", "D j M"),
    "month": Span(gettext_lazy("month"), timedelta(days=30), timedelta(hours=6), timedelta(days=1), "j M", "D j M"),
}


@dataclass(frozen=True, slots=True)
class CameIn:
    """Credit of one lot. paid: by a top-up, and not given."""

    at: datetime
    amount: Decimal
    paid: bool


@dataclass(frozen=True, slots=True)
class BalanceRow:
    """One hour or day: what credit came in, what else changed, and the balance at its end."""

    label: str
    came_in: Decimal
    other: Decimal
    balance: Decimal


@dataclass(frozen=True, slots=True)
class BalanceOverTime:
    """The line for a screen and for a phone, None for a wallet that has not existed long enough. rows: newest first."""

    span: str
    spans: list[tuple[str, str]]
    caption: str
    wide: StepChart | None
    narrow: StepChart | None
    rows: list[BalanceRow]


def balance_over_time(*, wallet: Wallet, span: str, at: datetime) -> BalanceOverTime:
    """The line up to `at`. Two queries, however much happened."""
    span = span if span in SPANS else "month"
    terms = SPANS[span]
    start = max(_floor(at - terms.length + terms.row, terms.row), wallet.opened_at)
    credit = _credit(wallet, start, at)
    ends = _ends(start, at, terms.row)
    moments = sorted({*_every(start, at, terms.step), *ends, *(one.at for one in credit), at})
    balances = dict(zip(moments, balances_at(wallet=wallet, moments=moments), strict=True))
    words = {True: _("Top-up %(amount)s"), False: _("Credit %(amount)s")}
    marks = [(one.at, words[one.paid] % {"amount": headline_text(one.amount, wallet.currency)}) for one in credit]
    wide, narrow = (
        step_chart(
            _changes(balances, at), until=at, width=width, height=height, marks=marks,
            label=lambda moment: date_format(localtime(moment), terms.label),
        )
        for width, height in (WIDE, NARROW)
    )  # fmt: skip
    return BalanceOverTime(
        span=span,
        spans=[(name, str(one.words)) for name, one in SPANS.items()],
        caption=_("Balance over the last %(span)s, %(currency)s") % {"span": terms.words, "currency": wallet.currency},
        wide=wide,
        narrow=narrow,
        rows=_rows(balances, credit, ends, label=terms.row_label),
    )


def _credit(wallet: Wallet, start: datetime, at: datetime) -> list[CameIn]:
    """The credit that came in, oldest first; of very much, the latest. One query."""
    found = CreditLot.objects.filter(bucket=wallet.bucket, wallet_id=wallet.pk, unit_meter="")
    found = found.exclude(state=CreditLot.State.SCHEDULED).filter(effective_at__gt=start, effective_at__lte=at)
    latest = found.order_by("-effective_at", "-id").values_list("effective_at", "amount", "kind")[:MOST_MARKS]
    return [CameIn(moment, amount, kind == CreditLot.Kind.PAID) for moment, amount, kind in reversed(latest)]


def _changes(balances: dict[datetime, Decimal], at: datetime) -> list[tuple[datetime, Decimal]]:
    """Where the level is another than before, and the two ends."""
    steps: list[tuple[datetime, Decimal]] = []
    for moment, level in balances.items():
        if not steps or steps[-1][1] != level or moment == at:
            steps.append((moment, level))
    return steps


def _floor(at: datetime, step: timedelta) -> datetime:
    """The beginning of the hour or day, in the viewer's zone."""
    here = localtime(at).replace(minute=0, second=0, microsecond=0)
    return here if step < timedelta(days=1) else here.replace(hour=0)


def _every(start: datetime, at: datetime, step: timedelta) -> list[datetime]:
    count = int((at - start) / step)
    return [start, *(start + step * number for number in range(1, count + 1))]


def _ends(start: datetime, at: datetime, step: timedelta) -> list[datetime]:
    """Where hours or days of the viewer's zone end, between `start` and `at`; `at` for the last, which goes on."""
    ends = []
    moment = _floor(start, step)
    while moment < at:
        # By the clock on the wall: a day has 23 hours once a year.
        moment = _floor(moment + step + (timedelta(hours=2) if step >= timedelta(days=1) else timedelta()), step)
        ends.append(min(moment, at))
    return ends


def _rows(balances: dict[datetime, Decimal], credit: list[CameIn], ends: list[datetime], *, label: str) -> list[BalanceRow]:
    rows = []
    since, before = next(iter(balances.items()))
    for end in ends:
        came_in = sum((one.amount for one in credit if since < one.at <= end), ZERO)
        after = balances[end]
        rows.append(BalanceRow(date_format(localtime(since), label), came_in, after - before - came_in, after))
        before, since = after, end
    return list(reversed(rows))
