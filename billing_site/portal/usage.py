"""Usage, cut by time and by what the customer asks: a chart and a table of the same figures, down to the single event."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from typing import Any, Final, cast
from urllib.parse import quote, urlencode

from django.http import HttpRequest, HttpResponse, QueryDict, StreamingHttpResponse
from django.shortcuts import render
from django.utils.formats import date_format
from django.utils.timezone import get_current_timezone, localtime
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.http import require_safe

from billing_site.bar_chart import Bar, BarChart, bar_chart
from billing_site.portal.access import Customer, customer_page
from metering.usage.explore import (
    BY_METER,
    Cut,
    Slice,
    TooMuchToRead,
    charge_rows,
    events_of_cut,
    explore_usage,
    meters_of_account,
    properties_to_cut_by,
)
from metering.usage.queries import EventSpend, Granularity, spend_of_events
from wallets.accounts.models import Account
from wallets.amount_text import headline_text, places_of
from wallets.clock import now
from wallets.csv_cells import csv_lines, text_cell
from wallets.money import ZERO, plain

ROWS: Final = 50
HIGH: Final = 170
NARROW: Final = 420
PER_PAGE: Final = 50
MOST_DAYS: Final = 400
HOURLY_UP_TO: Final = timedelta(days=2)
DAILY_UP_TO: Final = timedelta(days=92)
# The longest time that is shown by the hour, if that is asked for; days and months have no limit but MOST_DAYS.
MOST_HOURLY: Final = timedelta(days=15)
GRAINS: Final[dict[Granularity, Any]] = {
    "hour": gettext_lazy("by the hour"), "day": gettext_lazy("by the day"), "month": gettext_lazy("by the month"),
}  # fmt: skip
SPANS: Final = {
    "day": (gettext_lazy("Last 24 hours"), 1),
    "week": (gettext_lazy("Last 7 days"), 7),
    "month": (gettext_lazy("Last 30 days"), 30),
    "quarter": (gettext_lazy("Last 90 days"), 90),
}
LABELS: Final[dict[Granularity, str]] = {"hour": "j M, H:i", "day": "j M", "month": "M Y"}
SHOWN: Final = ("from", "value", "charges", "quantity", "amount", "currency")
COLUMNS: Final = ("time", "event", "type", "meter", "quantity", "amount", "currency")


@dataclass(frozen=True, slots=True)
class Asked:
    """What the address asks for, checked. since, until: days in the viewer's zone, both included; only where no span is. grain:
    the granularity that was chosen; empty: the one that fits."""

    cut: Cut
    granularity: Granularity
    span: str
    since: date
    until: date
    problem: str = ""
    grain: str = ""

    def address(self, **more: str) -> str:
        """The same question as a query string."""
        days = {"span": self.span} if self.span else {"since": self.since.isoformat(), "until": self.until.isoformat()}
        grain = {"grain": self.grain} if self.grain else {}
        return urlencode({"currency": self.cut.currency, **days, "meter": self.cut.meter, "by": self.cut.by} | grain | more)


@dataclass(frozen=True, slots=True)
class UsageRow:
    """What one value came to. events: the address of the events behind it; empty for those that share a row."""

    name: str
    charges: int
    quantity: Decimal | None
    amount: Decimal
    share: Decimal
    events: str


@dataclass(frozen=True, slots=True)
class UsagePage:
    """Everything on the page, as values."""

    account_key: str
    account_name: str
    asked: Asked
    currencies: list[str]
    meters: list[tuple[str, str]]
    groups: list[tuple[str, str]]
    spans: list[tuple[str, str]]
    grains: list[tuple[str, str]]
    caption: str
    chart: BarChart | None
    narrow: BarChart | None
    rows: list[UsageRow]
    charges: int
    total: Decimal
    as_csv: str
    shown_as_csv: str
    by_name: str
    problem: str


@dataclass(frozen=True, slots=True)
class EventsPage:
    """The events behind a row. older: the address of the next page."""

    account_key: str
    account_name: str
    asked: Asked
    what: str
    events: list[EventSpend]
    places: int
    older: str
    back: str


@require_safe
@customer_page
def usage(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Usage of one of their accounts: `?span=week` or `?since=2026-11-01&until=2026-11-07`, `&meter=`, `&by=`, `&currency=`;
    `&grain=hour` says how fine. `&show=csv`: the same figures as a file, one line a period and value."""
    owner = customer.account(account)
    asked = _asked(request.GET, owner, at=now())
    zone = get_current_timezone()
    slices: list[Slice] = []
    problem = asked.problem
    try:
        slices = explore_usage(asked.cut, granularity=asked.granularity, zone=zone)
    except TooMuchToRead:
        problem = _("There are too many events in this time to tell them apart by %(name)s. Choose a shorter time.") % {
            "name": _name(asked.cut.by)
        }
    if request.GET.get("show") == "csv" and not problem:
        return _shown_as_csv(slices, asked)
    meters = meters_of_account(owner)
    total = sum((one.amount for one in slices), ZERO)
    names = dict(meters)
    chosen = names.get(asked.cut.meter, asked.cut.meter) or _("all usage")
    bars = _bars(slices, asked) if slices else []
    page = UsagePage(
        account_key=owner.key,
        account_name=owner.name,
        asked=asked,
        currencies=sorted({wallet.currency for wallet in customer.wallets(owner)} | {asked.cut.currency}),
        meters=meters,
        groups=[(BY_METER, _("Meter")), *((name, _name(name)) for name in _groups(asked.cut))],
        spans=[(name, str(label)) for name, (label, _days) in SPANS.items()],
        grains=[(name, str(label)) for name, label in GRAINS.items()],
        caption=_("Used: %(what)s, %(currency)s") % {"what": chosen, "currency": asked.cut.currency},
        chart=bar_chart(bars, height=HIGH) if bars else None,
        narrow=bar_chart(bars, width=NARROW, height=NARROW // 2) if bars else None,
        rows=_rows(slices, asked, total, names),
        charges=sum(one.charges for one in slices),
        total=total,
        as_csv=asked.address(),
        shown_as_csv=asked.address(show="csv"),
        by_name=_("Meter") if asked.cut.by == BY_METER else _name(asked.cut.by),
        problem=problem,
    )
    return render(request, "portal/usage.html", {"page": page})


@require_safe
@customer_page
def usage_events(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """The events behind a row of the table: the same question with `&value=`, or `&none=1` for those without a value."""
    owner = customer.account(account)
    asked = _asked(request.GET, owner, at=now())
    value = request.GET.get("value")
    without = request.GET.get("none") == "1"
    events = events_of_cut(asked.cut, value=None if without else value, any_value=value is None and not without)
    before = request.GET.get("before", "")
    if before.isdecimal():
        last = customer.event_pk(int(before))
        moment = events.model.objects.values_list("time", flat=True).get(pk=last)
        events = events.filter(time__lte=moment).exclude(time=moment, pk__gte=last)
    found = list(events.order_by("-time", "-pk")[: PER_PAGE + 1])
    rows = spend_of_events(found[:PER_PAGE])
    own = {"none": "1"} if without else {} if value is None else {"value": value}
    page = EventsPage(
        account_key=owner.key,
        account_name=owner.name,
        asked=asked,
        what=_("none") if without else value or _("all usage"),
        events=rows,
        places=places_of((row.amount for row in rows), asked.cut.currency),
        older=asked.address(**own, before=str(found[PER_PAGE - 1].pk)) if len(found) > PER_PAGE else "",
        back=asked.address(),
    )
    return render(request, "portal/usage_events.html", {"page": page})


@require_safe
@customer_page
def usage_csv(request: HttpRequest, customer: Customer, account: str) -> HttpResponse:
    """Every charge of what the page shows, oldest first, as CSV; written while it is read."""
    owner = customer.account(account)
    cut = _asked(request.GET, owner, at=now()).cut
    name = f"usage-{owner.key}-{cut.start:%Y%m%d}-{cut.end:%Y%m%d}.csv".replace("/", "_")
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    answer = StreamingHttpResponse(csv_lines(_charges(cut)), content_type="text/csv; charset=utf-8", headers=headers)
    return cast("HttpResponse", answer)


def _shown_as_csv(slices: list[Slice], asked: Asked) -> HttpResponse:
    """What chart and table add up: one line a period and value."""
    name = f"usage-by-{asked.cut.by}-{asked.cut.account.key}-{asked.since:%Y%m%d}-{asked.until:%Y%m%d}.csv".replace("/", "_")
    answer = HttpResponse(
        content_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{quote(name)}"'}
    )
    writer = csv.writer(answer)
    writer.writerow(SHOWN)
    for one in slices:
        quantity = "" if one.quantity is None else plain(one.quantity)
        period = localtime(one.period).isoformat()
        writer.writerow([period, text_cell(one.value or ""), one.charges, quantity, plain(one.amount), asked.cut.currency])
    return answer


def _charges(cut: Cut) -> Iterator[list[object]]:
    by = [] if cut.by == BY_METER else [text_cell(cut.by)]
    yield [*COLUMNS, *by]
    for moment, event, kind, meter, value, quantity, amount in charge_rows(cut):
        told = [moment.isoformat(), text_cell(event), text_cell(kind), meter, plain(quantity), plain(amount), cut.currency]
        yield [*told, *([text_cell(value or "")] if by else [])]


def _asked(query: QueryDict, account: Account, *, at: datetime) -> Asked:
    """What the address asks for; what cannot be, as near as it can be, with what was wrong."""
    here, problem = localtime(at), ""
    zone, today = here.tzinfo, here.date()
    span = query.get("span", "")
    since, until = _day(query.get("since")), _day(query.get("until"))
    if since and until and not span and not 0 <= (until - since).days <= MOST_DAYS:
        problem = _("Choose a first and a last day, at most %(days)s days apart.") % {"days": MOST_DAYS}
        since = until = None
    if since is None or until is None or span:
        span = span if span in SPANS else "month"
        days = SPANS[span][1]
        until = today
        since = today - timedelta(days=days - 1)
    start = datetime.combine(since, time(), zone)
    if span == "day":
        start = (here - timedelta(hours=23)).replace(minute=0, second=0, microsecond=0)
    end = datetime.combine(until + timedelta(days=1), time(), zone)
    length = end - start
    fits: Granularity = "hour" if span == "day" or length <= HOURLY_UP_TO else "day" if length <= DAILY_UP_TO else "month"
    chosen = next((one for one in GRAINS if one == query.get("grain")), None)
    if chosen == "hour" and length > MOST_HOURLY:
        problem = _("By the hour at most %(days)s days can be shown.") % {"days": MOST_HOURLY.days}
        chosen = None
    cut = Cut(
        account=account,
        currency=query.get("currency") or account.currency,
        start=start,
        end=end,
        meter=query.get("meter", ""),
        by=query.get("by") or BY_METER,
    )
    return Asked(cut, chosen or fits, span, since, until, problem, chosen or "")


def _day(text: str | None) -> date | None:
    try:
        return date.fromisoformat(text or "")
    except ValueError:
        return None


def _groups(cut: Cut) -> list[str]:
    return sorted({*properties_to_cut_by(cut), *([] if cut.by == BY_METER else [cut.by])})


def _name(name: str) -> str:
    """A property as people say it."""
    return name.replace("_", " ").capitalize()


def _bars(slices: list[Slice], asked: Asked) -> list[Bar]:
    """One bar a period, those without usage too."""
    sums: dict[datetime, Decimal] = {}
    charges: dict[datetime, int] = {}
    for one in slices:
        sums[one.period] = sums.get(one.period, ZERO) + one.amount
        charges[one.period] = charges.get(one.period, 0) + one.charges
    return [
        Bar(
            date_format(localtime(period), LABELS[asked.granularity]),
            sums.get(period, ZERO),
            str(headline_text(sums.get(period, ZERO), asked.cut.currency)),
            charges.get(period, 0),
        )
        for period in _periods(asked, last=max(sums, default=None))
    ]


def _periods(asked: Asked, *, last: datetime | None) -> Iterator[datetime]:
    period = asked.cut.start if asked.granularity != "month" else asked.cut.start.replace(day=1)
    end = min(asked.cut.end, max(last or now(), now()))
    while period < end:
        yield period
        if asked.granularity == "hour":
            period = (period.astimezone(UTC) + timedelta(hours=1)).astimezone(period.tzinfo)
        elif asked.granularity == "day":
            period = datetime.combine(period.date() + timedelta(days=1), time(), period.tzinfo)
        else:
            period = datetime.combine((period.date().replace(day=28) + timedelta(days=4)).replace(day=1), time(), period.tzinfo)


def _rows(slices: list[Slice], asked: Asked, total: Decimal, meters: dict[str, str]) -> list[UsageRow]:
    """One row a value, dearest first; what is beyond the first ROWS in one."""
    values: dict[str | None, list[Slice]] = {}
    for one in slices:
        values.setdefault(one.value, []).append(one)
    by_amount = sorted(values.items(), key=lambda item: (-sum((one.amount for one in item[1]), ZERO), item[0] or ""))
    rows = [_row(value, group, asked, total, meters) for value, group in by_amount[:ROWS]]
    rest = [one for _value, group in by_amount[ROWS:] for one in group]
    if rest:
        amount = sum((one.amount for one in rest), ZERO)
        name = _("%(count)s more") % {"count": len(by_amount) - ROWS}
        rows.append(UsageRow(name, sum(one.charges for one in rest), None, amount, _share(amount, total), ""))
    return rows


def _row(value: str | None, group: list[Slice], asked: Asked, total: Decimal, meters: dict[str, str]) -> UsageRow:
    amount = sum((one.amount for one in group), ZERO)
    quantities = [one.quantity for one in group]
    counted = None if None in quantities else sum((quantity or ZERO for quantity in quantities), ZERO)
    name = _("none") if value is None else meters.get(value, value) if asked.cut.by == BY_METER else value
    events = asked.address(none="1") if value is None else asked.address(value=value)
    return UsageRow(name, sum(one.charges for one in group), counted, amount, _share(amount, total), events)


def _share(amount: Decimal, total: Decimal) -> Decimal:
    return amount / total if total > 0 and amount > 0 else ZERO
