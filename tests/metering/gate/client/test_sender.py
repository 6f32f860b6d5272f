"""What the API takes is charged; what it never will is set aside with the reason, and can be sent again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from metering.gate.client.gate import Gate
from metering.gate.client.sender import REFUSED_FILE
from metering.usage.models import UsageEvent
from tests.factories.balances import wallet_of
from tests.factories.usage import open_prices
from tests.metering.gate.client.conftest import service_gate
from tests.processes import eventually
from tests.web import Site
from wallets import clock
from wallets.api_keys.issue import issue_api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server", "books_hold")]


@pytest.fixture
def gate(tmp_path: Path) -> Iterator[Gate]:
    """A service's gate with an API that answers."""
    yesterday = clock.now() - timedelta(days=1)
    wallet_of("acme", credit="10", at=yesterday)
    open_prices()
    key = issue_api_key(name="service", scopes=["events:write"], at=yesterday).secret
    with Site() as site:
        made = service_gate(tmp_path / "spool", api_url=site.url, api_key=key)
        yield made
        made.close()


def record(gate: Gate, event_id: str, **changes: Any) -> None:
    usual: dict[str, Any] = {"account": "acme", "event_type": "llm.request", "properties": {"tokens": 1}}
    gate.record(event_id=event_id, **(usual | changes))


def charged() -> set[str]:
    return set(UsageEvent.objects.values_list("event_id", flat=True))


def test_refused_events_are_set_aside_and_sent_again_when_somebody_says_so(gate: Gate) -> None:
    for number in range(20):
        record(gate, f"good-{number}")
    record(gate, "stranger", account="initech")
    record(gate, "unheard", event_type="no.such.type")
    record(gate, "old", at=clock.now() - timedelta(days=400))
    good = {f"good-{number}" for number in range(20)}
    assert eventually(lambda: charged() == good and gate.sender.refused_events == 3, within_seconds=30)
    aside = gate.spool.folder / REFUSED_FILE
    refused = {event["id"]: event["refused"]["code"] for event in map(json.loads, aside.read_text().splitlines())}
    assert refused == {"stranger": "unknown_account", "unheard": "unknown_type", "old": "too_old"}
    wallet_of("initech", credit="1", at=clock.now() - timedelta(days=1))
    aside.rename(aside.with_name("again.usage"))
    assert eventually(lambda: charged() == good | {"stranger"}, within_seconds=30)
    assert eventually(lambda: gate.sender.refused_events == 5, within_seconds=30)


def test_one_event_nobody_can_read_does_not_hold_up_the_others(gate: Gate) -> None:
    record(gate, "before")
    gate.spool.append(b"this is no JSON")
    record(gate, "after")
    assert eventually(lambda: charged() == {"before", "after"}, within_seconds=30)
    assert eventually(lambda: gate.sender.refused_events == 1, within_seconds=30)
    (line,) = (gate.spool.folder / REFUSED_FILE).read_text().splitlines()
    assert json.loads(line)["line"] == "this is no JSON"


def test_a_key_that_was_revoked_loses_nothing(gate: Gate) -> None:
    gate._api._headers = gate._api._headers | {"Authorization": "Bearer revoked"}
    record(gate, "kept")
    assert eventually(lambda: gate.sender.failures > 0, within_seconds=30)
    assert charged() == set()
    key = issue_api_key(name="new", scopes=["events:write"], at=clock.now()).secret
    gate._api._headers = gate._api._headers | {"Authorization": f"Bearer {key}"}
    assert eventually(lambda: charged() == {"kept"}, within_seconds=30)
    assert gate.sender.refused_events == 0
