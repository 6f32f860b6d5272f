"""The middlewares around a service: refused with a reason, told the balance, metered from the answer. Both the same."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterable
from decimal import Decimal as D
from typing import Any, NamedTuple
from wsgiref.util import setup_testing_defaults
from wsgiref.validate import validator

import pytest

from metering.gate.client import asgi, wsgi
from metering.gate.client.exchange import Event, Exchange
from metering.gate.client.gate import Gate
from tests.metering.gate.client.conftest import recorded
from tests.metering.gate.client.test_gate import cut_off, publish


class Got(NamedTuple):
    """An answer as the customer gets it."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def problem(self) -> Any:
        assert self.headers["content-type"] == "application/problem+json"
        return json.loads(self.body)


Call = Callable[..., Got]


def through_wsgi(gate: Gate, *, parts: Iterable[bytes] = (b"hello ", b"world"), status: int = 200, customer: str = "acme",
                 leave_after: int | None = None, **options: Any) -> Got:  # fmt: skip
    def service(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        start_response(f"{status} Whatever", [("Content-Type", "text/plain")])
        return iter(list(parts))

    environ: dict[str, Any] = {"HTTP_X_CUSTOMER": customer, "PATH_INFO": "/v1/answer", "QUERY_STRING": "", "SCRIPT_NAME": ""}
    setup_testing_defaults(environ)
    started: list[Any] = []
    account_of = options.pop("account_of", lambda environ: environ["HTTP_X_CUSTOMER"] or None)
    app = validator(wsgi.GateMiddleware(validator(service), gate=gate, account_of=account_of, **options))
    body = app(environ, lambda line, headers, exc_info=None: started.append((line, headers)) or (lambda part: None))
    came = []
    for number, part in enumerate(body):
        came.append(part)
        if number + 1 == leave_after:
            break
    body.close()
    line, headers = started[-1]
    return Got(int(line[:3]), {name.lower(): value for name, value in headers}, b"".join(came))


def through_asgi(gate: Gate, *, parts: Iterable[bytes] = (b"hello ", b"world"), status: int = 200, customer: str = "acme",
                 leave_after: int | None = None, **options: Any) -> Got:  # fmt: skip
    async def service(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": status, "headers": [(b"content-type", b"text/plain")]})
        for part in parts:
            await send({"type": "http.response.body", "body": part, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(message)
        if leave_after is not None and len(messages) == leave_after + 1:
            raise OSError("the client has gone")

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    account_of = options.pop("account_of", lambda scope: asgi.header(scope, "X-Customer") or None)
    app = asgi.GateMiddleware(service, gate=gate, account_of=account_of, **options)
    scope = {"type": "http", "path": "/v1/answer", "headers": [(b"x-customer", customer.encode())]}
    try:
        asyncio.run(app(scope, receive, send))
    except OSError:
        assert leave_after is not None
    start, *rest = messages
    headers = {name.decode(): value.decode() for name, value in start["headers"]}
    return Got(start["status"], headers, b"".join(message["body"] for message in rest))


both = pytest.mark.parametrize("call", [through_wsgi, through_asgi])


def by_length(exchange: Exchange) -> Event:
    return Event("answer", {"bytes": len(exchange.body), "status": exchange.status, "path": exchange.path})


@both
def test_an_allowed_call_is_answered_told_its_balance_and_metered(gate: Gate, call: Call) -> None:
    publish("41.2")
    got = call(gate, meter=by_length)
    assert (got.status, got.body) == (200, b"hello world")
    assert got.headers["x-balance-available"] == "41.20"
    assert (got.headers["x-balance-version"], got.headers["x-billing-decision"]) == ("3", "allow")
    (event,) = recorded(gate)
    assert (event["account"], event["type"]) == ("acme", "answer")
    assert event["properties"] == {"bytes": 11, "status": 200, "path": "/v1/answer"}


@both
def test_a_refused_call_is_402_with_reason_and_link_and_never_reaches_the_service(gate: Gate, call: Call) -> None:
    publish("0")
    got = call(gate, parts=None, meter=by_length)
    assert got.status == 402
    assert got.problem | {"detail": ""} == {
        "type": "urn:prepaid:balance_exhausted", "title": "Balance exhausted", "status": 402, "detail": "",
        "code": "balance_exhausted", "reason": "balance_exhausted", "available": "0.00", "currency": "USD",
        "top_up_url": "https://pay.example/acme",
    }  # fmt: skip
    assert (got.headers["x-billing-reason"], got.headers["content-length"]) == ("balance_exhausted", str(len(got.body)))
    assert recorded(gate) == []


@both
def test_a_throttled_call_is_429_with_retry_after(gate: Gate, call: Call) -> None:
    publish("0", on_empty="throttle", throttle_per_minute=1)
    assert call(gate).status == 200
    got = call(gate)
    assert (got.status, got.problem["code"]) == (429, "rate_limited")
    assert 0 < int(got.headers["retry-after"]) <= 60
    assert got.headers["x-billing-decision"] == "throttle"


@both
def test_with_the_stores_away_a_closed_account_gets_503(gate: Gate, call: Call) -> None:
    cut_off(gate)
    got = call(gate)
    assert (got.status, got.problem["code"], got.headers["retry-after"]) == (503, "gate_unreachable", "1")


@both
def test_the_estimate_is_asked_for(gate: Gate, call: Call) -> None:
    publish("1")
    assert call(gate, estimate=lambda request: D("1.01")).status == 402
    assert call(gate, estimate=lambda request: D("1.00")).status == 200
    assert call(gate, estimate=lambda request: None).status == 200


@both
def test_a_call_of_nobody_goes_through_unasked_and_unmetered(gate: Gate, call: Call) -> None:
    cut_off(gate)
    got = call(gate, customer="", meter=by_length)
    assert (got.status, got.body) == (200, b"hello world")
    assert "x-balance-available" not in got.headers
    assert recorded(gate) == []


@both
def test_a_client_that_leaves_is_charged_for_what_it_got(gate: Gate, call: Call) -> None:
    publish("5")
    assert call(gate, parts=(b"a", b"b", b"c", b"d"), leave_after=2, meter=by_length).body == b"ab"
    (event,) = recorded(gate)
    assert event["properties"]["bytes"] == 2


@both
def test_of_a_long_answer_the_end_is_kept(gate: Gate, call: Call) -> None:
    publish("5")
    seen: list[tuple[bytes, bool]] = []
    parts = [b"%04d" % number for number in range(1000)]
    call(gate, parts=parts, keep_body_bytes=10, meter=lambda exchange: seen.append((exchange.body, exchange.whole)))
    call(gate, parts=[b"0123456789"], keep_body_bytes=10, meter=lambda exchange: seen.append((exchange.body, exchange.whole)))
    assert seen == [(b"9709980999", False), (b"0123456789", True)]


@both
def test_a_meter_may_find_several_events_or_none_and_its_failure_is_not_the_customer_s(
    gate: Gate, call: Call, caplog: Any
) -> None:
    publish("5")
    call(gate, meter=lambda exchange: [Event("a", {}), Event("b", {}, event_id="mine")])
    call(gate, meter=lambda exchange: None)
    assert call(gate, meter=lambda exchange: 1 / 0).status == 200
    assert [event["type"] for event in recorded(gate)] == ["a", "b"]
    assert recorded(gate)[1]["id"] == "mine"
    assert "could not be metered" in caplog.text


def test_what_a_wsgi_service_writes_the_old_way_is_metered_too(gate: Gate) -> None:
    publish("5")

    def service(environ: Any, start_response: Any) -> Iterable[bytes]:
        write = start_response("200 OK", [])
        write(b"written ")
        return [b"returned"]

    app = wsgi.GateMiddleware(service, gate=gate, account_of=lambda environ: "acme", meter=by_length)
    body = app({}, lambda status, headers: lambda part: None)
    list(body)
    body.close()  # type: ignore[attr-defined]
    assert recorded(gate)[0]["properties"]["bytes"] == len("written returned")


def test_a_websocket_is_refused_when_it_opens(gate: Gate) -> None:
    publish("0")
    sent: list[Any] = []

    async def receive() -> Any:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    app = asgi.GateMiddleware(None, gate=gate, account_of=lambda scope: "acme")  # type: ignore[arg-type]
    asyncio.run(app({"type": "websocket", "path": "/ws", "headers": []}, receive, send))
    assert sent == [{"type": "websocket.close", "code": 1008, "reason": "balance_exhausted"}]
