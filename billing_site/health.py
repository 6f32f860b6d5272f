"""/healthz: 200 while PostgreSQL, Redis and a worker answer, else 503 naming what is down."""

from __future__ import annotations

import logging
from typing import Final

from django.db import DatabaseError, connection
from django.http import HttpRequest, JsonResponse
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_safe

from wallets.redis_client import RedisAway, ask_redis

log = logging.getLogger(__name__)

# Beat asks for a heartbeat every 5 s; a worker busy with long tasks may miss a few.
HEARTBEAT_KEY: Final = "health:worker"
HEARTBEAT_SECONDS: Final = 30


def beat_heart() -> None:
    """Called in a worker: be seen for HEARTBEAT_SECONDS. Raises RedisAway."""
    ask_redis(lambda redis: redis.set(HEARTBEAT_KEY, "1", ex=HEARTBEAT_SECONDS))


@never_cache
@require_safe
def healthz(request: HttpRequest) -> JsonResponse:  # noqa: ARG001 - a view
    """{"status": "ok"} or {"status": "down", "postgresql": "down", ...}."""
    redis, worker = _redis_and_worker()
    parts = {"postgresql": _postgresql(), "redis": redis, "worker": worker}
    healthy = all(parts.values())
    answer = {"status": "ok" if healthy else "down"} | {name: "ok" if up else "down" for name, up in parts.items()}
    response = JsonResponse(answer, status=200 if healthy else 503)
    response._has_been_logged = True  # type: ignore[attr-defined]  # noqa: SLF001 - a probe asks often, and is told
    return response


def _postgresql() -> bool:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError:
        log.exception("healthz: PostgreSQL does not answer")
        return False
    return True


def _redis_and_worker() -> tuple[bool, bool]:
    try:
        return True, bool(ask_redis(lambda redis: redis.exists(HEARTBEAT_KEY)))
    except RedisAway:
        return False, False
