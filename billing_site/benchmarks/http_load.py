"""Load over HTTP with as little of it in the client as Python allows: bytes made beforehand, kept-open connections with one
request in flight each, one thread that waits for all of them."""

from __future__ import annotations

import selectors
import socket
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

END_OF_HEAD: Final = b"\r\n\r\n"


class Load(NamedTuple):
    """How it went: requests/s, and every answer's time in microseconds, ascending."""

    per_second: float
    micros: list[float]


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


def load(address: str, request: bytes, *, expect: int, seconds: float, connections: int) -> Load:
    """Send this request again and again; raises RuntimeError for an answer of another status than `expect`."""
    host, _, port = address.partition(":")
    links = [_Link(socket.create_connection((host, int(port)))) for _ in range(connections)]
    start_line = f"HTTP/1.1 {expect} ".encode()
    took: list[int] = []
    with selectors.DefaultSelector() as ready:
        for link in links:
            link.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            ready.register(link.socket, selectors.EVENT_READ, link)
            _ask(link, request)
        started = time.perf_counter_ns()
        until = started + int(seconds * 1e9)
        while (now := time.perf_counter_ns()) < until:
            for key, _ in ready.select():
                link = key.data
                if not _take(link, start_line):
                    continue
                now = time.perf_counter_ns()
                took.append(now - link.asked_at)
                _ask(link, request)
        passed = (now - started) / 1e9
    for link in links:
        link.socket.close()
    return Load(len(took) / passed, sorted(one / 1000 for one in took))


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
