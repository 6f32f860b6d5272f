"""The back office's site: its front page and its search. What it looks like is in `appearance.py`."""

from __future__ import annotations

from typing import Any, Final
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.http.response import HttpResponseBase
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from django.utils.http import url_has_allowed_host_and_scheme
from unfold.sites import UnfoldAdminSite

from billing_site.backoffice.again import asks_again, stopped_at_the_door
from billing_site.backoffice.dashboard import REFRESH_SECONDS, read_dashboard
from billing_site.backoffice.gate import gate_page
from billing_site.backoffice.general_ledger import general_ledger_page
from billing_site.backoffice.report_pages import report_page, reports_page
from billing_site.backoffice.simulate import simulate_page
from wallets.clock import now

SIGN_IN: Final = "allauth."


class BackOfficeSite(UnfoldAdminSite):
    """Unfold's site with a front page that answers what needs doing."""

    index_title = "Today"
    index_template = "admin/today.html"

    def register(self, model_or_iterable: Any, *args: Any, **kwargs: Any) -> None:
        """Not what allauth brings: with its forms staff could make themselves a way into a customer's pages."""
        models: list[Any] = [model_or_iterable] if isinstance(model_or_iterable, type) else list(model_or_iterable)
        super().register([one for one in models if not one.__module__.startswith(SIGN_IN)], *args, **kwargs)

    def has_permission(self, request: HttpRequest) -> bool:
        """Staff, with a second factor where STAFF_TWO_FACTOR asks for one."""
        return bool(super().has_permission(request)) and stopped_at_the_door(request) is None

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """There is one way in, the portal's; staff without their second factor are sent to it first."""
        wanted = request.GET.get(REDIRECT_FIELD_NAME) or reverse("admin:index")
        if not request.user.is_authenticated:
            return HttpResponseRedirect(f"{reverse('portal:login')}?{urlencode({REDIRECT_FIELD_NAME: wanted})}")
        if not super().has_permission(request):
            raise PermissionDenied
        stop = stopped_at_the_door(request)
        here = wanted if url_has_allowed_host_and_scheme(wanted, allowed_hosts=None) else reverse("admin:index")
        return HttpResponseRedirect(f"{stop}?{urlencode({REDIRECT_FIELD_NAME: here})}" if stop else here)

    def admin_view(self, view: Any, cacheable: bool = False) -> Any:  # noqa: FBT001, FBT002 - Django's signature
        """As Django's; pages that move money ask again who is there."""
        asked = asks_again(view) if getattr(view, "moves_money", False) else view
        return super().admin_view(asked, cacheable)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The front page."""
        context = {
            "content_title": "Today",
            "today": read_dashboard(at=now(), user=request.user),
            "refresh": REFRESH_SECONDS,
            **(extra_context or {}),
        }
        page: TemplateResponse = super().index(request, context)
        return page

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Beside Django's: the page that prices past usage at a version, the gate's, reports and customers."""
        return [
            path("simulate/", self.admin_view(self.simulate_view), name="simulate"),
            path("gate/", self.admin_view(self.gate_view), name="gate"),
            path("reports/", self.admin_view(self.reports_view), name="reports"),
            path("reports/<slug:slug>/", self.admin_view(self.report_view), name="report"),
            path("general-ledger/", self.admin_view(self.general_ledger_view), name="general_ledger"),
            path("customers/", self.admin_view(self.customer_find_view), name="customer_find"),
            path("customers/<int:pk>/", self.admin_view(self.customer_view), name="customer"),
            path("periods/", self.admin_view(self.periods_view), name="periods"),
            path("periods/<int:year>/<int:month>/", self.admin_view(self.period_view), name="period"),
            path("periods/<int:year>/<int:month>/prove/", self.admin_view(self.period_prove_view), name="prove-period"),
            path("periods/<int:year>/<int:month>/close/", self.admin_view(self.period_close_view), name="close-period"),
            path("periods/<int:year>/<int:month>/reopen/", self.admin_view(self.period_reopen_view), name="reopen-period"),
            *super().get_urls(),
        ]

    def periods_view(self, request: HttpRequest) -> HttpResponse:
        """Months of the books."""
        from billing_site.backoffice.periods import periods_page  # noqa: PLC0415 - it stands on pages that register here

        return periods_page(self, request)

    def period_view(self, request: HttpRequest, year: int, month: int) -> HttpResponse:
        """One of them."""
        from billing_site.backoffice.periods import period_page  # noqa: PLC0415 - it stands on pages that register here

        return period_page(self, request, year, month)

    def period_prove_view(self, request: HttpRequest, year: int, month: int) -> HttpResponse:
        """Prove it."""
        from billing_site.backoffice.periods import prove_page  # noqa: PLC0415 - it stands on pages that register here

        return prove_page(self, request, year, month)

    def period_close_view(self, request: HttpRequest, year: int, month: int) -> HttpResponse:
        """Close it."""
        from billing_site.backoffice.periods import close_page  # noqa: PLC0415 - it stands on pages that register here

        return close_page(self, request, year, month)

    def period_reopen_view(self, request: HttpRequest, year: int, month: int) -> HttpResponse:
        """Ask that it be opened again."""
        from billing_site.backoffice.periods import reopen_page  # noqa: PLC0415 - it stands on pages that register here

        return reopen_page(self, request, year, month)

    period_close_view.moves_money = period_reopen_view.moves_money = True  # type: ignore[attr-defined]  # they ask again who is there

    def simulate_view(self, request: HttpRequest) -> HttpResponse:
        """What it would have cost."""
        return simulate_page(self, request)

    def gate_view(self, request: HttpRequest) -> HttpResponse:
        """What the gate decides."""
        return gate_page(self, request)

    def reports_view(self, request: HttpRequest) -> HttpResponse:
        """All reports."""
        return reports_page(self, request)

    def report_view(self, request: HttpRequest, slug: str) -> HttpResponseBase:
        """One of them."""
        return report_page(self, request, slug)

    def general_ledger_view(self, request: HttpRequest) -> HttpResponseBase:
        """The journal for bookkeeping."""
        return general_ledger_page(self, request)

    def customer_find_view(self, request: HttpRequest) -> HttpResponse:
        """Whom a term names."""
        from billing_site.backoffice.customer import find_page  # noqa: PLC0415 - it stands on pages that register here

        return find_page(self, request)

    def customer_view(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Everything about a customer."""
        from billing_site.backoffice.customer import customer_page  # noqa: PLC0415 - as above

        return customer_page(self, request, pk)
