"""Errors as problem documents (RFC 9457). One table says which class becomes which status; `docs/errors.md` is compared
with it by a test. What is not in the table is an accident: it is logged, told nothing about, and answered 500."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final, NamedTuple

from django.core import exceptions as django_errors
from django.db import utils as database
from django.http import Http404, HttpRequest, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from django.views import defaults
from rest_framework import exceptions as drf

from billing_site.api.scopes import ConfinedKey, ScopeMissing
from metering.ingest.body import UnknownEncoding, UnpackedTooLarge
from metering.ingest.decode import TooManyEvents, UnreadableBody
from metering.ingest.group_commit import IngestBusy
from notifications.alerts.banner import TokenRefused
from pricing.credit_products.redeem import TooManyAttempts
from pricing.plans.card import FeeNotCollected
from wallets.api_keys.person import PersonalKeyNeeded
from wallets.api_keys.verify import KeyRefused
from wallets.approvals.carry_out import MayNotDecide
from wallets.balances.lock import LockBusy
from wallets.credit.fee import CreditExhausted
from wallets.credit.transfer import NotEnoughCredit
from wallets.errors import Conflict, InvalidInput, NotFound, Refusal
from wallets.holds.refusals import HoldRefused
from wallets.idempotency.claim import KeyInUse
from wallets.payments.providers.contract import ProviderUnavailable
from wallets.portal_links.make import TooManyLinks
from wallets.risk.screen import VelocityExceeded

log = logging.getLogger(__name__)

NOT_ON_THE_WIRE: Final = re.compile(
    r"\.admin\.|\.credit_notes?$|\.payments\.(?:bank_csv|wire)$|\.handle_again$|\.risk\.review$|\.adjustments\.attach$|\.catalogues\.|\.replay_"
    r"|^wallets\.accounts\.(?:team|add_member|invite_member|close|erase)$|^wallets\.(?:visits|periods)\.|^billing_site\.(?!api\.)|^tests\."
)
MEDIA_TYPE: Final = "application/problem+json"
PROBLEMS_PAGE: Final = "/api/problems/"
RETRY_AFTER_SECONDS: Final = 1


class BodyTooLarge(Refusal):
    """The body of the request is larger than is taken."""

    code = "body_too_large"


REFUSALS: Final[Mapping[type[Refusal], int]] = {
    Refusal: 422,
    InvalidInput: 422,
    NotFound: 404,
    Conflict: 409,
    UnreadableBody: 400,
    HoldRefused: 402,
    KeyRefused: 401,
    TokenRefused: 401,
    MayNotDecide: 403,
    PersonalKeyNeeded: 403,
    CreditExhausted: 402,
    FeeNotCollected: 402,
    NotEnoughCredit: 402,
    BodyTooLarge: 413,
    TooManyEvents: 413,
    UnpackedTooLarge: 413,
    UnknownEncoding: 415,
    TooManyAttempts: 429,
    TooManyLinks: 429,
    VelocityExceeded: 429,
    IngestBusy: 503,
    LockBusy: 503,
    ProviderUnavailable: 503,
}
"""Refusal -> status; a class that is not named here has the status of the nearest base class that is."""


class Known(NamedTuple):
    """The status and code of an error that is not a Refusal."""

    status: int
    code: str


OTHERS: Final[Mapping[type[Exception], Known]] = {
    drf.ValidationError: Known(422, "invalid"),
    drf.ParseError: Known(400, "malformed"),
    drf.NotAuthenticated: Known(401, "not_authenticated"),
    drf.AuthenticationFailed: Known(401, "invalid_api_key"),
    ScopeMissing: Known(403, "missing_scope"),
    ConfinedKey: Known(403, "key_confined"),
    drf.PermissionDenied: Known(403, "forbidden"),
    drf.NotFound: Known(404, "not_found"),
    drf.MethodNotAllowed: Known(405, "method_not_allowed"),
    drf.NotAcceptable: Known(406, "not_acceptable"),
    drf.UnsupportedMediaType: Known(415, "unsupported_media_type"),
    drf.Throttled: Known(429, "rate_limited"),
    Http404: Known(404, "not_found"),
    django_errors.PermissionDenied: Known(403, "forbidden"),
    django_errors.RequestDataTooBig: Known(413, "body_too_large"),
    django_errors.SuspiciousOperation: Known(400, "malformed"),
    django_errors.BadRequest: Known(400, "malformed"),
    UnreadablePostError: Known(400, "malformed"),
    MultiPartParserError: Known(400, "malformed"),
    UnicodeEncodeError: Known(422, "invalid"),
    OverflowError: Known(422, "invalid"),
    database.DataError: Known(422, "invalid"),
    database.OperationalError: Known(503, "unavailable"),
    database.InterfaceError: Known(503, "unavailable"),
}
"""Error of a library -> status and code; the nearest base class counts."""

AT_THE_GATE: Final[Mapping[str, int]] = {"balance_exhausted": 402, "spend_cap": 402}
"""Reasons for which the gate refuses a call (`metering/api/gate_check.py`) -> status."""

# What these say is about our statements, not about what was sent; the sentence stands in for it.
SENTENCES: Final[Mapping[type[Exception], str]] = {
    UnicodeEncodeError: "A text holds half a surrogate pair.",
    OverflowError: "A number is too large.",
    database.DataError: "A value does not fit where it is kept.",
    database.OperationalError: "The database cannot be reached or is busy; send the request again in a moment.",
    database.InterfaceError: "The database cannot be reached; send the request again in a moment.",
    Http404: "There is nothing here.",
    django_errors.RequestDataTooBig: "The body is larger than is taken.",
    django_errors.SuspiciousOperation: "The request is malformed.",
}


class Problem(NamedTuple):
    """A problem document to be."""

    status: int
    code: str
    title: str
    detail: str
    errors: dict[str, list[str]]
    extra: dict[str, Any]
    headers: dict[str, str]


def problem_response(error: Exception, context: Mapping[str, Any]) -> HttpResponse | None:
    """DRF's exception handler: the answer to an error in the table; None hands an accident on to Django (500)."""
    from rest_framework.views import set_rollback  # noqa: PLC0415 - it imports this module, by its settings

    problem = problem_of(error)
    if problem is None:
        return None
    set_rollback()
    if problem.status >= 500:  # noqa: PLR2004 - our side
        log.warning("%s answered %d: %s", type(error).__name__, problem.status, error, exc_info=error)
    view = context.get("view")
    if isinstance(error, drf.NotAuthenticated | drf.AuthenticationFailed | KeyRefused) and view is not None:
        problem.headers["WWW-Authenticate"] = view.get_authenticate_header(context["request"])
    return answer(problem)


