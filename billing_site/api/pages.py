"""The pages about the API: its OpenAPI document, the page to browse it, and the list of error codes."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from drf_spectacular.views import SpectacularJSONAPIView, SpectacularSwaggerSplitView

from billing_site.api.problems import documented, title_of


def problems_page(request: HttpRequest) -> HttpResponse:
    """Every error code with its status: what `type` in a problem document points to."""
    rows = [{"code": code, "status": status, "title": title_of(code)} for code, status in documented()]
    return render(request, "api/problems.html", {"rows": rows})


urlpatterns = [
    path("schema/", SpectacularJSONAPIView.as_view(), name="schema"),
    path("docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="docs"),
    path("problems/", problems_page, name="problems"),
]
