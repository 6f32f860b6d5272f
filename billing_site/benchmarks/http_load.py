"""Load over HTTP with as little of it in the client as Python allows: bytes made beforehand, kept-open connections with one
request in flight each, one thread that waits for all of them."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

END_OF_HEAD: Final = b"\r\n\r\n"


@dataclass(slots=True)
class _Link:
    """A connection and what has come in of the answer it waits for."""

    socket: socket.socket
    asked_at: int = 0
    come: bytearray = field(default_factory=bytearray)


def request_bytes(path: str, **headers: str) -> bytes:
    """A GET over a connection that is kept open."""
    lines = [
        f"GET {path} HTTP/1.1",
        "Host: localhost",
        *(f"{name.replace('_', '-')}: {text}" for name, text in headers.items()),
    ]
    return "\r\n".join([*lines, "", ""]).encode()


class Load:
    """Connections on which one request is sent again and again, as long as `run` is told; each run ends with nothing in
    flight, so that two loads can take turns. `micros` has every answer's time, `seconds` what all runs took."""

    def __init__(self, address: str, request: bytes, *, expect: int, connections: int) -> None:
        """expect: the status every answer must have."""
        host, _, port = address.partition(":")
        self._request, self._start_line = request, f"HTTP/1.1 {expect} ".encode()
        self._links = [_Link(socket.create_connection((host, int(port)))) for _ in range(connections)]
        self._ready = selectors.DefaultSelector()
        self.micros: list[float] = []
        self.seconds = 0.0
        for link in self._links:
            link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            self._ready.register(link.socket, selectors.EVENT_READ, link)

    @property
    def per_second(self) -> float:
        """Answers/s over all runs."""
        return len(self.micros) / self.seconds

    def run(self, seconds: float) -> None:
        """Keep every connection busy for so long. Raises RuntimeError for an answer of another status than expected."""
        started = now = time.perf_counter_ns()
        until = started + int(seconds * 1e9)
        for link in self._links:
            _ask(link, self._request)
        in_flight = len(self._links)
        while in_flight:
            for key, _ in self._ready.select():
                link = key.data
                if not _take(link, self._start_line):
                    continue
                now = time.perf_counter_ns()
                self.micros.append((now - link.asked_at) / 1000)
                if now < until:
                    _ask(link, self._request)
                else:
                    in_flight -= 1
        self.seconds += (now - started) / 1e9

    def close(self) -> None:
        """Close the connections."""
        for link in self._links:
            link.socket.close()
        self._ready.close()


def percentile(ascending: Sequence[float], percent: float) -> float:
    """The value that `percent` of them do not exceed."""
    return ascending[min(int(len(ascending) * percent / 100), len(ascending) - 1)]


def _ask(link: _Link, request: bytes) -> None:
    link.come.clear()
    link.asked_at = time.perf_counter_ns()
    link.socket.sendall(request)


def _take(link: _Link, start_line: bytes) -> bool:
    """Read what is there; whether the answer is complete."""
    part = link.socket.recv(65536)
    link.come += part
    end = link.come.find(END_OF_HEAD)
    if end < 0 and part:
        return False
    if not link.come.startswith(start_line):
        raise RuntimeError(f"expected {start_line.decode()}, got {bytes(link.come[:300])!r}")
    head = bytes(link.come[:end]).lower()
    _, named, length = head.partition(b"content-length:")
    return len(link.come) >= end + len(END_OF_HEAD) + (int(length.split(b"\r\n")[0]) if named else 0)
