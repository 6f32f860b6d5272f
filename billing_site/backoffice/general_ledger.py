"""The page that takes the journal to the vendor's own bookkeeping."""

from __future__ import annotations

from datetime import UTC, date, timedelta
from typing import Any, Final

from django import forms
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from unfold.sites import UnfoldAdminSite

from billing_site.backoffice.reports import MONEY
from wallets.balances.currencies import currencies_in_use
from wallets.clock import now
from wallets.errors import Refusal
from wallets.reports.general_ledger import GlExport, gl_lines
from wallets.reports.general_ledger_formats import NAMES, Datev, gl_file
from wallets.reports.models import AccountCode

CODES: Final = "wallets.view_accountcode"
MOST_SHOWN: Final = 60
TITLES: Final = {
    "csv": "CSV", "quickbooks": "QuickBooks", "xero": "Xero", "netsuite": "NetSuite", "datev": "DATEV",
}  # fmt: skip


class GeneralLedgerForm(forms.Form):
    """Which days, which currency, for which program."""

    first_day = forms.DateField(label="First day")
    last_day = forms.DateField(label="Last day")
    currency = forms.ChoiceField(label="Currency")
    program = forms.ChoiceField(label="For", choices=[(name, TITLES[name]) for name in NAMES])
    suspense = forms.RegexField(r"^[\w.-]{1,40}$", label="Suspense account, for what has no code", required=False)
    consultant = forms.RegexField(r"^\d{4,7}$", label="DATEV: adviser number", required=False)
    client = forms.RegexField(r"^\d{1,5}$", label="DATEV: client number", required=False)
    clearing = forms.RegexField(r"^\d{1,9}$", label="DATEV: clearing account", required=False)

    def __init__(self, currencies: list[str], *args: Any, **more: Any) -> None:
        super().__init__(*args, **more)
        self.fields["currency"].choices = [(one, one) for one in currencies]  # type: ignore[attr-defined]  # of a field of this kind

    def clean(self) -> dict[str, Any]:
        """First before last; DATEV needs its three numbers."""
        values: dict[str, Any] = super().clean() or {}
        if values.get("first_day") and values.get("last_day") and values["first_day"] > values["last_day"]:
            self.add_error("last_day", "It is before the first day.")
        if values.get("program") == "datev":
            for name in ("consultant", "client", "clearing"):
                if not values.get(name) and name not in self.errors:
                    self.add_error(name, "DATEV needs it.")
        return values


def general_ledger_page(site: UnfoldAdminSite, request: HttpRequest) -> HttpResponseBase:
    """The form; with it filled in, the lines; `?download=1` is the file."""
    if not (request.user.has_perm(MONEY) and request.user.has_perm(CODES)):
        raise PermissionDenied
    currencies = currencies_in_use()
    form = GeneralLedgerForm(currencies, request.GET if "currency" in request.GET else None, initial=_last_month(currencies))
    export, refusal = None, ""
    if form.is_bound and form.is_valid():
        try:
            export = _read(form.cleaned_data)
        except Refusal as error:
            refusal = error.message
    if export is not None and request.GET.get("download"):
        return _file(export, form.cleaned_data)
    download = request.GET.copy()
    download["download"] = "1"
    context = dict(
        site.each_context(request),
        title="General ledger",
        content_title="General ledger",
        form=form,
        export=export,
        lines=export.lines[:MOST_SHOWN] if export else [],
        more=max(0, len(export.lines) - MOST_SHOWN) if export else 0,
        refusal=refusal,
        codes=AccountCode.objects.count(),
        download=f"?{download.urlencode()}",
    )
    return TemplateResponse(request, "admin/general_ledger_page.html", context, status=422 if form.errors or refusal else 200)


def _read(asked: dict[str, Any]) -> GlExport:
    return gl_lines(
        first_day=asked["first_day"], last_day=asked["last_day"], currency=asked["currency"], suspense=asked["suspense"]
    )


def _file(export: GlExport, asked: dict[str, Any]) -> StreamingHttpResponse:
    program = asked["program"]
    datev = (
        Datev(asked["consultant"], asked["client"], len(asked["clearing"]), 1, asked["clearing"])
        if program == "datev"
        else None
    )
    lines = gl_file(export, format_=program, made_at=now().astimezone(UTC), datev=datev)
    # DATEV reads Windows' code page, and only files whose names begin so.
    charset = "cp1252" if program == "datev" else "utf-8"
    days = f"{export.first_day:%Y%m%d}-{export.last_day:%Y%m%d}-{export.currency}"
    name = f"EXTF_Buchungsstapel_{days}.csv" if program == "datev" else f"general-ledger-{program}-{days}.csv"
    response = StreamingHttpResponse(
        (line.encode(charset, "replace") for line in lines), content_type=f"text/csv; charset={charset}"
    )
    response["Content-Disposition"] = f'attachment; filename="{name}"'
    return response


def _last_month(currencies: list[str]) -> dict[str, Any]:
    today = now().astimezone(UTC).date()
    last = today.replace(day=1) - timedelta(days=1)
    return {
        "first_day": date(last.year, last.month, 1).isoformat(),
        "last_day": last.isoformat(),
        "currency": currencies[0] if currencies else "USD",
        "program": "csv",
    }