def problem_of(error: Exception) -> Problem | None:
    """What an error is to the caller; None when it is an accident."""
    if isinstance(error, Refusal):
        status = _nearest(REFUSALS, type(error)) or 422
        retry = {}
        if status in {429, 503} or isinstance(error, KeyInUse):
            retry = {"Retry-After": str(error.extra.get("retry_after_seconds", RETRY_AFTER_SECONDS))}
        errors = {name: [text] for name, text in error.fields.items()}
        return Problem(status, error.code, title_of(error.code), error.message, errors, error.extra, retry | error.headers)
    known = _nearest(OTHERS, type(error))
    if known is None:
        return None
    errors = flat_errors(error.detail) if isinstance(error, drf.ValidationError) else {}
    headers: dict[str, str] = {}
    if isinstance(error, drf.Throttled):
        headers["Retry-After"] = str(max(1, int(getattr(error, "wait", None) or 1)))
    elif known.status == 503:  # noqa: PLR2004
        headers["Retry-After"] = str(RETRY_AFTER_SECONDS)
    return Problem(known.status, known.code, title_of(known.code), _sentence(error), errors, {}, headers)


def answer(problem: Problem) -> HttpResponse:
    """The problem document as a response."""
    document: dict[str, Any] = {
        **problem.extra,
        "type": f"{PROBLEMS_PAGE}#{problem.code}",
        "title": problem.title,
        "status": problem.status,
        "detail": problem.detail,
        "code": problem.code,
    }
    if problem.errors:
        document["errors"] = problem.errors
    body = json.dumps(document, ensure_ascii=False, default=str).encode(errors="replace")
    return HttpResponse(body, status=problem.status, content_type=MEDIA_TYPE, headers=problem.headers)


