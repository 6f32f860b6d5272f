"""The page of the gate: what was refused, day by day and now, who has calls in flight, whether its copy is right, and why an
account's calls were refused."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import get_current_timezone, localtime
from unfold.sites import UnfoldAdminSite

from billing_site.bar_chart import Bar, BarChart, bar_chart
from metering.gate.live import (
    REASONS,
    drifts,
    gate_by_day,
    last_check,
    live_gate,
    live_leases,
    refused_currencies,
    refused_most,
    why_refused,
)
from wallets.accounts.queries import account_by_key
from wallets.amount_text import headline_text
from wallets.clock import now
from wallets.errors import NotFound
from wallets.redis_client import RedisAway

DAYS: Final = 30
DRIFTS_SHOWN: Final = 5
LONGEST_KEY: Final = 120
CHART_WIDTH: Final = 1120
CHART_HEIGHT: Final = 200


class Refused(NamedTuple):
    """The last days. amounts: what refused calls would have cost, by currency; the chart is of the first."""

    allowed: int
    refused: int
    amounts: list[tuple[str, Decimal]]
    chart: BarChart | None
    counts: BarChart


def gate_page(site: UnfoldAdminSite, request: HttpRequest) -> HttpResponse:
    """`?account=KEY` looks up why its calls were refused."""
    if not request.user.has_perm("metering.view_spendcap"):
        raise PermissionDenied
    at, key = now(), request.GET.get("account", "").strip()[:LONGEST_KEY]
    context = dict(
        site.each_context(request),
        title="Gate",
        content_title="Gate",
        as_of=at,
        days=DAYS,
        refused=_refused(at),
        dearest=refused_most(since=at - timedelta(days=DAYS)),
        live=live_gate(at=at),
        reasons=REASONS,
        check=last_check(),
        drifts=drifts(since=at - timedelta(days=DAYS), limit=DRIFTS_SHOWN),
        lookup=LookUpForm(initial={"account": key}),
        asked=key,
    )
    return TemplateResponse(request, "admin/gate_page.html", context | (_refusals(key, at) if key else {}))


class LookUpForm(forms.Form):
    """Whose calls were refused."""

    account = forms.CharField(label="Account key", max_length=LONGEST_KEY)


def _refused(at: datetime) -> Refused:
    amounts = refused_currencies(since=at - timedelta(days=DAYS))
    currency = amounts[0][0] if amounts else ""
    days = gate_by_day(last_day=localtime(at).date(), days=DAYS, zone=get_current_timezone(), currency=currency)
    chart = None
    if currency:
        chart = _chart(
            [Bar(_label(one.day), one.amount, str(headline_text(one.amount, currency)), one.refused) for one in days]
        )
    counts = _chart([Bar(_label(one.day), Decimal(one.refused), f"{one.refused:,}", one.allowed) for one in days])
    return Refused(sum(one.allowed for one in days), sum(one.refused for one in days), amounts, chart, counts)


def _chart(bars: list[Bar]) -> BarChart:
    return bar_chart(bars, width=CHART_WIDTH, height=CHART_HEIGHT)


def _label(day: Any) -> str:
    return f"{day:%-d %b}"


def _refusals(key: str, at: datetime) -> dict[str, Any]:
    """The last refusals of an account, or why there are none to show."""
    try:
        account = account_by_key(key=key)
        return {"account": account, "refusals": why_refused(account_key=key), "leases": live_leases(account_key=key, at=at)}
    except NotFound:
        return {"missing": True}
    except RedisAway:
        return {"away": True}
