"""Lua scripts run in Redis with as little in between as there can be: the gate asks before every call. Knows no Django, so
that the gate's client can stand in another company's process.

redis-py opens the connections (address, password, TLS, greeting); a script's call is then put together by hand, sent, and its
answer read with one `recv`: a third of the processor time of a command through the whole client.

What is kept in Redis is a copy (I1). A server that was restarted may come back with an old copy of what the gate reads; so
each new connection first has the server compare its run id with the one the copy was made under, and drop the copy if they
differ. Whoever reads next finds nothing and reads PostgreSQL.
"""

from __future__ import annotations

import hashlib
import logging
import os
import time
from collections import deque
from collections.abc import Sequence
from typing import Any, Final

import redis

log = logging.getLogger(__name__)

# A decision has to fit into the gateway's own time limit; on one network Redis answers in well under a millisecond.
TIMEOUT_SECONDS: Final = 0.25
# After a failure nobody of this process waits for Redis again for this long.
AWAY_SECONDS: Final = 0.5
COPY_PREFIX: Final = "gate:"
ANSWER_BYTES: Final = 16_384
# What an answer begins with (RESP 2).
TEXT, LIST, NUMBER, ERROR = b"$*:-"

_DROP_COPY_OF_ANOTHER_RUN: Final = """
local run_id = string.match(redis.call('INFO', 'server'), 'run_id:(%w+)')
local made_under = redis.call('GET', KEYS[1])
local dropped = 0
if made_under and made_under ~= run_id then
    local cursor = '0'
    repeat
        local page = redis.call('SCAN', cursor, 'MATCH', ARGV[1] .. '*', 'COUNT', 1000)
        cursor = page[1]
        for _, name in ipairs(page[2]) do dropped = dropped + redis.call('UNLINK', name) end
    until cursor == '0'
end
if made_under ~= run_id then redis.call('SET', KEYS[1], run_id) end
return dropped
"""


class RedisAway(Exception):
    """Redis did not answer in time, could not be reached, or refused. Nothing is known about what it did."""


class Script:
    """A Lua script, sent whole only to a server that does not know it yet."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()
        self._heads: dict[int, bytes] = {}

    def run(self, client: redis.Redis, *, args: Sequence[str | int]) -> Any:
        """What the script returns for these ARGV; one round trip."""
        try:
            return client.evalsha(self.sha, 0, *args)
        except redis.exceptions.NoScriptError:
            return client.eval(self.text, 0, *args)

    def call(self, args: Sequence[str]) -> bytes:
        """The bytes that run it with these ARGV, by its hash."""
        head = self._heads.get(len(args))
        if head is None:
            head = self._heads[len(args)] = b"*%d\r\n" % (len(args) + 3) + _bulk("EVALSHA") + _bulk(self.sha) + _bulk("0")
        return head + b"".join([_bulk(arg) for arg in args])

    def whole(self, args: Sequence[str]) -> bytes:
        """The bytes that run it with these ARGV, by its text."""
        return command("EVAL", self.text, "0", *args)


class Reach:
    """When this process may try Redis again (monotonic seconds), and how often it could not."""

    def __init__(self) -> None:
        self.again_at = 0.0
        self.failures = 0

    def expect(self) -> None:
        """Raises RedisAway while it was away a moment ago."""
        if self.again_at and self.again_at > time.monotonic():
            raise RedisAway("not asked: it was away a moment ago")

    def failed(self, error: Exception, *, away: bool) -> RedisAway:
        """Count and log a failure. away: nobody shall wait for it again for AWAY_SECONDS."""
        if away:
            self.again_at = time.monotonic() + AWAY_SECONDS
        self.failures += 1
        log.warning("Redis %s (%s, failure %d of this process)", "is away" if away else "refused", error, self.failures)
        return RedisAway(str(error))


class RedisLink:
    """Connections for scripts, one a caller at a time; thread-safe, survives a fork."""

    def __init__(self, url: str, *, reach: Reach | None = None, timeout_seconds: float = TIMEOUT_SECONDS) -> None:
        """url: redis://, rediss:// or unix://, as redis-py reads it."""
        # Answers as they always were: nothing is pushed in between.
        self._pool = redis.ConnectionPool.from_url(
            url,
            protocol=2,
            socket_timeout=timeout_seconds,
            socket_connect_timeout=timeout_seconds,
            redis_connect_func=greet,
        )
        self.reach = reach or Reach()
        self._idle: deque[Any] = deque()
        self._pid = os.getpid()

    def run(self, script: Script, args: Sequence[str]) -> Any:
        """What the script returns for these ARGV, texts as bytes; one round trip. Raises RedisAway."""
        return self.ask(script.call(args), unless_known=script, args=args)

    def ask(self, question: bytes, *, unless_known: Script | None = None, args: Sequence[str] = ()) -> Any:
        """The answer to one command; asked once more, on a new connection, when the one at hand has died meanwhile.

        Raises RedisAway.
        """
        self.reach.expect()
        try:
            answer = self._ask(question)
            if unless_known is not None and isinstance(answer, _Refused) and answer.args[0].startswith("NOSCRIPT"):
                answer = self._ask(unless_known.whole(args))
        except (redis.ConnectionError, redis.TimeoutError, OSError) as error:
            raise self.reach.failed(error, away=True) from error
        except redis.RedisError as error:
            raise self.reach.failed(error, away=False) from error
        if isinstance(answer, _Refused):
            raise self.reach.failed(answer, away=False)
        return answer

    def close(self) -> None:
        """Close the connections nobody uses at the moment."""
        while self._idle:
            self._idle.pop().disconnect()

    def _ask(self, question: bytes) -> Any:
        if self._pid != os.getpid():
            self._idle, self._pid = deque(), os.getpid()
        try:
            connection = self._idle.pop()
        except IndexError:
            return self._ask_on(self._connect(), question)
        try:
            return self._ask_on(connection, question)
        except (redis.ConnectionError, ConnectionError):
            return self._ask_on(self._connect(), question)

    def _connect(self) -> Any:
        connection: Any = self._pool.make_connection()
        connection.connect()
        return connection

    def _ask_on(self, connection: Any, question: bytes) -> Any:
        """Ask on this connection; it is kept if all went well, and closed if not."""
        try:
            socket = connection._sock  # noqa: SLF001 - what a subclass of redis-py's connection may use
            socket.sendall(question)
            answer = _read(socket)
        except BaseException:
            connection.disconnect()
            raise
        self._idle.append(connection)
        return answer


