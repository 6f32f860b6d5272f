"""The gate's link to Redis: answers of every kind, read whole; what goes wrong is RedisAway."""

from __future__ import annotations

import os
import socket
import threading
from typing import Any

import pytest

from wallets.redis_link import Reach, RedisAway, RedisLink, Script, _parsed, _texts, command

NOBODY_LISTENS = "redis://127.0.0.1:1/0"


@pytest.fixture
def link(redis_server: Any) -> Any:
    made = RedisLink(os.environ["REDIS_URL"])
    yield made
    made.close()


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ("return {ARGV[1], '', 'x'}", [b"acme", b"", b"x"]),
        ("return {}", []),
        ("return {'a', 2, {'b', false}, 'c'}", [b"a", 2, [b"b", None], b"c"]),
        ("return {'$5', 'a\\r\\nb', '*1\\r\\n'}", [b"$5", b"a\r\nb", b"*1\r\n"]),
        ("return 7", 7),
        ("return false", None),
        ("return 'text'", b"text"),
        ("return ''", b""),
        ("return redis.status_reply('FINE')", b"FINE"),
        ("return string.rep('x', 100000)", b"x" * 100_000),
        ("local long = {} for n = 1, 5000 do long[n] = tostring(n) end return long", [b"%d" % n for n in range(1, 5001)]),
    ],
)
def test_every_kind_of_answer_is_read(link: RedisLink, script: str, expected: Any) -> None:
    made = Script(script)
    assert link.run(made, ["acme"]) == expected, "the server has not seen it"
    assert link.run(made, ["acme"]) == expected, "by its hash"


def test_a_part_of_an_answer_is_never_taken_for_the_whole() -> None:
    for whole in (
        b"*2\r\n$2\r\n\r\n\r\n$1\r\nx\r\n",
        b"$4\r\na\r\nb\r\n",
        b"*2\r\n:1\r\n*1\r\n$1\r\ny\r\n",
        b"*3\r\n$0\r\n\r\n$0\r\n\r\n$0\r\n\r\n",
    ):
        for end in range(len(whole)):
            assert _texts(whole[:end]) is None
            with pytest.raises((ValueError, IndexError)):
                _parsed(whole[:end], 0)
        answer, end = _parsed(whole, 0)
        assert end == len(whole)
        assert _texts(whole) in (None, answer)


def test_what_redis_refuses_is_told_and_the_link_goes_on(link: RedisLink) -> None:
    with pytest.raises(RedisAway, match="wrong number of arguments"):
        link.ask(command("GET"))
    assert link.ask(command("PING")) == b"PONG"
    assert link.reach.failures == 1


def test_a_connection_that_died_is_replaced(link: RedisLink) -> None:
    assert link.ask(command("PING")) == b"PONG"
    link._idle[0]._sock.shutdown(socket.SHUT_RDWR)
    assert link.ask(command("PING")) == b"PONG"
    assert link.reach.failures == 0


def test_nobody_waits_twice_for_a_server_that_is_away() -> None:
    reach = Reach()
    link = RedisLink(NOBODY_LISTENS, reach=reach)
    for _ in range(3):
        with pytest.raises(RedisAway):
            link.ask(command("PING"))
    assert reach.failures == 1


def test_a_server_that_does_not_answer_is_not_waited_for_long() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        link = RedisLink(f"redis://127.0.0.1:{silent.getsockname()[1]}/0", timeout_seconds=0.05)
        with pytest.raises(RedisAway):
            link.ask(command("PING"))


def test_threads_and_forks_have_connections_of_their_own(link: RedisLink) -> None:
    wrong: list[Any] = []

    def ask(name: str) -> None:
        said = [f"{name}-{number}" for number in range(200)]
        wrong.extend(one for one in said if link.ask(command("ECHO", one)) != one.encode())

    ask("parent")
    child = os.fork()
    if child == 0:
        ask("child")
        os._exit(len(wrong))
    threads = [threading.Thread(target=ask, args=(str(name),)) for name in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert os.waitpid(child, 0)[1] == 0
    assert not wrong
