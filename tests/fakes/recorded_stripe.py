"""A server that answers as Stripe's documentation says it does (API version of the client), one recorded answer per call, and
keeps what it was asked: for what the sandbox cannot do (credit grants, meter events, tax, limits, breakdowns)."""

from __future__ import annotations

import json
import threading
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final
from urllib.parse import parse_qsl, urlsplit

HANGS_UP: Final = 0
"""As a status: the connection ends without an answer."""


@dataclass(frozen=True)
class Asked:
    """A request. form: its parameters, as Stripe writes nested ones: `metadata[top_up]`."""

    what: str
    form: dict[str, str]
    key: str
    version: str


@dataclass
class RecordedStripe:
    """What is asked, and what is answered to `POST /v1/...`: the answers one after the other, the last for ever."""

    url: str = ""
    asked: list[Asked] = field(default_factory=list)
    _answers: dict[str, list[tuple[int, Any]]] = field(default_factory=lambda: defaultdict(list))

    def answers(self, what: str, body: Any = None, *, status: int = 200) -> None:
        """Answer `what` (method and path) so. Errors are not to be tried again by the client itself, to save time."""
        self._answers[what].append((status, body))

    def forget(self, what: str) -> None:
        """Nothing is recorded for `what` any more."""
        self._answers.pop(what, None)

    def of(self, what: str) -> list[Asked]:
        """The requests of one kind."""
        return [one for one in self.asked if one.what == what]

    def answer(self, asked: Asked) -> tuple[int, Any]:
        """The next answer."""
        self.asked.append(asked)
        recorded = self._answers.get(asked.what)
        if not recorded:
            return 404, error("invalid_request_error", code="resource_missing", message=f"Nothing recorded for {asked.what}")
        return recorded.pop(0) if len(recorded) > 1 else recorded[0]


def error(kind: str, *, code: str = "", message: str = "It went wrong.", **more: Any) -> dict[str, Any]:
    """The body of an error."""
    return {"error": {"type": kind, "message": message} | ({"code": code} if code else {}) | more}


def payment_intent(**changes: Any) -> dict[str, Any]:
    """A PaymentIntent."""
    return {
        "id": "pi_1",
        "object": "payment_intent",
        "amount": 5000,
        "amount_received": 0,
        "client_secret": "pi_1_secret_x",
        "currency": "usd",
        "customer": "cus_1",
        "last_payment_error": None,
        "metadata": {},
        "payment_method": "pm_1",
        "status": "requires_confirmation",
    } | changes


def listed(*items: Any) -> dict[str, Any]:
    """A page of a list, the last."""
    return {"object": "list", "data": list(items), "has_more": False, "url": "/v1"}


@contextmanager
def recorded_stripe() -> Iterator[RecordedStripe]:
    """A server of one's own, inside the block."""
    recorded = RecordedStripe()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _serve(self) -> None:
            address = urlsplit(self.path)
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0)).decode()
            form = dict(parse_qsl(address.query) + parse_qsl(body))
            asked = Asked(
                f"{self.command} {address.path}",
                form,
                self.headers.get("Idempotency-Key", ""),
                self.headers.get("Stripe-Version", ""),
            )
            status, answer = recorded.answer(asked)
            if status == HANGS_UP:
                self.close_connection = True
                return
            content = json.dumps(answer).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.send_header("Request-Id", "req_recorded")
            self.send_header("Stripe-Should-Retry", "false")
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_DELETE = _serve  # noqa: N815 - names of http.server

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - its signature
            """Nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    recorded.url = f"http://127.0.0.1:{server.server_port}"
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    try:
        yield recorded
    finally:
        server.shutdown()
        server.server_close()
