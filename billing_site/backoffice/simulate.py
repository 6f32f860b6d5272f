"""The page that prices past usage at a version: before and after, who pays more, who would have run empty."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import reverse
from django.utils.timezone import get_current_timezone, localtime
from unfold.sites import UnfoldAdminSite

from billing_site.bar_chart import Bar, BarChart, bar_chart
from metering.simulation.models import SimulationRun
from metering.simulation.result import Row, Simulation
from metering.simulation.run import ask_for_simulation, read_result
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
LOOK_AGAIN_SECONDS: Final = 2
WHOSE: Final = (("payers", "Its customers"), ("all", "Everybody"))


class SimulateForm(forms.Form):
    """Which version, which days, whose usage."""

    version = forms.ModelChoiceField(PriceVersion.objects.none(), to_field_name="public_id", empty_label=None)
    first_day = forms.DateField()
    last_day = forms.DateField()
    whose = forms.ChoiceField(choices=WHOSE, required=False)
    account = forms.CharField(required=False, max_length=255)
    percent = forms.DecimalField(required=False, min_value=0, max_value=100_000, max_digits=9, decimal_places=3)

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


class Asked(NamedTuple):
    """What a form that was filled in well asks for."""

    version_id: str
    from_: datetime
    to: datetime
    account: Account | None
    only_payers: bool


def simulate_page(site: UnfoldAdminSite, request: HttpRequest) -> HttpResponse:
    """The form, and below it the answer once a version is chosen; what takes a while is run by a worker (POST), and the page of
    its run looks again by itself until it is done."""
    if not (request.user.has_perm("pricing.view_priceversion") and request.user.has_perm("metering.view_hourlyusage")):
        raise PermissionDenied
    at = now()
    if request.GET.get("run"):
        return _run_page(site, request, at=at)
    values = request.POST if request.method == "POST" else request.GET
    form = SimulateForm(_asked(values, localtime(at).date()) if values.get("version") else None)
    simulation, refusal, too_many = None, "", 0
    if form.is_bound and form.is_valid():
        asked = _read(form, at=at)
        try:
            if request.method == "POST":
                run = ask_for_simulation(**asked._asdict(), at=at, actor=request.user.email)  # type: ignore[union-attr]
                percent = form.cleaned_data["percent"]
                more = {} if percent is None else {"percent": str(percent)}
                return redirect(f"{reverse('admin:simulate')}?{urlencode({'run': run.public_id} | more)}")
            simulation = simulate(**asked._asdict(), most_events=MOST_EVENTS)
        except TooManyEvents as error:
            too_many = error.charges
        except Refusal as error:
            refusal = " ".join((error.message, *(f"{name}: {what}." for name, what in error.fields.items())))
    version = form.cleaned_data["version"] if simulation is not None else None
    percent = form.cleaned_data.get("percent") if form.is_bound and form.is_valid() else None
    context = {"form": form, "refusal": refusal, "too_many": too_many, "asked": _asked(values, localtime(at).date())}
    status = 422 if form.errors or refusal else 200
    return _page(site, request, context, version, simulation, MORE_THAN if percent is None else percent, status=status)


def _run_page(site: UnfoldAdminSite, request: HttpRequest, *, at: datetime) -> HttpResponse:
    """A run: how far it is, or what it came to. Raises Http404."""
    run = SimulationRun.objects.select_related("version__book", "account").filter(public_id=request.GET["run"]).first()
    if run is None:
        raise Http404
    simulation = read_result(run) if run.state == SimulationRun.State.DONE else None
    context = {
        "run": run,
        "form": SimulateForm(),
        "refusal": run.failure,
        "asked": _asked(QueryDict(), localtime(at).date())
        | {
            "version": run.version.public_id,
            "first_day": localtime(run.start).date().isoformat(),
            "last_day": localtime(run.end - HOUR).date().isoformat(),
            "account": run.account.key if run.account else "",
            "whose": "payers" if run.only_payers else "all",
        },
    }
    try:
        percent = Decimal(request.GET.get("percent") or MORE_THAN)
    except InvalidOperation:
        percent = MORE_THAN
    percent = percent if percent.is_finite() else MORE_THAN
    response = _page(site, request, context, run.version, simulation, percent, status=200)
    if run.finished_at is None:
        response["Refresh"] = str(LOOK_AGAIN_SECONDS)
    return response


def _page(
    site: UnfoldAdminSite,
    request: HttpRequest,
    context: dict[str, Any],
    version: PriceVersion | None,
    simulation: Simulation | None,
    percent: Decimal,
    *,
    status: int,
) -> HttpResponse:
    """The page; with what a simulation came to, once there is one."""
    context = {
        **site.each_context(request),
        "title": "What it would have cost",
        "content_title": "What it would have cost",
        "whose": WHOSE,
        "versions": list(context["form"].fields["version"].queryset[:MOST_VERSIONS]),
        "version": version if simulation is not None else None,
        "simulation": simulation,
        "most_days": MAX_DAYS,
        "percent": percent,
        **context,
    }
    if simulation is not None:
        context |= {
            "charts": _charts(simulation),
            "dearer": _shown("Who pays more", "Account", simulation.dearer(percent)),
            "tables": [
                _shown("By meter", "Meter", simulation.by_meter),
                _shown("By model", "Model", simulation.by_model),
                _shown("By account", "Account", simulation.by_account),
            ],
            "ran_empty": simulation.ran_empty[:MOST_SHOWN],
            "ran_empty_more": max(0, len(simulation.ran_empty) - MOST_SHOWN),
        }
    return TemplateResponse(request, "admin/simulate_page.html", context, status=status)


def _read(form: SimulateForm, *, at: datetime) -> Asked:
    values = form.cleaned_data
    return Asked(
        version_id=values["version"].public_id,
        from_=_hour(values["first_day"]),
        to=min(_hour(values["last_day"] + timedelta(days=1)), at.replace(minute=0, second=0, microsecond=0) + HOUR),
        account=values["account"],
        only_payers=values["account"] is None and values["whose"] != "all",
    )


def _asked(values: QueryDict, today: date) -> dict[str, str]:
    """The form's values: what was asked, else the last days."""
    defaults = {
        "first_day": (today - timedelta(days=DAYS - 1)).isoformat(),
        "last_day": today.isoformat(),
        "whose": "payers",
        "percent": str(MORE_THAN),
    }
    return defaults | {name: value for name, value in values.items() if isinstance(value, str) and value}


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
