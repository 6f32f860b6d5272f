"""The one way to Redis: one client a process, short limits, and no hammering while it is away.

What is kept there is a copy (I1), so every caller has another way: it catches RedisAway and goes on without. Beside the
client there is the link of the gate, for scripts that are run before every call (`redis_link.py`).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final, TypeVar

import redis
from django.conf import settings
from redis.backoff import NoBackoff
from redis.retry import Retry

from wallets.redis_link import TIMEOUT_SECONDS, Reach, RedisLink, greet
from wallets.redis_link import RedisAway as RedisAway
from wallets.redis_link import Script as Script

T = TypeVar("T")

_reach: Final = Reach()


def redis_client() -> redis.Redis:
    """The client of this process for REDIS_URL; thread-safe, survives a fork."""
    return _client(settings.REDIS_URL)


def redis_link() -> RedisLink:
    """The gate's link of this process to REDIS_URL; thread-safe, survives a fork."""
    return _link(settings.REDIS_URL)


def ask_redis(ask: Callable[[redis.Redis], T]) -> T:
    """What `ask` gets from Redis. Raises RedisAway after at most TIMEOUT_SECONDS a round trip, and at once for
    AWAY_SECONDS after that."""
    _reach.expect()
    try:
        return ask(redis_client())
    except (redis.ConnectionError, redis.TimeoutError) as error:
        raise _reach.failed(error, away=True) from error
    except redis.RedisError as error:
        raise _reach.failed(error, away=False) from error


def redis_failures() -> int:
    """How often Redis failed this process since it started."""
    return _reach.failures


def try_redis_again() -> None:
    """Forget that Redis was away: the next call asks it."""
    _reach.again_at = 0.0


@lru_cache(maxsize=8)
def _link(url: str) -> RedisLink:
    return RedisLink(url, reach=_reach)


@lru_cache(maxsize=8)
def _client(url: str) -> redis.Redis:
    return redis.Redis.from_url(
        url,
        socket_timeout=TIMEOUT_SECONDS,
        socket_connect_timeout=TIMEOUT_SECONDS,
        # Once more, on a new connection, when the pooled one has died with its server; a time-out is not repeated.
        retry=Retry(NoBackoff(), 1, supported_errors=(redis.ConnectionError,)),
        redis_connect_func=greet,
    )
