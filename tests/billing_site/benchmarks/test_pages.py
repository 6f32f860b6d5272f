"""The benchmark of pages runs on a small company, and measures what it says; how quick they are, is not tested."""

from __future__ import annotations

import pytest

from billing_site.benchmarks.pages import measure_pages
from billing_site.portal.navigation import GROUPS
from metering.usage.models import UsageEvent
from tests.child import _test_database_url as own_database_url
from wallets import clock


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_server")
def test_every_page_is_measured_beside_the_sign_in_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", own_database_url())
    told: list[str] = []
    figures = measure_pages(at=clock.now(), events=1_000, rounds=1, tell=told.append)
    assert UsageEvent.objects.count() == 1_000
    assert {f"{page.name}_p50_ms" for _label, pages in GROUPS for page in pages} < figures.keys()
    assert {name for name in figures if name.startswith("sign_in")} == {"sign_in_p50_ms", "sign_in_p99_ms"}
    assert all(value > 0 for value in figures.values())
    assert told[:2] == ["500 events", "1,000 events"]
