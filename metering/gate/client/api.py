"""The billing API over HTTP, with the standard library: usage in batches, and the gate's decision where Redis has none."""

from __future__ import annotations

import http.client
import json
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from http import HTTPStatus
from http.client import HTTPMessage
from typing import Any, Final
from urllib.parse import urlencode, urlsplit

from metering.gate.decide import Decision

TIMEOUT_SECONDS: Final = 10.0
CHECK_TIMEOUT_SECONDS: Final = 1.0
# Statuses of a request that will never be taken as it is; anything else may be taken later.
NEVER: Final = frozenset({400, 413, 415, 422})
VERDICTS: Final = {
    HTTPStatus.NO_CONTENT: "allow",
    HTTPStatus.PAYMENT_REQUIRED: "refuse",
    HTTPStatus.TOO_MANY_REQUESTS: "throttle",
}


class ApiAway(Exception):
    """The API did not answer, or not now. retry_after_seconds: what it asked for."""

    def __init__(self, sentence: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(sentence)
        self.retry_after_seconds = retry_after_seconds


class NeverTaken(Exception):
    """The API will not take this request however often it is sent."""


class AccountUnknown(Exception):
    """There is no such account."""


@dataclass(frozen=True, slots=True)
class Refused:
    """An event that was refused: its place in the batch, a code, a sentence."""

    index: int
    code: str
    detail: str


class Api:
    """The API at `url` (https://billing.example), with a key that has the scopes events:write and gate:check."""

    def __init__(self, url: str, key: str) -> None:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError(f"not an http address: {url}")
        self._https = parts.scheme == "https"
        self._host, self._port, self._path = parts.hostname, parts.port, parts.path.rstrip("/")
        self._headers = {"Authorization": f"Bearer {key}", "User-Agent": "prepaid-gate"}
        self._idle: deque[http.client.HTTPConnection] = deque(maxlen=8)

    def forget(self) -> None:
        """In a process forked from another: the connections are the parent's."""
        self._idle = deque(maxlen=8)

    def close(self) -> None:
        """Close the connections nobody uses at the moment."""
        while self._idle:
            self._idle.pop().close()

    def send(self, lines: Sequence[bytes]) -> list[Refused]:
        """Send events, each JSON; returns those that were refused for good. Raises ApiAway, NeverTaken."""
        body = b"[" + b",".join(lines) + b"]"
        status, headers, content = self._ask("POST", "/api/v1/events", body, TIMEOUT_SECONDS)
        if status == HTTPStatus.OK:
            try:
                rejected = json.loads(content)["rejected"]
                return [Refused(one["index"], one["code"], one["detail"]) for one in rejected]
            except (ValueError, KeyError, TypeError) as error:
                raise ApiAway(f"answered something else: {content[:200]!r}") from error
        if status in NEVER:
            raise NeverTaken(f"{status} {content[:500].decode(errors='replace')}")
        raise ApiAway(f"answered {status}: {content[:200]!r}", retry_after_seconds=_seconds(headers.get("Retry-After")))

    def check(self, account: str, *, amount: Decimal | None, currency: str | None, more: Mapping[str, str]) -> Decision:
        """The gate's decision. more: what else is known of the call, as `/gate/check` takes it.

        Raises AccountUnknown, ApiAway.
        """
        exact = None if amount is None else f"{amount:f}"
        asked = {"account": account, "amount": exact, "currency": currency, **more}
        query = urlencode({name: value for name, value in asked.items() if value is not None})
        status, headers, content = self._ask("GET", f"/gate/check?{query}", None, CHECK_TIMEOUT_SECONDS)
        if status == HTTPStatus.NOT_FOUND:
            raise AccountUnknown(account)
        if status not in VERDICTS:
            raise ApiAway(f"answered {status}: {content[:200]!r}")
        return _decision(headers, json.loads(content) if content else {}, currency)

    def _ask(self, method: str, path: str, body: bytes | None, timeout: float) -> tuple[int, HTTPMessage, bytes]:
        """The answer, over a connection that was kept open if there is one; once more when that one has died meanwhile."""
        while True:
            try:
                link, kept = self._idle.pop(), True
            except IndexError:
                kind = http.client.HTTPSConnection if self._https else http.client.HTTPConnection
                link, kept = kind(self._host, self._port, timeout=timeout), False
            try:
                link.timeout = timeout
                if link.sock is not None:
                    link.sock.settimeout(timeout)
                headers = self._headers | ({"Content-Type": "application/json"} if body is not None else {})
                link.request(method, self._path + path, body, headers)
                answer = link.getresponse()
                content = answer.read()
            except (OSError, http.client.HTTPException) as error:
                link.close()
                if kept and not isinstance(error, TimeoutError):
                    continue  # both questions may be asked twice
                raise ApiAway(f"{type(error).__name__}: {error}") from error
            if not answer.will_close:
                self._idle.append(link)
            return answer.status, answer.headers, content


def _decision(headers: HTTPMessage, problem: Mapping[str, Any], currency: str | None) -> Decision:
    wait = _seconds(headers.get("Retry-After"))
    try:
        available = Decimal(headers.get("X-Balance-Available") or "0")
    except InvalidOperation:
        available = Decimal(0)
    verdict: Any = headers.get("X-Billing-Decision")
    reason: Any = headers.get("X-Billing-Reason") or None
    if verdict not in VERDICTS.values():
        raise ApiAway("answered without a decision")
    return Decision(
        verdict=verdict,
        reason=reason,
        available=available,
        currency=problem.get("currency") or currency or "",
        retry_after_seconds=wait,
        version=int(headers.get("X-Balance-Version") or 0),
    )


def _seconds(text: str | None) -> int | None:
    return int(text) if text is not None and text.isdecimal() else None
