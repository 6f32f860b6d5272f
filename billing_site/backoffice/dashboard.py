"""The back office's front page: what we owe, what was used, what waits for someone."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.utils.timezone import get_current_timezone, localtime

from billing_site.backoffice.worklists import waiting_for
from billing_site.bar_chart import Bar, BarChart, bar_chart
from metering.reports.consumption import Consumption, consumption, consumption_by_day
from wallets.amount_text import headline_text
from wallets.reports.attention import (
    OverdrawnWallet,
    RecentCredit,
    RecentCrossing,
    overdrawn_wallets,
    recent_credit,
    recent_crossings,
)
from wallets.reports.liability import Liability, liability_now

UNRATED: Final = "metering.deadletter"
ROWS: Final = 6
DAYS: Final = 30
CHART_WIDTH: Final = 1120
CHART_HEIGHT: Final = 220


@dataclass(frozen=True, slots=True)
class Dashboard:
    """Everything on the front page, as values."""

    as_of: datetime
    month: datetime
    liabilities: list[Liability]
    this_month: list[Consumption]
    today: list[Consumption]
    charges_today: int
    waiting: int
    worklists: list[tuple[str, str, int]]
    overdrawn: list[OverdrawnWallet]
    crossings: list[RecentCrossing]
    credit: list[RecentCredit]
    chart: BarChart | None
    chart_currency: str


def read_dashboard(*, at: datetime, user: Any) -> Dashboard | None:
    """The front page as of `at`, in the viewer's zone; None for people who may not see customers' money."""
    if not user.has_perm("wallets.view_wallet"):
        return None
    zone, lists = get_current_timezone(), waiting_for(user)
    here = localtime(at)
    midnight = here.replace(hour=0, minute=0, second=0, microsecond=0)
    month = midnight.replace(day=1)
    this_month = consumption(start=month, end=at)
    today = consumption(start=midnight, end=at)
    currency = this_month[0].currency if this_month else ""
    chart = None
    if currency:
        days = consumption_by_day(currency=currency, last_day=here.date(), days=DAYS, zone=zone)
        chart = bar_chart(
            [Bar(f"{one.day:%-d %b}", one.amount, str(headline_text(one.amount, currency)), one.events) for one in days],
            width=CHART_WIDTH,
            height=CHART_HEIGHT,
        )
    return Dashboard(
        as_of=at,
        month=month,
        liabilities=liability_now(),
        this_month=this_month,
        today=today,
        charges_today=sum(one.charges for one in today),
        waiting={one.model: count for one, count in lists}.get(UNRATED, 0),
        worklists=[(one.title, one.link, count) for one, count in lists if count],
        overdrawn=overdrawn_wallets(limit=ROWS),
        crossings=recent_crossings(limit=ROWS),
        credit=recent_credit(limit=ROWS),
        chart=chart,
        chart_currency=currency,
    )
