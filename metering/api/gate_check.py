"""GET /gate/check: the gate for reverse proxies (nginx auth_request, Envoy ext_authz, Traefik forward-auth). The answer is
the status and the headers: 204 allow, 402 refuse, 429 throttle.

A plain function over a plain request, without Django REST framework: it is asked before every call of the vendor's own
service. Proxies forward the method of the call they hold, so every method is answered alike and nothing is changed.
In front of it stands `gate_wsgi.py`, which answers the usual question without Django's middleware.

Not every proxy takes every status. `?refused=403` says 403 where a call is refused or throttled, for nginx, to which anything
but 2xx, 401 and 403 is an accident; what is meant stands in X-Billing-Decision. `?allowed=200` says 200 for 204, for Envoy;
so does everything below /gate/envoy/, where the query is the customer's and is not looked at. A proxy that passes on the
customer's own Authorization names its key in X-Gate-Key.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal, InvalidOperation
from typing import Any, Final, NamedTuple

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, QueryDict
from django.views.decorators.csrf import csrf_exempt

from metering.gate.check import UnknownAccount, check_account
from metering.gate.decide import SENTENCES, UNKNOWN_CALL, Call, Decision
from metering.gate.top_up import top_up_url
from wallets import clock
from wallets.api_keys.verify import Caller, KeyRefused, verify_api_key
from wallets.errors import InvalidInput
from wallets.input import Input
from wallets.money import plain, to_scale

log = logging.getLogger(__name__)

SCOPE: Final = "gate:check"
SCOPE_HEADERS: Final = {"user": "X-User", "team": "X-Team", "api_key": "X-Api-Key", "cost_centre": "X-Cost-Centre"}
STATUS: Final = {"allow": 204, "throttle": 429, "refuse": 402}
# What is asked below /gate/envoy/.
FOR_ENVOY: Final = "allowed=200"
REFUSED: Final = frozenset({402, 404, 429})


class Statuses(NamedTuple):
    """What is answered where it is not the usual."""

    allowed: int = 204
    refused: int | None = None

    def of(self, usual: int) -> int:
        """The status for this one."""
        if usual == STATUS["allow"]:
            return self.allowed
        return self.refused if self.refused and usual in REFUSED else usual


USUAL: Final = Statuses()


@csrf_exempt
def gate_check(request: HttpRequest, path: str | None = None) -> HttpResponse:
    """Answer for `?account=` or the header X-Account; `?amount=` and `?currency=` say what the call will cost,
    `?user=`, `?team=`, `?api_key=`, `?cost_centre=` or the headers X-User, X-Team, X-Api-Key, X-Cost-Centre who makes it,
    `?meter=` (several: with commas) what it will be charged for.

    path: what follows /gate/envoy/; then nothing of the query counts.
    """
    status, headers, body = _answer(request, request.GET if path is None else QueryDict(FOR_ENVOY), clock.now())
    response = HttpResponse(body, status=status, headers=headers)
    if not body:
        del response["Content-Type"]
    return response


def _answer(request: HttpRequest, asked: QueryDict, at: datetime) -> AnswerParts:  # noqa: PLR0911 - one for each kind
    account = asked.get("account") or request.headers.get("X-Account") or ""
    statuses = USUAL
    try:
        caller = _caller(request, at)
        if SCOPE not in caller.scopes:
            return _problem(403, "scope_missing", f"This needs a key with the scope {SCOPE}.")
        if "\x00" in account:
            return _problem(400, "malformed", "The address contains a NUL character.")
        if not account:
            return _problem(400, "malformed", "Name the account, as ?account= or in the header X-Account.")
        statuses = asked_statuses(asked.get("allowed"), asked.get("refused"))
        amount, currency = asked_amount(asked.get("amount"), asked.get("currency"))
        scopes = asked_scopes(asked, {scope: request.headers.get(name, "") for scope, name in SCOPE_HEADERS.items()})
        meters = asked_meters(asked.get("meter") or "")
        call = Call(scopes, meters=meters) if scopes or meters else UNKNOWN_CALL
        decision = _decide(caller, account, amount, currency, call, at)
    except KeyRefused as refused:
        return _problem(401, refused.code, refused.message, headers={"WWW-Authenticate": 'Bearer realm="gate"'})
    except UnknownAccount as unknown:
        told = {"X-Billing-Decision": "refuse", "X-Billing-Reason": unknown.code}
        return _problem(statuses.of(404), unknown.code, unknown.message, headers=told)
    except InvalidInput as invalid:
        errors = {name: [expected] for name, expected in invalid.fields.items()}
        return _problem(422, invalid.code, invalid.message, errors=errors)
    except (OperationalError, InterfaceError):
        log.exception("the gate can reach neither Redis nor PostgreSQL, or does not know the key")
        return _problem(503, "unavailable", "The balance cannot be read at the moment.", headers={"Retry-After": "1"})
    return answer_parts(decision, account, amount, statuses)


def _caller(request: HttpRequest, at: datetime) -> Caller:
    """Whose key the request carries. Raises KeyRefused."""
    secret = request.headers.get("X-Gate-Key")
    if secret is None:
        scheme, _, secret = request.headers.get("Authorization", "").strip().partition(" ")
        if scheme.lower() != "bearer":
            raise KeyRefused("Send an API key: Authorization: Bearer <key>.")
    return verify_api_key(secret.strip(), at=at)


def _decide(caller: Caller, account: str, amount: Decimal | None, currency: str | None, call: Call, at: datetime) -> Decision:
    """Raises UnknownAccount, also for another account than the one the key is confined to."""
    if caller.account_key not in (None, account):
        raise UnknownAccount(f"There is no account {account[:120]!r}.")
    return check_account(account_key=account, amount=amount, currency=currency, at=at, call=call)


def balance_headers(decision: Decision) -> dict[str, str]:
    """What every answer about a wallet carries."""
    return {"X-Balance-Available": plain(decision.available), "X-Balance-Version": str(decision.version)}


def asked_statuses(allowed: str | None, refused: str | None) -> Statuses:
    """The statuses asked for. Raises InvalidInput."""
    check = Input()
    check.expect("allowed", allowed in {None, "200", "204"}, "200 or 204")
    check.expect("refused", refused in {None, "403"}, "403")
    check.refuse("The call cannot be checked like this.")
    return Statuses(200 if allowed == "200" else 204, 403 if refused else None)


def asked_amount(text: str | None, currency: str | None) -> tuple[Decimal | None, str | None]:
    """The amount and the currency asked about, None where nothing is said. Raises InvalidInput."""
    check = Input()
    amount = None
    if text:
        try:
            amount = Decimal(text)
        except InvalidOperation:
            amount = Decimal("NaN")
        check.amount("amount", amount)
    if currency:
        check.currency(currency)
    check.refuse("The call cannot be checked like this.")
    return None if amount is None else to_scale(amount), currency or None


def asked_scopes(asked: Mapping[str, str], headers: Mapping[str, str]) -> dict[str, str]:
    """Who makes the call, by scope of spend caps: the query's word, else the header's."""
    named = {scope: asked.get(scope) or headers.get(scope) or "" for scope in SCOPE_HEADERS}
    return {scope: value for scope, value in named.items() if value}


def asked_meters(text: str) -> tuple[str, ...]:
    """The codes of meters in a list with commas."""
    return tuple(code for code in (part.strip() for part in text.split(",")) if code)


class AnswerParts(NamedTuple):
    """An answer before it is given to a web framework."""

    status: int
    headers: dict[str, str]
    body: bytes


def answer_parts(decision: Decision, account: str, amount: Decimal | None, statuses: Statuses = USUAL) -> AnswerParts:
    """What is answered to a question about this account and amount (None: not known)."""
    status = statuses.of(STATUS[decision.verdict])
    headers = {"X-Billing-Decision": decision.verdict, **balance_headers(decision)}
    if decision.retry_after_seconds is not None:
        headers["Retry-After"] = str(decision.retry_after_seconds)
    if decision.reason is None:
        return AnswerParts(status, headers, b"")
    link = top_up_url(account)
    headers |= {"X-Billing-Reason": decision.reason, "X-Billing-Top-Up": link}
    return _problem(
        status,
        decision.reason,
        SENTENCES[decision.reason],
        headers=headers,
        reason=decision.reason,
        needed=None if amount is None else plain(amount),
        available=plain(decision.available),
        currency=decision.currency,
        top_up_url=link,
    )


def _problem(status: int, code: str, detail: str, *, headers: dict[str, str] | None = None, **members: Any) -> AnswerParts:
    """An RFC 9457 problem document, as `billing_site/api/problems.py` writes them."""
    title = code.replace("_", " ").capitalize().replace("api key", "API key")
    body = {"type": f"/api/problems/#{code}", "title": title, "status": status, "detail": detail, "code": code, **members}
    return AnswerParts(status, {"Content-Type": "application/problem+json", **(headers or {})}, json.dumps(body).encode())
