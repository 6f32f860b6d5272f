"""The pages of reports: the list of them, and one page for any report, also as CSV and as a spreadsheet."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.html import escape, format_html
from unfold.sites import UnfoldAdminSite

from billing_site.backoffice.report_files import spreadsheet
from billing_site.backoffice.reports import REPORTS, Choice, ReportKind
from billing_site.bar_chart import Bar, BarChart, bar_chart
from billing_site.templatetags import amounts
from wallets.amount_text import headline_text
from wallets.balances.currencies import currencies_in_use
from wallets.clock import now
from wallets.csv_cells import csv_lines, text_cell
from wallets.errors import Refusal
from wallets.ledger.rolled_days import DAY, start_of
from wallets.reports.report import Chart, Column, Report

CHART_WIDTH: Final = 1120
CHART_HEIGHT: Final = 220
MOST_DAYS: Final = 3_700
MOST_SHOWN: Final = 200  # rows on the page; the files have all
LINKS: Final = {
    "account": "admin:customer",
    "wallet": "admin:wallets_wallet_change",
    "lot": "admin:wallets_creditlot_change",
}


SHOWN: Final[dict[str, Callable[[Any], str]]] = {
    "count": lambda value: f"{value:,.0f}",
    "percent": lambda value: f"{value:,.1f} %",
    "days": lambda value: f"{value:,.1f}",
    "quantity": lambda value: f"{value:,.1f}",
    "date": lambda value: f"{value:%-d %b %Y}",
    "moment": amounts.moment,
}


class ReportForm(forms.Form):
    """Time, currency and whatever else the report asks for."""

    first_day = forms.DateField(required=False)
    last_day = forms.DateField(required=False)
    as_of = forms.DateField(required=False)
    currency = forms.ChoiceField(choices=(), required=False)

    def __init__(self, kind: ReportKind, currencies: list[str], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["currency"].choices = [(one, one) for one in currencies]  # type: ignore[attr-defined]  # of a field of this kind
        for choice in kind.choices:
            self.fields[choice.name] = forms.CharField(required=False, max_length=120, label=choice.label)

    def clean(self) -> dict[str, Any]:
        """From - to in this order, and of a length that can be read."""
        values: dict[str, Any] = super().clean() or {}
        first, last = values.get("first_day"), values.get("last_day")
        if first and last and first > last:
            self.add_error("last_day", "It is before the first day.")
        elif first and last and (last - first).days > MOST_DAYS:
            self.add_error("first_day", f"At most {MOST_DAYS:,} days at once.")
        return values


class Filter(NamedTuple):
    """A field of the form as the page shows it."""

    name: str
    label: str
    value: str
    kind: str
    options: list[str]
    errors: list[str]


class Asked(NamedTuple):
    """What a report is asked, and how it says so in an address."""

    arguments: dict[str, Any]
    query: dict[str, str]
    as_of: datetime
    first_day: date
    last_day: date


def reports_page(site: UnfoldAdminSite, request: HttpRequest) -> HttpResponse:
    """All reports one may read, by what they are about."""
    groups: dict[str, list[ReportKind]] = {}
    for kind in REPORTS.values():
        if request.user.has_perm(kind.right):
            groups.setdefault(kind.group, []).append(kind)
    if not groups:
        raise PermissionDenied
    context = dict(site.each_context(request), title="Reports", content_title="Reports", groups=list(groups.items()))
    return TemplateResponse(request, "admin/reports_page.html", context)


def report_page(site: UnfoldAdminSite, request: HttpRequest, slug: str) -> HttpResponseBase:
    """One report; `?format=csv` or `xlsx` is the file of the same. Raises Http404."""
    kind = REPORTS.get(slug)
    if kind is None:
        raise Http404
    if not request.user.has_perm(kind.right):
        raise PermissionDenied
    currencies = currencies_in_use()
    form = ReportForm(kind, currencies, request.GET)
    asked = _asked(kind, form, currencies, at=now())
    report, refusal = None, ""
    missing = [one.label for one in kind.choices if one.required and not asked.arguments.get(one.name)]
    if form.is_valid() and not missing:
        try:
            report = kind.read(**asked.arguments)
        except Refusal as error:
            refusal = error.message
    if report is not None and request.GET.get("format") in {"csv", "xlsx"}:
        return _file(kind, report, asked, request.GET["format"])
    context = dict(
        site.each_context(request),
        title=kind.title,
        content_title=kind.title,
        kind=kind,
        report=report,
        refusal=refusal,
        missing=missing,
        asked=asked,
        filters=_filters(kind, form, asked, currencies),
        figures=_figures(report) if report else [],
        table=_table(report) if report else None,
        chart=_chart(report.chart, report.currency) if report and report.chart else None,
        links={name: f"?{urlencode(asked.query | {'format': name})}" for name in ("csv", "xlsx")},
        same=f"?{urlencode(asked.query)}",
    )
    return TemplateResponse(request, "admin/report_page.html", context, status=422 if form.errors or refusal else 200)


def _asked(kind: ReportKind, form: ReportForm, currencies: list[str], *, at: datetime) -> Asked:
    """Days are of UTC; a day that is not over counts until now. Without days: this month."""
    form.is_valid()
    values = form.cleaned_data
    today = at.astimezone(UTC).date()
    first = values.get("first_day") or today.replace(day=1)
    last = max(values.get("last_day") or today, first)
    day = values.get("as_of") or today
    currency = values.get("currency") or (currencies[0] if currencies else "USD")
    arguments: dict[str, Any] = {"currency": currency}
    query = {"currency": currency}
    if kind.spans:
        end = min(start_of(last + DAY), at) if last >= today else start_of(last + DAY)
        arguments |= {"start": start_of(first), "end": max(end, start_of(first))}
        query |= {"first_day": first.isoformat(), "last_day": last.isoformat()}
    else:
        end = at if day >= today else start_of(day + DAY)
        arguments["as_of"] = end
        query["as_of"] = day.isoformat()
    for choice in kind.choices:
        value = values.get(choice.name) or (choice.suggestions[0] if choice.suggestions else "")
        if value:
            arguments[choice.name] = value
            query[choice.name] = value
    return Asked(arguments, query, end, first, last if kind.spans else day)


def _filters(kind: ReportKind, form: ReportForm, asked: Asked, currencies: list[str]) -> list[Filter]:
    days = (
        [("first_day", "From", asked.first_day), ("last_day", "To", asked.last_day)]
        if kind.spans
        else [("as_of", "As of", asked.last_day)]
    )
    found = [
        Filter(name, label, day.isoformat(), "date", [], [str(error) for error in form.errors.get(name, [])])
        for name, label, day in days
    ]
    if len(currencies) > 1:
        found.append(Filter("currency", "Currency", asked.query["currency"], "select", currencies, []))
    found += [_choice(one, asked) for one in kind.choices]
    return found


def _choice(choice: Choice, asked: Asked) -> Filter:
    return Filter(choice.name, choice.label, asked.query.get(choice.name, ""), "text", list(choice.suggestions), [])


class Cell(NamedTuple):
    """What a cell shows, and whether it is set to the right."""

    html: str
    right: bool


class Table(NamedTuple):
    """The columns that are shown, and their cells. more: rows that are only in the files."""

    columns: list[Column]
    rows: list[list[Cell]]
    totals: list[Cell]
    more: int


def _table(report: Report) -> Table:
    columns = report.columns
    shown = [place for place, one in enumerate(columns) if not one.quiet or any(row[place] for row in report.rows)]

    def cells(row: Sequence[Any]) -> list[Cell]:
        return [Cell(_html(row[place], columns[place].kind, report.currency), columns[place].is_number) for place in shown]

    rows, totals = [cells(row) for row in report.rows[:MOST_SHOWN]], cells(report.totals) if report.totals else []
    return Table([columns[place] for place in shown], rows, totals, len(report.rows) - len(rows))


def _html(value: Any, kind: str, currency: str, *, amount: Callable[[Decimal, str], str] = amounts.bare_amount) -> str:
    """A value as its kind is shown; in Python, since a template takes ten times as long for a table of a thousand cells."""
    if value is None:
        return ""
    if link := _link(value):
        return format_html('<a href="{}">{}</a>', link, value)
    return amount(value, currency) if kind == "amount" else SHOWN.get(kind, escape)(value)


def _figures(report: Report) -> list[tuple[str, str]]:
    """The total and the numbers beside it: what each is called, and as it is shown."""
    return [
        (one.label, _html(one.value, one.kind, report.currency, amount=amounts.headline))
        for one in (report.total, *report.figures)
    ]


def _link(value: Any) -> str:
    name = LINKS.get(getattr(value, "kind", ""))
    return reverse(name, args=[value.pk]) if name else ""


def _chart(chart: Chart, currency: str) -> BarChart:
    bars = [Bar(label, value, _words(value, chart.kind, currency)) for label, value in chart.bars]
    return bar_chart(bars, width=CHART_WIDTH, height=CHART_HEIGHT)


def _words(value: Decimal, kind: str, currency: str) -> str:
    if kind == "amount":
        return str(headline_text(value, currency))
    unit = {"percent": " %", "days": " days"}.get(kind, "")
    return f"{value:,.1f}{unit}" if unit else f"{value:,.0f}"


def _file(kind: ReportKind, report: Report, asked: Asked, format_: str) -> HttpResponseBase:
    name = f"{kind.slug}-{'-'.join(asked.query.values())}.{format_}".replace("/", "_").replace('"', "")
    if format_ == "xlsx":
        response: HttpResponseBase = HttpResponse(
            spreadsheet(kind.title, report, asked.query, asked.as_of),
            content_type="application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        )
    else:
        response = StreamingHttpResponse(csv_lines(_csv_rows(report)), content_type="text/csv; charset=utf-8")
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _csv_rows(report: Report) -> Iterator[list[str]]:
    yield [*(column.name for column in report.columns), "currency"]
    for row in report.rows:
        yield [*map(_csv_cell, row), report.currency]


def _csv_cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, Decimal):
        return f"{value:f}"
    return value.isoformat() if isinstance(value, date) else text_cell(str(value)) if not isinstance(value, int) else str(value)
