"""Times in the zone of whoever looks."""

from __future__ import annotations

from collections.abc import Callable
from zoneinfo import ZoneInfo

from django.http import HttpRequest, HttpResponse
from django.utils import timezone


class ViewerZone:
    """Activates the signed-in person's time zone for the request; UTC for everybody else."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer inside the zone."""
        if request.path.startswith("/api/"):  # programs get UTC, and sign in with a key, not a session
            return self._get_response(request)
        with timezone.override(_zone_of(request)):
            return self._get_response(request)


def _zone_of(request: HttpRequest) -> ZoneInfo | None:
    name = getattr(request.user, "time_zone", "")
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, LookupError):  # a name the database holds and this machine does not know
        return None
