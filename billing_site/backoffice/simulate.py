"""The page that prices past usage at a version: before and after, who pays more, who would have run empty."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.utils.timezone import get_current_timezone, localtime
from unfold.sites import UnfoldAdminSite

from billing_site.bar_chart import Bar, BarChart, bar_chart
from metering.simulation.result import Row, Simulation
from metering.simulation.simulate import MAX_DAYS, MOST_EVENTS, TooManyEvents, simulate
from pricing.books.models import PriceVersion
from wallets.accounts.models import Account
from wallets.amount_text import line_text
from wallets.clock import now
from wallets.errors import Refusal

DAYS: Final = 60
MORE_THAN: Final = Decimal(10)
MOST_VERSIONS: Final = 200
MOST_SHOWN: Final = 50
HOUR: Final = timedelta(hours=1)
WHOSE: Final = (("payers", "Its customers"), ("all", "Everybody"))


class SimulateForm(forms.Form):
    """Which version, which days, whose usage."""

    version = forms.ModelChoiceField(PriceVersion.objects.none(), to_field_name="public_id", empty_label=None)
    first_day = forms.DateField()
    last_day = forms.DateField()
    whose = forms.ChoiceField(choices=WHOSE, required=False)
    account = forms.CharField(required=False, max_length=255)
    percent = forms.DecimalField(required=False, min_value=0, max_value=100_000, max_digits=9, decimal_places=3)
    confirm = forms.BooleanField(required=False)

    def __init__(self, *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        versions = PriceVersion.objects.select_related("book").order_by("-created_at", "-id")
        self.fields["version"].queryset = versions  # type: ignore[attr-defined]  # of a field of this kind

    def clean_account(self) -> Account | None:
        """The account with this key, if one is named."""
        key = self.cleaned_data["account"]
        account = Account.objects.filter(key=key).first() if key else None
        if key and account is None:
            raise forms.ValidationError("There is no account with this key.")
        return account


class Shown(NamedTuple):
    """A table: its rows, and how many more there are."""

    heading: str
    what: str
    rows: tuple[Row, ...]
    more: int


class Charts(NamedTuple):
    """Each day as it was and at the version, to one scale."""

    currency: str
    before: BarChart
    after: BarChart


def simulate_page(site: UnfoldAdminSite, request: HttpRequest) -> HttpResponse:
    """The form, and below it the answer once a version is chosen. Nothing is stored."""
    if not (request.user.has_perm("pricing.view_priceversion") and request.user.has_perm("metering.view_hourlyusage")):
        raise PermissionDenied
    at = now()
    today = localtime(at).date()
    form = SimulateForm(_asked(request, today) if request.GET.get("version") else None)
    simulation, refusal, too_many = None, "", 0
    percent = MORE_THAN
    if form.is_bound and form.is_valid():
        values = form.cleaned_data
        percent = values["percent"] if values["percent"] is not None else MORE_THAN
        try:
            simulation = simulate(
                version_id=values["version"].public_id,
                from_=_hour(values["first_day"]),
                to=min(_hour(values["last_day"] + timedelta(days=1)), at.replace(minute=0, second=0, microsecond=0) + HOUR),
                account=values["account"],
                only_payers=values["account"] is None and values["whose"] != "all",
                most_events=None if values["confirm"] else MOST_EVENTS,
            )
        except TooManyEvents as error:
            too_many = error.charges
        except Refusal as error:
            refusal = " ".join((error.message, *(f"{name}: {what}." for name, what in error.fields.items())))
    context = dict(
        site.each_context(request),
        title="What it would have cost",
        content_title="What it would have cost",
        form=form,
        asked=_asked(request, today),
        whose=WHOSE,
        versions=list(form.fields["version"].queryset[:MOST_VERSIONS]),  # type: ignore[attr-defined]
        version=form.cleaned_data["version"] if simulation is not None else None,
        simulation=simulation,
        refusal=refusal,
        too_many=too_many,
        most_days=MAX_DAYS,
        percent=percent,
    )
    if simulation is not None:
        dearer = simulation.dearer(percent)
        context |= {
            "charts": _charts(simulation),
            "dearer": _shown("Who pays more", "Account", dearer),
            "tables": [
                _shown("By meter", "Meter", simulation.by_meter),
                _shown("By model", "Model", simulation.by_model),
                _shown("By account", "Account", simulation.by_account),
            ],
            "ran_empty": simulation.ran_empty[:MOST_SHOWN],
            "ran_empty_more": max(0, len(simulation.ran_empty) - MOST_SHOWN),
        }
    status = 422 if form.errors or refusal else 200
    return TemplateResponse(request, "admin/simulate_page.html", context, status=status)


def _asked(request: HttpRequest, today: date) -> dict[str, str]:
    """The form's values: what was asked, else the last days."""
    defaults = {
        "first_day": (today - timedelta(days=DAYS - 1)).isoformat(),
        "last_day": today.isoformat(),
        "whose": "payers",
        "percent": str(MORE_THAN),
    }
    return defaults | {name: value for name, value in request.GET.dict().items() if value}


def _hour(day: date) -> datetime:
    """The hour in which a day of the viewer's zone begins."""
    return datetime(day.year, day.month, day.day, tzinfo=get_current_timezone()).replace(minute=0)


def _shown(heading: str, what: str, rows: Any) -> Shown:
    return Shown(heading, what, tuple(rows[:MOST_SHOWN]), max(0, len(rows) - MOST_SHOWN))


def _charts(simulation: Simulation) -> Charts | None:
    """Of the currency with the largest revenue."""
    if not simulation.totals:
        return None
    currency = simulation.totals[0].currency
    days = [(day, row) for day, row in simulation.by_day if row.currency == currency]
    highest = max(max(row.before.revenue, row.after.revenue) for _, row in days)
    before, after = (
        bar_chart([_bar(day, amount, currency) for day, amount in amounts], highest=highest)
        for amounts in (
            [(day, row.before.revenue) for day, row in days],
            [(day, row.after.revenue) for day, row in days],
        )
    )
    return Charts(currency, before, after)


def _bar(day: date, amount: Decimal, currency: str) -> Bar:
    return Bar(f"{day.day} {day:%b}", amount, str(line_text(amount, currency)))