def flat_errors(detail: Any, name: str = "") -> dict[str, list[str]]:
    """A serializer's findings by the full name of the field: `prices.3.unit_price`."""
    if isinstance(detail, Mapping):
        parts = list(detail.items())
    elif isinstance(detail, list) and any(isinstance(one, Mapping | list) for one in detail):
        parts = [(str(index), one) for index, one in enumerate(detail) if one]
    else:
        texts = [str(one) for one in detail] if isinstance(detail, list) else [str(detail)]
        return {name or "body": texts}
    flat: dict[str, list[str]] = {}
    for key, inner in parts:
        below = name if key == "non_field_errors" else f"{name}.{key}" if name else str(key)
        flat.update(flat_errors(inner, below))
    return flat


def title_of(code: str) -> str:
    """`lock_busy` -> `Lock busy`."""
    return re.sub(r"_", " ", code).capitalize().replace("api key", "API key")


def documented() -> Iterator[tuple[str, int]]:
    """Every code the API answers with, and its status, as `docs/errors.md` lists them. Refusals are found by their class
    once their module is loaded; those that only the admin's forms and an operator's commands meet are left out."""
    found = {known.code: known.status for known in OTHERS.values()} | dict(AT_THE_GATE)
    waiting: list[type[Refusal]] = [Refusal]
    while waiting:
        refusal = waiting.pop()
        waiting.extend(refusal.__subclasses__())
        if refusal is not Refusal and not NOT_ON_THE_WIRE.search(refusal.__module__):
            found[refusal.code] = _nearest(REFUSALS, refusal) or 422
    found |= {"internal_error": 500, "length_required": 411}
    yield from sorted(found.items())


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler404: a problem document below /api/, a page elsewhere."""
    if not is_api(request):
        return defaults.page_not_found(request, exception)
    return answer(Problem(404, "not_found", title_of("not_found"), "There is nothing here.", {}, {}, {}))


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """handler400: a problem document below /api/, a page elsewhere."""
    problem = problem_of(exception)
    if not is_api(request) or problem is None:
        return defaults.bad_request(request, exception)
    return answer(problem)


def server_error(request: HttpRequest) -> HttpResponse:
    """handler500: a problem document below /api/, a page elsewhere. Django has logged the accident."""
    if not is_api(request):
        return defaults.server_error(request)
    sentence = "Something went wrong on our side; it has been logged. Send the request again with the same Idempotency-Key."
    return answer(Problem(500, "internal_error", title_of("internal_error"), sentence, {}, {}, {}))


def is_api(request: HttpRequest) -> bool:
    """Whether programs, not people, ask."""
    return request.path_info.startswith(("/api/", "/gate/"))


def _nearest(table: Mapping[Any, Any], error: type[BaseException]) -> Any:
    return next((table[base] for base in error.__mro__ if base in table), None)


def _sentence(error: Exception) -> str:
    """What is told about an error of a library."""
    fixed = _nearest(SENTENCES, type(error))
    if fixed is not None:
        return str(fixed)
    if isinstance(error, drf.ValidationError):
        return "Some fields are not acceptable."
    if isinstance(error, drf.APIException) and isinstance(error.detail, str):
        return str(error.detail)
    return "The request is malformed."
