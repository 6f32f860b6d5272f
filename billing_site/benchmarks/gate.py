"""`manage.py bench gate`: the gate against what it cannot be quicker than (a Redis GET) and against what it would be without
care (a view behind the whole of Django), in one run: rounds in turn, so that a slow moment falls on both sides of a ratio.

    get      one GET with redis-py, the round trip of the yardstick
    decide   `Gate.decide` of the client, in the process: what the middlewares wait for
    empty    a view that does nothing, behind the whole middleware stack, over HTTP, eight connections
    check    GET /gate/check, the same way
    nginx_without, nginx_with    a service behind nginx, not asking the gate and asking it (only where nginx is installed)
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

import redis
from django.conf import settings

from billing_site.benchmarks.empty_view import PATH as EMPTY
from billing_site.benchmarks.http_load import Load, percentile, request_bytes
from billing_site.benchmarks.nginx import CUSTOMER, nginx, nginx_binary
from billing_site.benchmarks.vendor import Vendor, set_vendor_up
from billing_site.benchmarks.web import web_processes
from metering.gate.client.gate import Gate

Measured = dict[str, tuple[list[float], float]]
"""Way -> the time of each call in microseconds, and the seconds all of them took."""
Round = Callable[[], Measured]

ACCOUNTS: Final = 20
ROUNDS: Final = 20
CALLS: Final = 400
BLOCK: Final = 50
# A turn of a way over HTTP, and the turns of a round.
TURN_SECONDS: Final = 0.06
TURNS: Final = 6
CONNECTIONS: Final = 8
OK: Final = 200
NO_CONTENT: Final = 204


def measure_gate(
    *, at: datetime, rounds: int = ROUNDS, tell: Callable[[str], None] = lambda _: None, **_: Any
) -> dict[str, float]:
    """p50, p99 (microseconds) and calls/s of each way, and the ratios: medians over the rounds; `tell` gets a line each."""
    tell("setting up")
    vendor = set_vendor_up(accounts=ACCOUNTS, at=at)
    took: dict[str, list[float]] = {}
    rates: dict[str, list[float]] = {}
    ratios: dict[str, list[float]] = {}
    with _in_process(vendor) as in_process, _over_http(vendor) as over_http:
        for number in range(rounds):
            found: dict[str, float] = {}
            times = in_process()
            for name, (micros, seconds) in (times | over_http()).items():
                took.setdefault(name, []).extend(micros)
                rates.setdefault(name, []).append(len(micros) / seconds)
            last = {name: of_name[-1] for name, of_name in rates.items()}
            found["decide_over_get"] = statistics.median(times["decide"][0]) / statistics.median(times["get"][0])
            found["check_over_empty"] = last["check"] / last["empty"]
            if "nginx_with" in last:
                found["nginx_with_over_without"] = last["nginx_with"] / last["nginx_without"]
            for name, ratio in found.items():
                ratios.setdefault(name, []).append(ratio)
            tell(f"round {number + 1}: " + ", ".join(f"{name} {ratio:.2f}" for name, ratio in found.items()))
    figures: dict[str, float] = {}
    for name, of_name in took.items():
        of_name.sort()
        figures[f"{name}_p50_us"], figures[f"{name}_p99_us"] = percentile(of_name, 50), percentile(of_name, 99)
        figures[f"{name}_per_second"] = statistics.median(rates[name])
    return figures | {name: statistics.median(of_name) for name, of_name in ratios.items()}


@contextmanager
def _in_process(vendor: Vendor) -> Iterator[Round]:
    """A GET and a decision in turn, a block of each at a time."""
    client = redis.Redis.from_url(settings.REDIS_URL)
    client.set("benchmark", "41.200000000000")
    with tempfile.TemporaryDirectory(prefix="bench-spool-") as spool:
        gate = Gate(redis_url=settings.REDIS_URL, api_url="http://127.0.0.1:1", api_key=vendor.api_key, spool=spool)
        account, amount = vendor.accounts[0], Decimal("0.05")
        assert gate.decide(account, amount=amount).source == "redis"

        def measured() -> Measured:
            took: dict[str, list[float]] = {"get": [], "decide": []}
            for _ in range(CALLS // BLOCK):
                for _ in range(BLOCK):
                    started = time.perf_counter_ns()
                    client.get("benchmark")
                    took["get"].append((time.perf_counter_ns() - started) / 1000)
                for _ in range(BLOCK):
                    started = time.perf_counter_ns()
                    gate.decide(account, amount=amount)
                    took["decide"].append((time.perf_counter_ns() - started) / 1000)
            return {name: (of_name, sum(of_name) / 1e6) for name, of_name in took.items()}

        measured()
        yield measured
        gate.close()
    client.close()


@contextmanager
def _over_http(vendor: Vendor) -> Iterator[Round]:
    """The ways over HTTP, turn by turn."""
    key = {"Authorization": f"Bearer {vendor.api_key}"}
    account = vendor.accounts[0]
    with ExitStack() as running:
        address = running.enter_context(web_processes(application="billing_site.benchmarks.empty_view:application"))
        ways = {
            "empty": (address, request_bytes(EMPTY, **key), NO_CONTENT),
            "check": (address, request_bytes(f"/gate/check?account={account}", **key), NO_CONTENT),
        }
        binary = nginx_binary()
        if binary is not None:
            before = running.enter_context(nginx(binary, billing=address, gate_key=vendor.api_key, account=account))
            request = request_bytes("/v1/answer", Authorization=CUSTOMER)
            ways |= {"nginx_without": (before.unasked, request, OK), "nginx_with": (before.asked, request, OK)}

        def measured() -> Measured:
            loads = {name: Load(*way[:2], expect=way[2], connections=CONNECTIONS) for name, way in ways.items()}
            for load in loads.values():  # new connections are slower at first
                load.run(TURN_SECONDS / 4)
                load.micros, load.seconds = [], 0.0
            for _ in range(TURNS):
                for load in loads.values():
                    load.run(TURN_SECONDS)
            for load in loads.values():
                load.close()
            return {name: (load.micros, load.seconds) for name, load in loads.items()}

        measured()
        yield measured
