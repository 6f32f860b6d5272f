"""A real HTTP receiver of webhooks: keeps what it was sent, and behaves as its path says.

| path | does |
| --- | --- |
| /hook… | takes it: 200 |
| /fail | answers 500 |
| /gone | answers 410 |
| /redirect | redirects to the cloud's metadata |
| /hang | reads and never answers |
| /drip | answers a header of one byte every tenth of a second, for ever |
| /huge | answers 200 and begins to send 2 GB |
| /hugehead | answers a header without end |
"""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

TWO_GIGABYTES: Final = 2 * 1024**3
CERTIFICATE: Final = Path(__file__).resolve().parent.parent / "data" / "localhost.pem"


@dataclass(frozen=True)
class Received:
    """One request."""

    path: str
    headers: dict[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers.get("webhook-id", "")


@dataclass
class Receiver:
    """The server: `url` and what came. `failing` paths answer 500 until taken out."""

    port: int
    scheme: str = "http"
    received: list[Received] = field(default_factory=list)
    failing: set[str] = field(default_factory=set)
    stopped: threading.Event = field(default_factory=threading.Event)
    sent_bytes: int = 0

    def url(self, path: str = "/hook", host: str = "127.0.0.1") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        """What came to a path."""
        return [one for one in self.received if one.path == path]


@contextmanager
def receiving(*, tls: bool = False) -> Iterator[Receiver]:
    """A receiver on a free port until the end of the block."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Handler)
    server.daemon_threads = True
    server.block_on_close = False
    receiver = Receiver(server.server_address[1], "https" if tls else "http")
    server.receiver = receiver  # type: ignore[attr-defined]
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield receiver
    finally:
        receiver.stopped.set()
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        receiver: Receiver = self.server.receiver  # type: ignore[attr-defined]
        body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        receiver.received.append(Received(self.path, {name.lower(): text for name, text in self.headers.items()}, body))
        behave: Callable[..., None] = _BEHAVIOURS.get(self.path, _take)
        with suppress(OSError):
            (_fail if self.path in receiver.failing else behave)(self, receiver)

    def log_message(self, *_: Any) -> None:
        """Be silent."""


def _answer(handler: _Handler, status: int, body: bytes = b"", **headers: str) -> None:
    handler.send_response(status)
    for name, text in headers.items():
        handler.send_header(name, text)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _take(handler: _Handler, _: Receiver) -> None:
    _answer(handler, 200, b"thank you")


def _fail(handler: _Handler, _: Receiver) -> None:
    _answer(handler, 500, b"our database is away\x00\x1b[31m")


def _gone(handler: _Handler, _: Receiver) -> None:
    _answer(handler, 410)


def _redirect(handler: _Handler, _: Receiver) -> None:
    _answer(handler, 302, Location="http://169.254.169.254/latest/meta-data/")


def _hang(_: _Handler, receiver: Receiver) -> None:
    receiver.stopped.wait()


def _drip(handler: _Handler, receiver: Receiver) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
    while not receiver.stopped.wait(0.1):
        handler.wfile.write(b"z")
        handler.wfile.flush()


def _huge(handler: _Handler, receiver: Receiver) -> None:
    handler.send_response(200)
    handler.send_header("Content-Length", str(TWO_GIGABYTES))
    handler.end_headers()
    block = b"x" * 65_536
    for _ in range(TWO_GIGABYTES // len(block)):
        handler.wfile.write(block)
        receiver.sent_bytes += len(block)


def _huge_head(handler: _Handler, receiver: Receiver) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    while not receiver.stopped.is_set():
        handler.wfile.write(b"X-More: " + b"y" * 60_000 + b"\r\n")


_BEHAVIOURS: Final = {
    "/fail": _fail,
    "/gone": _gone,
    "/redirect": _redirect,
    "/hang": _hang,
    "/drip": _drip,
    "/huge": _huge,
    "/hugehead": _huge_head,
}
