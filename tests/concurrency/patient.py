"""The site, with all the time it takes to hear from Redis: on a busy machine a late answer must not pass for none."""

from __future__ import annotations

from billing_site.wsgi import application as application
from wallets import redis_client
from wallets.redis_link import RedisLink

redis_client.TIMEOUT_SECONDS = 60.0  # type: ignore[misc]
RedisLink.__init__.__kwdefaults__["timeout_seconds"] = 60.0
