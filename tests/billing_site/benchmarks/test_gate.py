"""The benchmark of the gate runs, and measures what it says; how quick it is, is not tested."""

from __future__ import annotations

import pytest

from billing_site.benchmarks.gate import measure_gate
from billing_site.benchmarks.nginx import nginx_binary
from tests.child import _test_database_url as own_database_url
from wallets import clock


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("redis_server")
def test_every_way_is_measured_in_one_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABASE_URL", own_database_url())
    told: list[str] = []
    figures = measure_gate(at=clock.now(), rounds=1, tell=told.append)
    ways = {"get", "decide", "empty", "check"} | ({"nginx_without", "nginx_with"} if nginx_binary() else set())
    ratios = {"decide_over_get", "check_over_empty"} | ({"nginx_with_over_without"} if nginx_binary() else set())
    assert figures.keys() == ratios | {f"{way}_{figure}" for way in ways for figure in ("p50_us", "p99_us", "per_second")}
    assert all(value > 0 for value in figures.values())
    assert all(figures[f"{way}_p50_us"] <= figures[f"{way}_p99_us"] for way in ways)
    assert len(told) == 2