class _Refused(Exception):
    """An error that Redis answered."""


def command(*parts: str) -> bytes:
    """The bytes of a command."""
    return b"*%d\r\n" % len(parts) + b"".join([_bulk(part) for part in parts])


def _bulk(text: str) -> bytes:
    content = text.encode()
    return b"$%d\r\n%b\r\n" % (len(content), content)


def _read(socket: Any) -> Any:
    """One answer of the protocol (RESP 2), from a socket on which nothing else is under way."""
    come = b""
    while True:
        part = socket.recv(ANSWER_BYTES)
        if not part:
            raise redis.ConnectionError("the connection was closed by the server")
        come += part
        if come.endswith(b"\r\n"):
            texts = _texts(come)
            if texts is not None:
                return texts
            try:
                answer, end = _parsed(come, 0)
            except (ValueError, IndexError):
                continue  # not all of it is there
            if end == len(come):
                return answer


def _texts(come: bytes) -> list[bytes] | None:
    """A whole answer that is a list of texts, as most are, read in one go; None when it is something else."""
    head, *lines = come.split(b"\r\n")
    if len(lines) % 2 == 0 or head != b"*%d" % (len(lines) // 2):
        return None
    texts = lines[1::2]
    if lines[:-1:2] != [b"$%d" % len(text) for text in texts]:
        return None
    return texts


def _parsed(come: bytes, start: int) -> tuple[Any, int]:
    """The answer that begins at `start`, and where it ends. Raises ValueError or IndexError for a part of one."""
    end = come.index(b"\r\n", start)
    kind, rest = come[start], come[start + 1 : end]
    end += 2
    if kind == TEXT:
        length = int(rest)
        if length < 0:
            return None, end
        after = end + length + 2
        if len(come) < after:
            raise IndexError
        return come[end : after - 2], after
    if kind == LIST:
        answers = []
        for _ in range(int(rest)):
            answer, end = _parsed(come, end)
            answers.append(answer)
        return (None if rest == b"-1" else answers), end
    return (int(rest) if kind == NUMBER else _Refused(rest.decode(errors="replace")) if kind == ERROR else rest), end


def greet(connection: Any) -> None:
    """Greet the server on a new connection; drop the copy it holds if it was made under another run of it."""
    connection.on_connect()
    connection.send_command("EVAL", _DROP_COPY_OF_ANOTHER_RUN, 1, f"{COPY_PREFIX}run_id", COPY_PREFIX)
    try:
        dropped = connection.read_response()
    except redis.ResponseError:
        log.exception("Redis does not tell its run id: after its restart the gate may read an old copy until the sweep")
        return
    if dropped:
        log.warning("Redis was restarted: dropped %d keys of the gate's copy", dropped)
