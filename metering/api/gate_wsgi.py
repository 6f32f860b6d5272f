"""GET /gate/check ahead of Django's middleware, in the WSGI entry: it is asked before every call of the vendor's service.

The usual question (a key verified seconds ago, an account that is published) is answered from memory and one round trip to
Redis. Everything else goes to the view, `gate_check`, with nothing of Django around it but the request and its database
connections: so both say the same, whatever is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from decimal import Decimal
from functools import lru_cache
from http import HTTPStatus
from types import MappingProxyType
from typing import Any, Final, NamedTuple
from urllib.parse import parse_qsl

from django.core.handlers.wsgi import WSGIRequest
from django.db import close_old_connections

from metering.api.gate_check import (
    FOR_ENVOY,
    SCOPE,
    SCOPE_HEADERS,
    AnswerParts,
    Statuses,
    answer_parts,
    asked_amount,
    asked_meters,
    asked_scopes,
    asked_statuses,
    gate_check,
)
from metering.gate.check import check_published
from metering.gate.decide import UNKNOWN_CALL, Call
from wallets import clock
from wallets.accounts.open import KEY
from wallets.api_keys.verify import remembered_caller
from wallets.errors import InvalidInput

PATH: Final = "/gate/check"
ENVOY_PATH: Final = "/gate/envoy/"
UNDERSTOOD: Final = frozenset({"account", "amount", "currency", "allowed", "refused", "meter", *SCOPE_HEADERS})
SCOPE_VARIABLES: Final = {scope: f"HTTP_{name.upper().replace('-', '_')}" for scope, name in SCOPE_HEADERS.items()}
# Questions remembered as they were understood: mostly one an account.
REMEMBERED: Final = 8_192
LONGEST: Final = 512  # characters of a question worth remembering

STATUS_LINE: Final = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class Question(NamedTuple):
    """What is asked about whom."""

    account: str
    amount: Decimal | None
    currency: str | None
    statuses: Statuses
    scopes: dict[str, str]
    meters: tuple[str, ...] = ()


def gate_first(django: Application) -> Application:
    """The site with the gate's check mounted ahead of it."""

    def answer(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path != PATH and not path.startswith(ENVOY_PATH):
            return django(environ, start_response)
        query = environ.get("QUERY_STRING", "") if path == PATH else FOR_ENVOY
        gate_key, authorization = environ.get("HTTP_X_GATE_KEY"), environ.get("HTTP_AUTHORIZATION", "")
        secret = bearer(authorization) if gate_key is None else gate_key
        who = {scope: environ[name] for scope, name in SCOPE_VARIABLES.items() if name in environ}
        quick = quick_answer(query, environ.get("HTTP_X_ACCOUNT", ""), secret, clock.now(), who=who)
        status, headers, body = _answer_of_view(environ) if quick is None else quick
        lines = list(headers.items())
        if body or status != HTTPStatus.NO_CONTENT:
            lines.append(("Content-Length", str(len(body))))
        start_response(STATUS_LINE[status], lines)
        return (body,) if body and environ["REQUEST_METHOD"] != "HEAD" else ()

    return answer


def bearer(authorization: str) -> str:
    """The key in an Authorization header; empty when there is none."""
    scheme, _, secret = authorization.partition(" ")
    return secret if scheme in {"Bearer", "bearer"} else ""


def quick_answer(
    query: str, header: str, secret: str, at: datetime, *, who: Mapping[str, str] = MappingProxyType({})
) -> AnswerParts | None:
    """The answer where memory and Redis have it; None otherwise. header: of X-Account.  secret: the gateway's key.  who: what
    headers say of who calls, by scope of spend caps."""
    if not secret or len(query) + len(header) > LONGEST:
        return None
    caller = remembered_caller(secret, at=at)
    if caller is None or SCOPE not in caller.scopes:
        return None
    question = _understood(query, header)
    if question is None or caller.account_key not in (None, question.account):
        return None
    account, amount, currency, statuses, scopes, meters = question
    if who or scopes:
        scopes = asked_scopes(scopes, who)
    call = Call(scopes, meters=meters) if scopes or meters else UNKNOWN_CALL
    decision = check_published(account_key=account, amount=amount, currency=currency, at=at, call=call)
    return None if decision is None else answer_parts(decision, account, amount, statuses)


@lru_cache(maxsize=REMEMBERED)
def _understood(query: str, header: str) -> Question | None:
    """The question, if it is a usual one."""
    try:
        asked = dict(parse_qsl(query, strict_parsing=bool(query), keep_blank_values=True, max_num_fields=len(UNDERSTOOD)))
    except ValueError:
        return None
    account = asked.get("account") or header
    if not KEY.fullmatch(account) or not asked.keys() <= UNDERSTOOD:
        return None
    try:
        statuses = asked_statuses(asked.get("allowed"), asked.get("refused"))
        amount, currency = asked_amount(asked.get("amount"), asked.get("currency"))
        meters = asked_meters(asked.get("meter", ""))
        return Question(account, amount, currency, statuses, asked_scopes(asked, {}), meters)
    except InvalidInput:
        return None


def _answer_of_view(environ: Environ) -> AnswerParts:
    """What the view answers, with a database connection that is neither stale nor broken."""
    close_old_connections()
    try:
        path = environ["PATH_INFO"]
        response = gate_check(WSGIRequest(environ), None if path == PATH else path.removeprefix(ENVOY_PATH))
    finally:
        close_old_connections()
    return AnswerParts(response.status_code, dict(response.items()), response.content)
