"""The gate's question taken straight from a connection: only when it is plainly that, and answered as anywhere else."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from gunicorn.config import Config
from gunicorn.http.parser import RequestParser
from hypothesis import given
from hypothesis import settings as effort
from hypothesis import strategies as st

from billing_site.gate_wire import LARGEST, answer_at_once, understood
from metering.api.gate_wsgi import bearer
from metering.caps.set_cap import CapTerms, set_cap
from tests.factories.balances import AT, wallet_of
from tests.metering.api.test_gate_check import key
from tests.metering.api.test_gate_wsgi import SAID, at_the_door
from wallets import clock

HEAD = b"GET /gate/check?account=acme HTTP/1.1\r\nHost: gate\r\nAuthorization: Bearer k\r\n"


def test_a_plain_question_is_understood() -> None:
    asked = HEAD + b"X-Account:globex \r\nConnection: keep-alive\r\nContent-Length: 0\r\nX-Other: (text)\r\n\r\n"
    assert understood(asked) == (len(asked), "account=acme", "globex", "k", {})
    assert understood(b"GET /gate/check HTTP/1.1\r\n\r\n") == (28, "", "", "", {})
    assert understood(HEAD + b"x-user: u_1\r\nX-Team: red\r\n\r\n")[4] == {"user": "u_1", "team": "red"}  # type: ignore[index]
    assert understood(HEAD + b"X-Gate-Key: g\r\n\r\n")[3] == "g"  # type: ignore[index]


def test_what_envoy_asks_is_understood_without_the_customer_s_query() -> None:
    asked = HEAD.replace(b"GET /gate/check?account=acme", b"POST /gate/envoy/v1/chat?account=rich")
    asked += b"X-Account: acme\r\nContent-Length: 0\r\n\r\n"
    assert understood(asked) == (len(asked), "allowed=200", "acme", "k", {})


@pytest.mark.parametrize(
    "come",
    [
        b"",
        HEAD,
        HEAD[:20],
        HEAD + b"\r\nGET / HTTP/1.1\r\n\r\n",
        HEAD + b"\r\nx",
        HEAD.replace(b"GET", b"POST") + b"\r\n",
        HEAD.replace(b"GET /gate/check", b"HEAD /gate/envoy/v1") + b"\r\n",
        HEAD.replace(b"1.1", b"1.0") + b"\r\n",
        HEAD.replace(b"/gate/check", b"/gate/checks") + b"\r\n",
        HEAD.replace(b"/gate/check", b"//gate/check") + b"\r\n",
        HEAD.replace(b"/gate/check", b"http://gate/gate/check") + b"\r\n",
        HEAD + b"Content-Length: 5\r\n\r\n",
        HEAD + b"Content-Length: 0\r\nContent-Length: 5\r\n\r\n",
        HEAD + b"Transfer-Encoding: chunked\r\n\r\n",
        HEAD + b"Connection: close\r\n\r\n",
        HEAD + b"Connection: Upgrade\r\nUpgrade: h2c\r\n\r\n",
        HEAD + b"Expect: 100-continue\r\n\r\n",
        HEAD + b"Authorization: Bearer other\r\n\r\n",
        HEAD + b"X-Account: a\r\nX-Account: b\r\n\r\n",
        HEAD + b"X_Account: globex\r\n\r\n",
        HEAD + b" folded: line\r\n\r\n",
        HEAD + b"X-Account : globex\r\n\r\n",
        HEAD + b"No-Colon\r\n\r\n",
        HEAD + b"X-Other: caf\xc3\xa9\r\n\r\n",
        HEAD + b"X-Other: a\rb\r\n\r\n",
        HEAD + b"X-Other: a\nb\r\n\r\n",
        HEAD.replace(b"\r\n", b"\n") + b"\n",
    ],
)
def test_whatever_else_comes_is_left_to_the_server(come: bytes) -> None:
    assert understood(come) is None


names = st.sampled_from(
    ["Host", "authorization", "Authorization", "X-Account", "x-gate-key", "Content-Length", "Connection", "Transfer-Encoding",
     "X-Account ", "X_Account", "X-Other", "Expect", "", " X-Account", "Te", "Upgrade"]
)  # fmt: skip
values = st.sampled_from(
    ["acme", " acme", "\tacme \t", "Bearer k", "bearer  k", "0", "5", "+0", "00", "keep-alive", "Keep-Alive", "close",
     "upgrade", "chunked", "identity", "", "a\x00b", "a\rb", "caf\xe9", "100-continue", "a:b"]
)  # fmt: skip
ends = st.sampled_from(["\r\n", "\r\n", "\n"])
targets = st.sampled_from(
    ["/gate/check", "/gate/check?account=acme", "/gate/check?a=%zz&b", "/gate/check#x", "/gate/check?x#y", "/gate/check/", "/x",
     "/gate/envoy/v1?account=x", "/gate/envoy/", "/gate/envoy/../../api/v1/events", "//gate/check"]
)  # fmt: skip


@effort(max_examples=600)
@given(
    method=st.sampled_from(["GET", "GET", "GET", "POST", "HEAD", "get"]),
    target=targets,
    headers=st.lists(st.tuples(names, st.sampled_from([":", ": ", " :"]), values, ends), max_size=5),
    rest=st.sampled_from(["", "", "", "x", "GET / HTTP/1.1\r\n\r\n"]),
)
def test_what_is_understood_the_server_understands_alike(method: str, target: str, headers: Any, rest: str) -> None:
    lines = "".join("".join(header) for header in headers)
    come = f"{method} {target} HTTP/1.1\r\n{lines}\r\n{rest}".encode("latin-1")
    question = understood(come)
    if question is None:
        return
    request = next(RequestParser(Config(), iter([come]), ("127.0.0.1", 1)))
    found = dict(request.headers)
    assert (request.method == "GET" and request.path == "/gate/check") or request.path.startswith("/gate/envoy/")
    assert question.query == (request.query if request.path == "/gate/check" else "allowed=200")
    assert question.account == found.get("X-ACCOUNT", "")
    assert question.secret == found.get("X-GATE-KEY", bearer(found.get("AUTHORIZATION", "")))
    assert not request.should_close()
    assert request.body.read() == b""
    assert question.size == len(come)


@pytest.fixture
def line() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    ours.setblocking(False)
    theirs.settimeout(5)
    with ours, theirs, clock.set_to(AT):
        yield ours, theirs


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_server")
def test_it_is_answered_like_at_the_door_and_taken_off_the_line(line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    acme = wallet_of("acme", credit="41.2")
    wallet_of("poor")
    set_cap(account=acme.account, terms=CapTerms("user", "day", Decimal(0), value="u_1", currency="USD"), at=AT)
    credentials = key()
    for query, who in (("acme", {}), ("acme&allowed=200", {}), ("poor", {}), ("acme", {"X-User": "u_1"})):
        lines = "".join(f"{name}: {value}\r\n" for name, value in {**credentials, **who}.items())
        asked = f"GET /gate/check?account={query} HTTP/1.1\r\n{lines}\r\n".encode()
        status, told, body = at_the_door(f"?account={query}", **credentials, **who)  # and the key is remembered
        assert status == (402 if query == "poor" or who else 200 if "allowed" in query else 204)
        theirs.sendall(asked)
        assert answer_at_once(ours)
        head, _, content = theirs.recv(LARGEST).partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        headers = dict(one.split(": ", 1) for one in lines)
        assert first.startswith(f"HTTP/1.1 {status} ")
        assert content == body
        assert [headers.get(name) for name in SAID] == told
        assert headers.get("Content-Length") == (None if status == 204 else str(len(body)))
        with pytest.raises(BlockingIOError):
            ours.recv(1)


@pytest.mark.django_db
@pytest.mark.usefixtures("redis_server")
def test_what_is_not_answered_stays_on_the_line(line: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = line
    asked = HEAD + b"\r\n"  # with a key nobody knows
    theirs.sendall(asked)
    assert not answer_at_once(ours)
    assert ours.recv(LARGEST) == asked
