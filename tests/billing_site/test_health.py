"""/healthz without processes: `tests/billing_site/management/test_run.py` has them."""

import pytest

from billing_site.tasks import heartbeat
from wallets.redis_client import try_redis_again

pytestmark = pytest.mark.django_db


def test_it_is_503_until_a_worker_has_shown_itself(client, redis_server):
    answer = client.get("/healthz")
    assert answer.status_code == 503
    assert answer.json() == {"status": "down", "postgresql": "ok", "redis": "ok", "worker": "down"}
    heartbeat()
    answer = client.get("/healthz")
    assert answer.status_code == 200
    assert answer.json() == {"status": "ok", "postgresql": "ok", "redis": "ok", "worker": "ok"}
    assert "no-store" in answer["Cache-Control"]


def test_it_names_redis_when_it_is_away(client, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    try:
        assert client.get("/healthz").json() == {"status": "down", "postgresql": "ok", "redis": "down", "worker": "down"}
    finally:
        try_redis_again()
