"""What is refused before a view runs: bodies beyond 16 MiB (by their Content-Length, unread), and NUL in the address."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponse

from billing_site.api.exact_json import MAX_BYTES
from billing_site.api.problems import BodyTooLarge, Problem, answer, is_api, problem_of, title_of


class RequestLimits:
    """Middleware for requests of programs."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Refuse, or hand on."""
        if is_api(request):
            refused = _refuse(request)
            if refused is not None:
                return refused
        return self._get_response(request)


def _refuse(request: HttpRequest) -> HttpResponse | None:
    length = request.META.get("CONTENT_LENGTH") or "0"
    if length.isdigit() and (len(length) > 12 or int(length) > MAX_BYTES):  # noqa: PLR2004 - more digits than any body
        problem = problem_of(BodyTooLarge(f"The body has {length[:20]} bytes; at most {MAX_BYTES} are taken."))
        assert problem is not None, "BodyTooLarge is in the table"
        return answer(problem)
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        return answer(Problem(400, "malformed", title_of("malformed"), "The address contains a NUL character.", {}, {}, {}))
    return None
