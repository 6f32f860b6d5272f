"""`Idempotency-Key` for views that declare `idempotent = True`: claim, run, store the answer, in one transaction, so that
effect and answer exist together or not at all. A refused request leaves its answer and nothing else; a failed one leaves
nothing and can be sent again. What changes something goes through `recording.py`, with a key or without."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from typing import Any, Final

from django.db import transaction
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.template.response import SimpleTemplateResponse

from billing_site.api.authentication import bearer_secret
from billing_site.api.problems import answer, problem_of
from billing_site.api.recording import records, run_recorded
from wallets import clock
from wallets.api_keys.verify import Caller, KeyRefused, verify_api_key
from wallets.errors import InvalidInput
from wallets.idempotency.claim import FirstAnswer, claim_key, store_answer

LONGEST_KEY: Final = 255
KEPT_HEADERS: Final = ("Content-Type", "Location", "X-Balance-Available", "X-Balance-Version")
# About the caller or the moment, not about the request: asked again, the answer may be another.
NOT_KEPT: Final = frozenset({401, 403, 408, 413, 415, 429})


class KeyUnreadable(InvalidInput):
    """The Idempotency-Key header is not acceptable."""

    code = "invalid_idempotency_key"


class AnswerOnce:
    """Middleware; the last one, since it runs the view itself."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Hand on; the work is in process_view."""
        return self._get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., HttpResponseBase], args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> HttpResponseBase | None:
        """Answer an idempotent POST that carries a key; everything else goes its way. What changes something is recorded."""
        declared = getattr(view, "cls", None)
        name = request.resolver_match.url_name if request.resolver_match else None
        recorded = records(name, declared, request.method)
        run = partial(run_recorded, request, view, args, kwargs) if recorded else partial(view, request, *args, **kwargs)
        key = request.headers.get("Idempotency-Key")
        once = key is not None and request.method == "POST" and getattr(declared, "idempotent", False)
        caller = _caller(request) if once else None  # None: the view says 401
        if not recorded and (key is None or caller is None):
            return None
        try:
            return run() if key is None or caller is None else _answer_once(request, caller, key, run)
        except Exception as error:
            problem = problem_of(error)
            if problem is None:
                raise
            return answer(problem)


class _Undone(Exception):
    """What was done is undone; the answer stands."""

    def __init__(self, response: HttpResponseBase) -> None:
        super().__init__(response.status_code)
        self.response = response


def _answer_once(request: HttpRequest, caller: Caller, key: str, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    try:
        return _claim_and_run(request, caller, key, run)
    except _Undone as undone:
        return undone.response


@transaction.atomic
def _claim_and_run(request: HttpRequest, caller: Caller, key: str, run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The first answer, or a new one with its effect."""
    claim = claim_key(caller=caller.prefix, key=_checked(key), body_hash=_hash(request), at=clock.now())
    if isinstance(claim, FirstAnswer):
        return _replay(claim)
    try:
        response = _run(run)
    except _Undone as undone:
        response = undone.response
    if response.status_code >= 500 or response.status_code in NOT_KEPT:  # noqa: PLR2004 - our side failed
        raise _Undone(response)
    assert isinstance(response, HttpResponse), type(response)
    headers = {name: response.headers[name] for name in KEPT_HEADERS if name in response.headers}
    store_answer(claim_id=claim, status=response.status_code, headers=headers, body=response.content)
    return response


@transaction.atomic
def _run(run: Callable[[], HttpResponseBase]) -> HttpResponseBase:
    """The view's answer. Raises _Undone for a refusal, which leaves nothing behind."""
    response = run()
    if isinstance(response, SimpleTemplateResponse):
        response.render()
    if response.status_code >= 400:  # noqa: PLR2004 - a refusal or worse
        raise _Undone(response)
    return response


def _checked(key: str) -> str:
    if not (key.isascii() and key.isprintable() and 0 < len(key) <= LONGEST_KEY):
        raise KeyUnreadable(
            "The Idempotency-Key is not acceptable.",
            fields={"Idempotency-Key": f"1 to {LONGEST_KEY} printable ASCII characters"},
        )
    return key


def _replay(first: FirstAnswer) -> HttpResponse:
    response = HttpResponse(first.body, status=first.status, headers=first.headers)
    response.headers["Idempotency-Replayed"] = "true"
    return response


def _hash(request: HttpRequest) -> bytes:
    """What makes two requests the same: method, address and body, byte for byte."""
    digest = hashlib.sha256(f"{request.method}\n{request.get_full_path()}\n".encode())
    digest.update(request.body)
    return digest.digest()


def _caller(request: HttpRequest) -> Caller | None:
    secret = bearer_secret(request.META.get("HTTP_AUTHORIZATION", ""))
    if secret is None:
        return None
    try:
        return verify_api_key(secret, at=clock.now())
    except KeyRefused:
        return None
