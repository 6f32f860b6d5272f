"""Rate limits per API key and minute, and of refused keys per address, counted in Redis for all processes together. A limit
protects the service, not money, so it is open while Redis is away: that is logged and counted by the Redis client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Final

from django.conf import settings
from rest_framework.request import Request
from rest_framework.throttling import BaseThrottle

from wallets.api_keys.verify import Caller
from wallets.redis_client import RedisAway, ask_redis

if TYPE_CHECKING:  # rest_framework.views imports this module, by its settings
    from rest_framework.views import APIView

WINDOW_SECONDS: Final = 60


class KeyThrottle(BaseThrottle):
    """At most API_REQUESTS_PER_MINUTE requests a key and minute; 0 is no limit."""

    def allow_request(self, request: Request, view: APIView) -> bool:  # noqa: ARG002 - DRF's signature
        """Count the request and say whether it is within the limit."""
        limit = settings.API_REQUESTS_PER_MINUTE
        caller = request.auth
        if not limit or not isinstance(caller, Caller):
            return True
        return bool(_count(f"throttle:{caller.key_id}") <= limit)

    def wait(self) -> float:
        """Seconds until the next window."""
        return WINDOW_SECONDS - time.time() % WINDOW_SECONDS


def too_many_refused(address: str | None) -> bool:
    """Count a key that was refused, and say whether more than API_REFUSALS_PER_MINUTE came from this address this minute."""
    limit = settings.API_REFUSALS_PER_MINUTE
    return bool(limit) and _count(f"refused:{address}") > limit


def _count(what: str) -> int:
    """How often in this minute, this time included; 0 while Redis is away."""
    name = f"{what}:{int(time.time()) // WINDOW_SECONDS}"

    def count(redis: Any) -> int:
        counting = redis.pipeline(transaction=False)
        counting.incr(name)
        counting.expire(name, 2 * WINDOW_SECONDS)
        return int(counting.execute()[0])

    try:
        return int(ask_redis(count))
    except RedisAway:
        return 0
