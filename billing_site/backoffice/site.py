"""The back office's site: its front page and its search. What it looks like is in `appearance.py`."""

from __future__ import annotations

from typing import Any

from django.http import HttpRequest
from django.template.response import TemplateResponse
from unfold.sites import UnfoldAdminSite

from billing_site.backoffice.dashboard import read_dashboard
from wallets.clock import now


class BackOfficeSite(UnfoldAdminSite):
    """Unfold's site with a front page that answers what needs doing."""

    index_title = "Today"
    index_template = "admin/today.html"

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> TemplateResponse:
        """The front page."""
        context = {"content_title": "Today", "today": read_dashboard(at=now(), user=request.user), **(extra_context or {})}
        return super().index(request, context)
