"""The back office's front page: what we owe, what was used, what came in, what waits for someone, what goes wrong."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from billing_site.backoffice.worklists import waiting_for
from billing_site.bar_chart import Bar, BarChart, bar_chart
from metering.gate.live import last_check, refused_currencies
from metering.gate.models import CopyCheck
from metering.reports.burn import RunsOut, run_out_first
from metering.reports.consumption import Consumption, consumption, consumption_by_day
from metering.reports.used import Used, used_by
from wallets.amount_text import headline_text
from wallets.ledger.proof_models import ProofRun
from wallets.money import ZERO
from wallets.reports.attention import (
    OverdrawnWallet,
    RecentCredit,
    RecentCrossing,
    overdrawn_wallets,
    recent_credit,
    recent_crossings,
)
from wallets.reports.liability import Liability, liability_now
from wallets.reports.report import share
from wallets.reports.today import Ending, cash_in, ending_soon, failed_recharges, last_proof_run

UNRATED: Final = "metering.deadletter"
ROWS: Final = 6
DAYS: Final = 30
MARGINS: Final = 5
ROUTE: Final = "endpoint"
CHART_WIDTH: Final = 1120
CHART_HEIGHT: Final = 220
REFRESH_SECONDS: Final = 60


@dataclass(frozen=True, slots=True)
class Margin:
    """What a route leaves. percent: of its revenue; None of nothing."""

    route: str
    percent: Decimal | None
    margin: Decimal


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the front page, as values. change: of the month's consumption against the same days of the month before, in
    percent."""

    as_of: datetime
    month: datetime
    liabilities: list[Liability]
    this_month: list[Consumption]
    change: Decimal | None
    today: list[Consumption]
    charges_today: int
    cash_today: list[tuple[str, Decimal]]
    refused_today: list[tuple[str, Decimal]]
    failed_recharges: int
    ending: list[Ending]
    runs_out: list[RunsOut]
    margins: list[Margin]
    waiting: int
    worklists: list[tuple[str, str, int]]
    overdrawn: list[OverdrawnWallet]
    crossings: list[RecentCrossing]
    credit: list[RecentCredit]
    check: CopyCheck | None
    proof: ProofRun | None
    chart: BarChart | None
    chart_currency: str


def read_dashboard(*, at: datetime, user: Any) -> Dashboard | None:
    """The front page as of `at`, days being of UTC; None for people who may not see customers' money."""
    if not user.has_perm("wallets.view_wallet"):
        return None
    lists = waiting_for(user)
    midnight = at.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    month = midnight.replace(day=1)
    this_month = consumption(start=month, end=at)
    today = consumption(start=midnight, end=at)
    currency = this_month[0].currency if this_month else ""
    routes = used_by(ROUTE, start=month, end=at, currency=currency) if currency else []
    return Dashboard(
        as_of=at,
        month=month,
        liabilities=liability_now(),
        this_month=this_month,
        change=_change(this_month, month=month, at=at),
        today=today,
        charges_today=sum(one.charges for one in today),
        cash_today=cash_in(start=midnight, end=at),
        refused_today=refused_currencies(since=midnight),
        failed_recharges=failed_recharges(since=at - timedelta(days=1)),
        ending=ending_soon(at=at),
        runs_out=run_out_first(as_of=at, currency=currency, limit=ROWS) if currency else [],
        margins=_worst(routes),
        waiting={one.model: count for one, count in lists}.get(UNRATED, 0),
        worklists=[(one.title, one.link, count) for one, count in lists if count],
        overdrawn=overdrawn_wallets(limit=ROWS),
        crossings=recent_crossings(limit=ROWS),
        credit=recent_credit(limit=ROWS),
        check=last_check(),
        proof=last_proof_run(),
        chart=_chart(currency, at) if currency else None,
        chart_currency=currency,
    )


def _change(this_month: list[Consumption], *, month: datetime, at: datetime) -> Decimal | None:
    if not this_month:
        return None
    before = (month - timedelta(days=1)).replace(day=1)
    same = min(before + (at - month), month)
    then = {one.currency: one.amount for one in consumption(start=before, end=same)}.get(this_month[0].currency, ZERO)
    return share(this_month[0].amount - then, then)


def _worst(routes: list[Used]) -> list[Margin]:
    found = [Margin(one.key, share(one.margin, one.amount), one.margin) for one in routes if one.amount or one.cost]
    return sorted(found, key=lambda one: (one.percent if one.percent is not None else ZERO, one.route))[:MARGINS]


def _chart(currency: str, at: datetime) -> BarChart:
    days = consumption_by_day(currency=currency, last_day=at.astimezone(UTC).date(), days=DAYS)
    return bar_chart(
        [Bar(f"{one.day:%-d %b}", one.amount, str(headline_text(one.amount, currency)), one.events) for one in days],
        width=CHART_WIDTH,
        height=CHART_HEIGHT,
    )
