"""The API goes away under load and comes back, a service is killed meanwhile: every call is charged once.

SPOOL_OUTAGE_SECONDS says for how long; short by default.
"""

from __future__ import annotations

import os
import subprocess
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import timedelta
from decimal import Decimal as D
from pathlib import Path

import pytest

from metering.usage.models import Charge, UsageEvent
from tests.factories.balances import wallet_of
from tests.factories.journal import figures
from tests.factories.usage import CALL, TOKEN, open_prices
from tests.processes import PROJECT, eventually
from tests.web import Site
from wallets import clock
from wallets.api_keys.issue import issue_api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_hold", "redis_server")]
OUTAGE_SECONDS = float(os.environ.get("SPOOL_OUTAGE_SECONDS", "1.5"))
CREDIT = D(1000)


@contextmanager
def service(name: str, *arguments: str | Path) -> Iterator[subprocess.Popen[bytes]]:
    """A service that takes calls until the end of the block, and then ends by itself."""
    command = [sys.executable, "-m", "tests.faults.recording_service", name, *map(str, arguments)]
    process = subprocess.Popen(command, cwd=PROJECT, stdin=subprocess.PIPE)
    try:
        yield process
        process.communicate(timeout=60)
    finally:
        process.kill()
        process.communicate()


def test_every_call_is_charged_once_whatever_was_away(tmp_path: Path) -> None:
    wallet = wallet_of("acme", credit=str(CREDIT), at=clock.now() - timedelta(days=1))
    open_prices()
    key = issue_api_key(name="service", scopes=["events:write", "gate:check"], at=clock.now()).secret
    heard, spool = tmp_path / "acknowledged", tmp_path / "spool"

    def acknowledged() -> list[str]:
        return heard.read_text().split() if heard.exists() else []

    def charged() -> int:
        return UsageEvent.objects.count()

    with Site() as site, ExitStack() as services:
        told = (os.environ["REDIS_URL"], site.url, key, spool, heard)
        services.enter_context(service("first", *told))
        killed = services.enter_context(service("killed", *told))
        assert eventually(lambda: charged() > 50, within_seconds=30)
        site.kill()  # in the middle of whatever it was doing
        at_the_kill = len(acknowledged())
        threading.Event().wait(OUTAGE_SECONDS / 2)
        killed.kill()
        services.enter_context(service("second", *told))
        threading.Event().wait(OUTAGE_SECONDS / 2)
        assert eventually(lambda: len(acknowledged()) > at_the_kill + 200, within_seconds=60), "calls go on"
        site.start()
        assert eventually(lambda: charged() >= at_the_kill, within_seconds=60)
        services.close()
        ids = acknowledged()
        assert eventually(lambda: charged() >= len(ids), within_seconds=60)
        with service("last", *told):  # sends what is left, if anything is
            assert eventually(lambda: not left_over(spool), within_seconds=60)
    ids = acknowledged()
    assert len(ids) == len(set(ids))
    found = Counter(UsageEvent.objects.values_list("event_id", flat=True))
    assert not set(ids) - found.keys(), "nothing that was acknowledged is missing"
    unheard = found.keys() - set(ids)
    assert {one.partition("-")[0] for one in unheard} <= {"killed"}, "written down, and killed before it could say so"
    assert len(unheard) <= 1
    assert set(found.values()) == {1}
    assert Charge.objects.count() == 2 * len(found)
    assert figures(wallet)[0] == CREDIT - len(found) * (CALL + TOKEN)
    assert list(spool.iterdir()) == []


def left_over(spool: Path) -> list[Path]:
    """Files of processes that are gone."""
    return [file for file in spool.glob("*.usage") if file.stat().st_size > 0 and not file.with_suffix(".sent").exists()]
