"""The back office's site: its front page and its search. What it looks like is in `appearance.py`."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlencode

from django.contrib.auth import REDIRECT_FIELD_NAME
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path, reverse
from unfold.sites import UnfoldAdminSite

from billing_site.backoffice.dashboard import read_dashboard
from billing_site.backoffice.gate import gate_page
from billing_site.backoffice.simulate import simulate_page
from wallets.clock import now


class BackOfficeSite(UnfoldAdminSite):
    """Unfold's site with a front page that answers what needs doing."""

    index_title = "Today"
    index_template = "admin/today.html"

    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        """Sign in, then go to the front page unless another page was asked for (Unfold's form leaves that out)."""
        if request.method == "GET" and REDIRECT_FIELD_NAME not in request.GET:
            query = urlencode({REDIRECT_FIELD_NAME: reverse("admin:index")})
            return HttpResponseRedirect(f"{request.path}?{query}")
        response: HttpResponse = super().login(request, extra_context)
        return response

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The front page."""
        context = {
            "content_title": "Today",
            "today": read_dashboard(at=now(), user=request.user),
            **(extra_context or {}),
        }
        page: TemplateResponse = super().index(request, context)
        return page

    def get_urls(self) -> list[URLPattern | URLResolver]:
        """Beside Django's: the page that prices past usage at a version, and the gate's."""
        return [
            path("simulate/", self.admin_view(self.simulate_view), name="simulate"),
            path("gate/", self.admin_view(self.gate_view), name="gate"),
            *super().get_urls(),
        ]

    def simulate_view(self, request: HttpRequest) -> HttpResponse:
        """What it would have cost."""
        return simulate_page(self, request)

    def gate_view(self, request: HttpRequest) -> HttpResponse:
        """What the gate decides."""
        return gate_page(self, request)
