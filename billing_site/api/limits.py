"""What is refused before a view runs: bodies beyond 16 MiB (by their Content-Length, unread), and NUL in the address. A
body sent in chunks is read here, up to the limit: Django itself takes one without a length for empty."""

from __future__ import annotations

from collections.abc import Callable
from io import BytesIO

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
    if "\x00" in request.path_info or "%00" in request.META.get("QUERY_STRING", ""):
        return _problem(400, "malformed", "The address contains a NUL character.")
    length = request.META.get("CONTENT_LENGTH") or ""
    if length.isdigit() and (len(length) > 12 or int(length) > MAX_BYTES):  # noqa: PLR2004 - more digits than any body
        return _too_large(f"The body has {length[:20]} bytes; at most {MAX_BYTES} are taken.")
    if "chunked" in request.META.get("HTTP_TRANSFER_ENCODING", "").lower():
        return _take_chunks(request)
    return None


def _take_chunks(request: HttpRequest) -> HttpResponse | None:
    """Let Django find a body of known length where chunks came in."""
    if not request.META.get("wsgi.input_terminated"):
        return _problem(411, "length_required", "This server takes no chunks; send the body with its Content-Length.")
    try:
        body = request.META["wsgi.input"].read(MAX_BYTES + 1)
    except Exception:  # noqa: BLE001 - each server has its own for a sender that breaks off or sends no chunks
        return _problem(400, "malformed", "The chunks of the body cannot be read.")
    if len(body) > MAX_BYTES:
        return _too_large(f"The body has more than {MAX_BYTES} bytes.")
    request.META["CONTENT_LENGTH"] = str(len(body))
    request._stream = BytesIO(body)  # noqa: SLF001 - where Django keeps what it reads from
    return None


def _too_large(sentence: str) -> HttpResponse:
    problem = problem_of(BodyTooLarge(sentence))
    assert problem is not None, "BodyTooLarge is in the table"
    return answer(problem)


def _problem(status: int, code: str, sentence: str) -> HttpResponse:
    return answer(Problem(status, code, title_of(code), sentence, {}, {}, {}))
