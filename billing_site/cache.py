"""The cache: counters of rate limits, and codes that were used. Redis may be wiped or away at any moment; then nothing is
remembered and nobody is kept from signing in. Each such moment is logged."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from django.core.cache.backends.redis import RedisCache
from redis import RedisError

log = logging.getLogger(__name__)


class ForgetfulCache(RedisCache):
    """Django's on Redis, empty while Redis is away."""

    def add(self, *args: Any, **kwargs: Any) -> bool:
        """Whether it was not there."""
        return bool(_or(True, super().add, *args, **kwargs))

    def get(self, key: str, default: Any = None, version: int | None = None) -> Any:
        """What is there."""
        return _or(default, super().get, key, default, version)

    def set(self, *args: Any, **kwargs: Any) -> None:
        """Remember."""
        _or(None, super().set, *args, **kwargs)

    def incr(self, key: str, delta: int = 1, version: int | None = None) -> int:
        """Count; what there is now."""
        try:
            return int(_or(delta, super().incr, key, delta, version))
        except ValueError:  # wiped since it was added
            return delta

    def delete(self, *args: Any, **kwargs: Any) -> bool:
        """Forget."""
        return bool(_or(False, super().delete, *args, **kwargs))


def _or(otherwise: Any, ask: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
    try:
        return ask(*args, **kwargs)
    except (RedisError, OSError) as error:
        log.warning("the cache is away, a rate limit is open: %r", error)
        return otherwise
