"""The gate around an ASGI application (FastAPI, Starlette, ...).

app = GateMiddleware(app, gate=gate, account_of=lambda scope: header(scope, "x-customer"), meter=openai_meter())
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from decimal import Decimal
from typing import Any, Final

from metering.gate.client.exchange import (
    KEEP_BODY_BYTES,
    Exchange,
    Meter,
    balance_headers,
    meter_exchange,
    refusal,
)
from metering.gate.client.gate import NOBODY, Answer, Gate

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]

POLICY_VIOLATION: Final = 1008


def header(scope: Scope, name: str) -> str | None:
    """The value of a request's header; None when it is not there."""
    wanted = name.lower().encode()
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == wanted), None)


class GateMiddleware:
    """Refuses calls the account may not make (402, 429, 503), tells the balance in the answer's headers, meters the answer.

    Asks in a thread, so that a store that is away does not hold up the event loop. A websocket is asked for once, when it
    opens; what is used over it the application records itself (`Gate.record`).
    """

    def __init__(
        self,
        app: Application,
        *,
        gate: Gate,
        account_of: Callable[[Scope], str | None],
        estimate: Callable[[Scope], Decimal | None] | None = None,
        who: Callable[[Scope], Mapping[str, str]] | None = None,
        meter: Meter | None = None,
        keep_body_bytes: int = KEEP_BODY_BYTES,
    ) -> None:
        """account_of: whose call it is; None: nobody's, it goes through unasked and unmetered (health checks).
        estimate: what it will cost, if that can be told.  who: the account's user, team, api_key or cost_centre that makes it,
        for spend caps.  meter: what it used, from its answer.
        """
        self._app, self._gate, self._account_of = app, gate, account_of
        self._estimate, self._who, self._meter, self._keep_body_bytes = estimate, who, meter, keep_body_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        account = self._account_of(scope) if scope["type"] in {"http", "websocket"} else None
        if account is None:
            await self._app(scope, receive, send)
            return
        amount = self._estimate(scope) if self._estimate else None
        who = self._who(scope) if self._who else NOBODY
        answer = await asyncio.to_thread(self._gate.decide, account, amount=amount, who=who)
        if not answer.allowed:
            await self._refuse(scope, receive, send, account, answer)
            return
        scope["billing.account"], scope["billing.answer"] = account, answer
        if scope["type"] == "websocket":
            await self._app(scope, receive, send)
            return
        exchange = Exchange(account, answer, scope, scope["path"], keep_body_bytes=self._keep_body_bytes)

        async def seen(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = list(message.get("headers", ()))
                exchange.status = message["status"]
                exchange.headers = {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}
                message["headers"] = [*headers, *_encoded(balance_headers(answer))]
            elif message["type"] == "http.response.body":
                exchange.saw(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, seen)
        finally:  # also when the client has gone: nothing here waits, so nothing can be cancelled
            meter_exchange(self._gate, self._meter, exchange)

    async def _refuse(self, scope: Scope, receive: Receive, send: Send, account: str, answer: Answer) -> None:
        if scope["type"] == "websocket":
            await receive()  # websocket.connect
            await send({"type": "websocket.close", "code": POLICY_VIOLATION, "reason": answer.reason or "refused"})
            return
        headers, body = refusal(self._gate, account, answer)
        await send({"type": "http.response.start", "status": answer.status, "headers": _encoded(headers)})
        await send({"type": "http.response.body", "body": body})


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]
