"""The site with one more page: a view that does nothing, behind the whole stack. What the gate's check is compared with."""

from __future__ import annotations

from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

from billing_site import wsgi

PATH: Final = "/benchmark/empty"


def empty(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Nothing."""
    return HttpResponse(status=204)


urlpatterns = [path(PATH.removeprefix("/"), empty), path("", include("billing_site.urls"))]


def application(environ: Any, start_response: Any) -> Any:
    """The site with the page. Only the process that serves it has other addresses."""
    settings.ROOT_URLCONF = __name__
    return wsgi.application(environ, start_response)
