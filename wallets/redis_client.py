"""The one way to Redis: one client a process, short limits, and no hammering while it is away.

What is kept there is a copy (I1), so every caller has another way: it catches RedisAway and goes on without. A server
that was restarted may come back with an old copy of what the gate reads; so each new connection first has the server
compare its run id with the one the copy was made under, and drop the copy if they differ. Whoever reads next finds
nothing and reads PostgreSQL.
"""

from __future__ import annotations

import hashlib
import logging
import time
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

T = TypeVar("T")

log = logging.getLogger(__name__)

# A decision has to fit into the gateway's own time limit; on one network Redis answers in well under a millisecond.
TIMEOUT_SECONDS: Final = 0.25
# After a failure nobody of this process waits for Redis again for this long.
AWAY_SECONDS: Final = 0.5
COPY_PREFIX: Final = "gate:"

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
        self._sha = hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest()

    def run(self, client: redis.Redis, *, args: Sequence[str | int]) -> Any:
        """What the script returns for these ARGV; one round trip."""
        try:
            return client.evalsha(self._sha, 0, *args)
        except redis.exceptions.NoScriptError:
            return client.eval(self.text, 0, *args)


class _Reach:
    """When this process may try again (monotonic seconds), and how often it could not."""

    again_at: float = 0.0
    failures: int = 0


_reach = _Reach()


def redis_client() -> redis.Redis:
    """The client of this process for REDIS_URL; thread-safe, survives a fork."""
    return _client(settings.REDIS_URL)


def ask_redis(ask: Callable[[redis.Redis], T]) -> T:
    """What `ask` gets from Redis. Raises RedisAway after at most TIMEOUT_SECONDS a round trip, and at once for
    AWAY_SECONDS after that."""
    if _reach.again_at > time.monotonic():
        raise RedisAway("not asked: it was away a moment ago")
    try:
        return ask(redis_client())
    except (redis.ConnectionError, redis.TimeoutError) as error:
        _reach.again_at = time.monotonic() + AWAY_SECONDS
        _reach.failures += 1
        log.warning("Redis is away (%s, failure %d of this process)", error, _reach.failures)
        raise RedisAway(str(error)) from error
    except redis.RedisError as error:
        _reach.failures += 1
        log.warning("Redis refused (%s, failure %d of this process)", error, _reach.failures)
        raise RedisAway(str(error)) from error


def redis_failures() -> int:
    """How often Redis failed this process since it started."""
    return _reach.failures


def try_redis_again() -> None:
    """Forget that Redis was away: the next call asks it."""
    _reach.again_at = 0.0


@lru_cache(maxsize=8)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # Once more, on a new connection, when the pooled one has died with its server; a time-out is not repeated.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        redis_connect_func=_on_connect,
    )


def _on_connect(connection: Any) -> None:
    """Greet the server; drop the copy it holds if it was made under another run of it."""
    connection.on_connect()
    connection.send_command("EVAL", _DROP_COPY_OF_ANOTHER_RUN, 1, f"{COPY_PREFIX}run_id", COPY_PREFIX)
    try:
        dropped = connection.read_response()
    except redis.ResponseError:
        log.exception("Redis does not tell its run id: after its restart the gate may read an old copy until the sweep")
        return
    if dropped:
        log.warning("Redis was restarted: dropped %d keys of the gate's copy", dropped)
