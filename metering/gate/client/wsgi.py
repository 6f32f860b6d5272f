"""The gate around a WSGI application (Flask, Django, ...).

application = GateMiddleware(application, gate=gate, account_of=lambda environ: environ.get("HTTP_X_CUSTOMER"),
meter=openai_meter())
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from decimal import Decimal
from http import HTTPStatus
from typing import Any

from metering.gate.client.exchange import (
    KEEP_BODY_BYTES,
    Exchange,
    Meter,
    balance_headers,
    meter_exchange,
    refusal,
)
from metering.gate.client.gate import NOBODY, Gate

Environ = dict[str, Any]
StartResponse = Callable[..., Callable[[bytes], Any]]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]


class GateMiddleware:
    """Refuses calls the account may not make (402, 429, 503), tells the balance in the answer's headers, meters the answer.

    Put it inside whatever compresses answers: the meter reads the body as the application wrote it.
    """

    def __init__(
        self,
        application: Application,
        *,
        gate: Gate,
        account_of: Callable[[Environ], str | None],
        estimate: Callable[[Environ], Decimal | None] | None = None,
        who: Callable[[Environ], Mapping[str, str]] | None = None,
        meter: Meter | None = None,
        keep_body_bytes: int = KEEP_BODY_BYTES,
    ) -> None:
        """account_of: whose call it is; None: nobody's, it goes through unasked and unmetered (health checks).
        estimate: what it will cost, if that can be told.  who: the account's user, team, api_key or cost_centre that makes it,
        for spend caps.  meter: what it used, from its answer.
        """
        self._application, self._gate, self._account_of = application, gate, account_of
        self._estimate, self._who, self._meter, self._keep_body_bytes = estimate, who, meter, keep_body_bytes

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """WSGI."""
        account = self._account_of(environ)
        if account is None:
            return self._application(environ, start_response)
        amount = self._estimate(environ) if self._estimate else None
        answer = self._gate.decide(account, amount=amount, who=self._who(environ) if self._who else NOBODY)
        if not answer.allowed:
            headers, body = refusal(self._gate, account, answer)
            start_response(f"{answer.status} {HTTPStatus(answer.status).phrase}", headers)
            return [body]
        environ["billing.account"], environ["billing.answer"] = account, answer
        path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
        exchange = Exchange(account, answer, environ, path, keep_body_bytes=self._keep_body_bytes)

        def start(status: str, headers: list[tuple[str, str]], exc_info: Any = None) -> Callable[[bytes], Any]:
            exchange.status = int(status[:3])
            exchange.headers = {name.lower(): value for name, value in headers}
            write = start_response(status, [*headers, *balance_headers(answer)], *([exc_info] if exc_info else []))

            def seen(part: bytes) -> Any:
                exchange.saw(part)
                return write(part)

            return seen

        return _Seen(self._application(environ, start), lambda: meter_exchange(self._gate, self._meter, exchange), exchange)


class _Seen:
    """The answer's body on its way; metered when the server closes it, however far it came."""

    def __init__(self, body: Iterable[bytes], done: Callable[[], None], exchange: Exchange) -> None:
        self._body, self._done, self._exchange = body, done, exchange

    def __iter__(self) -> Iterator[bytes]:
        for part in self._body:
            self._exchange.saw(part)
            yield part

    def close(self) -> None:
        """WSGI: called once, at the end or when the client has gone."""
        try:
            close = getattr(self._body, "close", None)
            if close is not None:
                close()
        finally:
            self._done()
