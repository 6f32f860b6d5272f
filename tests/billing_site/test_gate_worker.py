"""The site's web worker, run: questions answered in its event loop, and everything else as gunicorn does, on one connection."""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest

from tests.factories.balances import wallet_of
from tests.web import Site
from wallets import clock
from wallets.api_keys.issue import issue_api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as site:
        yield site


@pytest.fixture
def key() -> dict[str, str]:
    wallet_of("acme", credit="1", at=clock.now())
    return {"Authorization": f"Bearer {issue_api_key(name='gateway', scopes=['gate:check'], at=clock.now()).secret}"}


def ask(link: http.client.HTTPConnection, path: str, headers: dict[str, str], method: str = "GET", body: Any = None) -> Any:
    link.request(method, path, body, headers)
    answer = link.getresponse()
    answer.content = answer.read()  # type: ignore[attr-defined]
    return answer


def at_once(answer: Any) -> bool:
    """Whether the event loop answered: gunicorn itself names itself."""
    return answer.headers["Server"] is None


def test_a_kept_open_connection_is_answered_at_once_and_serves_all_else_between(site: Site, key: dict[str, str]) -> None:
    with closing(http.client.HTTPConnection(site.address, timeout=30)) as link:
        first = ask(link, "/gate/check?account=acme", key)
        assert (first.status, at_once(first)) == (204, False), "nobody knows the key yet"
        for _ in range(3):
            answer = ask(link, "/gate/check?account=acme", key)
            assert (answer.status, at_once(answer), answer.content) == (204, True, b"")
            assert answer.headers["X-Balance-Available"] == "1.00"
            refused = ask(link, "/gate/check?account=acme&amount=2", key)
            assert (refused.status, at_once(refused)) == (402, True)
            assert len(refused.content) == int(refused.headers["Content-Length"])
            page = ask(link, "/api/schema/", {})
            assert (page.status, at_once(page)) == (200, False)
            posted = ask(link, "/gate/check?account=acme", key, "POST", b"x" * 10_000)
            assert (posted.status, at_once(posted)) == (204, False)
            assert ask(link, "/gate/check?account=nobody", key).status == 404
            headed = ask(link, "/gate/check?account=acme&amount=2", key, "HEAD")
            assert (headed.status, headed.content) == (402, b"")


def test_questions_sent_without_waiting_are_all_answered_in_order(site: Site, key: dict[str, str]) -> None:
    with closing(http.client.HTTPConnection(site.address, timeout=30)) as link:
        ask(link, "/gate/check?account=acme", key)
    question = "GET /gate/check?account=acme&amount={} HTTP/1.1\r\nHost: gate\r\nAuthorization: {}\r\n\r\n"
    asked = b"".join(question.format(amount, key["Authorization"]).encode() for amount in (1, 2, 1, 2, 1))
    with socket.create_connection(("127.0.0.1", site.port), timeout=30) as line:
        for part in (asked[:100], asked[100:]):
            line.sendall(part)
        come = b""
        while come.count(b"HTTP/1.1 204") + come.count(b"HTTP/1.1 402") < 5:
            part = line.recv(65536)
            assert part, come
            come += part
    assert [one[:3] for one in come.split(b"HTTP/1.1 ")[1:]] == [b"204", b"402", b"204", b"402", b"204"]
