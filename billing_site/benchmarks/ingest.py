"""`manage.py bench ingest`: our ingest against the limit of the database and against the textbook, on the same rows, in one
run: three rounds in turn, the median of each."""

from __future__ import annotations

import http.client
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from typing import Final

from django.db import connection

from billing_site.benchmarks.vendor import Vendor, bodies, open_accounts, set_tiers_up, set_vendor_up
from billing_site.benchmarks.web import web_processes
from billing_site.benchmarks.yardsticks import encoded, raw_rate, textbook_rate
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import decode_events

ACCOUNTS: Final = 500
ROUNDS: Final = 3
BATCH: Final = 5_000
SMALL_BATCH: Final = 1_000
CLIENT_CONNECTIONS: Final = 4


def measure_ingest(
    *, at: datetime, events: int = 100_000, textbook_events: int = 1_500, tell: Callable[[str], None] = lambda _: None
) -> dict[str, float]:
    """Events/s of each way, and the ratios; `tell` gets a line a measurement."""
    tell("setting up 500 accounts, 500 that pay tiers, 500 of the textbook")
    vendor = set_vendor_up(accounts=ACCOUNTS, at=at)
    tiered = set_tiers_up(vendor, at=at)
    textbook = Vendor([f"textbook-{number:04d}" for number in range(ACCOUNTS)], vendor.api_key)
    open_accounts(textbook.accounts, at=at)
    rates: dict[str, list[float]] = {}
    with web_processes() as address:
        _warm_up(vendor, address, at)
        _warm_up(tiered, address, at)
        for number in range(ROUNDS):
            for name, rate in _round(vendor, tiered, textbook, address, number, events, textbook_events, at):
                rates.setdefault(name, []).append(rate)
                tell(f"round {number + 1}: {name} {rate:,.0f} events/s")
    return with_ratios({name: statistics.median(of_name) for name, of_name in rates.items()})


def with_ratios(rates: dict[str, float]) -> dict[str, float]:
    """The rates, and how they compare."""
    return rates | {
        "batch_over_raw": rates["batch"] / rates["raw_1"],
        "http_over_raw": rates["http_5000"] / rates["raw_2"],
        "http_1000_over_raw": rates["http_1000"] / rates["raw_2"],
        "batch_over_textbook": rates["batch"] / rates["textbook"],
        "tiered_over_flat_batch": rates["tiered_batch"] / rates["batch"],
        "tiered_over_flat_http": rates["tiered_http_5000"] / rates["http_5000"],
        "tiered_over_flat_http_1000": rates["tiered_http_1000"] / rates["http_1000"],
    }


def _round(
    vendor: Vendor,
    tiered: Vendor,
    textbook: Vendor,
    address: str,
    number: int,
    events: int,
    textbook_events: int,
    at: datetime,
) -> Iterator[tuple[str, float]]:
    """The measurements of a round, one after the other."""

    def made(name: str, size: int, count: int = events, who: Vendor = vendor) -> list[bytes]:
        found = list(bodies(who, name=f"{name}-{number}", events=count, size=size, at=at))
        _settle()
        return found

    for connections in (1, 2):
        streams = encoded(made(f"raw{connections}", BATCH), at=at)
        _settle()
        yield f"raw_{connections}", raw_rate(streams, rows=events, connections=connections)
    for prefix, who in (("", vendor), ("tiered_", tiered)):
        yield f"{prefix}batch", batch_rate(made(f"{prefix}batch", BATCH, who=who), at=at)
        yield f"{prefix}http_5000", http_rate(made(f"{prefix}h5000", BATCH, who=who), address=address, api_key=vendor.api_key)
        yield (
            f"{prefix}http_1000",
            http_rate(made(f"{prefix}h1000", SMALL_BATCH, who=who), address=address, api_key=vendor.api_key),
        )
    yield "textbook", textbook_rate(made("textbook", BATCH, textbook_events, textbook), at=at)


def batch_rate(requests: Sequence[bytes], *, at: datetime) -> float:
    """Events/s of our path in this process: decode, store, rate, debit, commit, a request at a time."""
    count = 0
    started = time.perf_counter()
    for body in requests:
        count += ingest_batch(events=decode_events(body).events, at=at).accepted
    return count / (time.perf_counter() - started)


def http_rate(requests: Sequence[bytes], *, address: str, api_key: str) -> float:
    """Events/s of our path over HTTP, with four client connections that send one request after the other."""
    accepted: list[int] = []
    failures: list[str] = []

    def client(mine: Sequence[bytes]) -> None:
        try:
            send(mine)
        except OSError as error:
            failures.append(str(error))

    def send(mine: Sequence[bytes]) -> None:
        host, _, port = address.partition(":")
        link = http.client.HTTPConnection(host, int(port), timeout=120)
        headers = {"Authorization": f"Bearer {api_key}", "Content-Type": "application/json"}
        for body in mine:
            link.request("POST", "/api/v1/events", body, headers)
            response = link.getresponse()
            text = response.read()
            if response.status != http.HTTPStatus.OK:
                failures.append(f"{response.status} {text[:200]!r}")
                return
            accepted.append(int(text.partition(b'"accepted":')[2].partition(b",")[0]))
        link.close()

    threads = [
        threading.Thread(target=client, args=(requests[number::CLIENT_CONNECTIONS],)) for number in range(CLIENT_CONNECTIONS)
    ]
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.perf_counter() - started
    if failures:
        raise RuntimeError(f"the web processes refused: {failures[0]}")
    return sum(accepted) / seconds


def _warm_up(vendor: Vendor, address: str, at: datetime) -> None:
    name = vendor.accounts[0]
    batch_rate(list(bodies(vendor, name=f"{name}-warm-batch", events=BATCH * 4, size=BATCH, at=at)), at=at)
    http_rate(
        list(bodies(vendor, name=f"{name}-warm-http", events=BATCH * 4, size=SMALL_BATCH, at=at)),
        address=address,
        api_key=vendor.api_key,
    )


def _settle() -> None:
    """Write out and tidy up what the measurement before left behind, so that it does not fall into the next."""
    with connection.cursor() as cursor:
        cursor.execute("VACUUM (ANALYZE)")
        cursor.execute("CHECKPOINT")
