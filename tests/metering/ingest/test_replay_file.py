"""A replay charges each record once, however often it is run and wherever it was broken off."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path

import pytest

from metering.ingest import replay_file as module
from metering.ingest.batch import IngestResult, ingest_batch
from metering.ingest.decode import UsageInput
from metering.ingest.models import ReplayCheckpoint
from metering.ingest.replay_file import NothingToShift, Refused, ReplayPlan, ReplayTotals, Watchers, replay_file
from metering.ingest.replay_map import Spread, parse_map
from metering.ingest.replay_rows import find_shape
from metering.usage.models import Charge, UsageEvent
from tests.factories.balances import wallet_of
from tests.factories.prices import llm_prices
from wallets.balances.lock import LockBusy
from wallets.balances.models import Wallet

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
START = AT - timedelta(days=30)
BASE = ("type=const:llm.request", "time=when", "account=customer", "input_tokens=tokens", "model=const:gpt-5")
HEADER = "when,customer,tokens\n"


class Clock:
    """A clock that goes on a second each time it is asked."""

    def __init__(self, start: datetime = AT) -> None:
        self.time = start

    def __call__(self) -> datetime:
        """The time now."""
        self.time += timedelta(seconds=1)
        return self.time


@pytest.fixture
def wallets() -> dict[str, Wallet]:
    """Two customers with credit, and a price of 0.01 for an input token."""
    llm_prices(input_tokens="0.01", output_tokens="0.02", at=START)
    return {key: wallet_of(key, credit="1000", at=START) for key in ("acme", "globex")}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """25 records of acme and globex, a minute apart, 1 to 25 tokens."""
    path = tmp_path / "usage.csv"
    rows = [
        f"{(START + timedelta(days=20, minutes=n)).isoformat()},{'acme' if n % 2 else 'globex'},{n}\n" for n in range(1, 26)
    ]
    path.write_text(HEADER + "".join(rows))
    return path


def plan_of(path: Path, *entries: str, batch_size: int = 10, shift_to_now: bool = False, restart: bool = False) -> ReplayPlan:
    """The plan for a file with the usual columns."""
    return ReplayPlan(
        path=path, shape=find_shape(path), event_map=parse_map([*BASE, *entries]), batch_size=batch_size,
        shift_to_now=shift_to_now, restart=restart,
    )  # fmt: skip


def replay(plan: ReplayPlan, clock: Callable[[], datetime] | None = None, **watchers: object) -> ReplayTotals:
    """Run it."""
    return replay_file(plan=plan, now=clock or Clock(), watchers=Watchers(**watchers))  # type: ignore[arg-type]


def balance(wallet: Wallet) -> Decimal:
    """What it holds now."""
    return Wallet.objects.get(pk=wallet.pk).balance


def test_records_become_charged_events_and_the_summary_adds_them_up(wallets: dict[str, Wallet], file: Path) -> None:
    totals = replay(plan_of(file))
    assert (totals.records, totals.events, totals.duplicates, totals.unrated) == (25, 25, 0, 0)
    assert totals.rejected == {}
    charged = totals.charged["llm.input_tokens", "USD"]
    assert (charged.charges, charged.quantity, charged.amount) == (25, 325, Decimal("3.25"))
    assert balance(wallets["acme"]) == Decimal("1000") - Decimal("1.69")
    assert balance(wallets["globex"]) == Decimal("1000") - Decimal("1.56")
    first = UsageEvent.objects.get(event_id="usage.csv:1")
    assert first.time == START + timedelta(days=20, minutes=1)


def test_a_second_replay_charges_nothing(wallets: dict[str, Wallet], file: Path) -> None:
    replay(plan_of(file))
    before = balance(wallets["acme"])
    again = replay(plan_of(file))
    assert (again.events, again.duplicates, again.charged) == (0, 25, {})
    assert balance(wallets["acme"]) == before
    assert Charge.objects.count() == 25


@pytest.mark.usefixtures("wallets")
def test_a_gzipped_copy_is_the_same_usage(file: Path, tmp_path: Path) -> None:
    replay(plan_of(file))
    zipped = tmp_path / "usage.csv.gz"
    zipped.write_bytes(gzip.compress(file.read_bytes()))
    assert replay(plan_of(zipped)).duplicates == 25


class PowerCutError(Exception):
    """The process died here."""


def broken_off_after(batches: int) -> Callable[..., IngestResult]:
    """An ingest that dies, after it has committed, with the batch after so many."""
    seen = 0

    def ingest(*, events: list[UsageInput], at: datetime) -> IngestResult:
        nonlocal seen
        result = ingest_batch(events=events, at=at)
        seen += 1
        if seen > batches:
            raise PowerCutError
        return result

    return ingest


def test_a_run_that_was_broken_off_goes_on_where_it_was(
    wallets: dict[str, Wallet], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "ingest_batch", broken_off_after(1))
        with pytest.raises(PowerCutError):
            replay(plan_of(file))
    totals = replay(plan_of(file))
    assert totals.from_line == 12  # the header and ten records were done
    assert (totals.records, totals.events, totals.duplicates) == (15, 5, 10)
    assert balance(wallets["acme"]) == Decimal("1000") - Decimal("1.69")
    assert replay(plan_of(file)).duplicates == 25


@pytest.mark.usefixtures("wallets")
def test_restart_begins_again_even_after_a_broken_run(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "ingest_batch", broken_off_after(1))
        with pytest.raises(PowerCutError):
            replay(plan_of(file))
    totals = replay(plan_of(file, restart=True))
    assert (totals.from_line, totals.records, totals.duplicates) == (1, 25, 20)


@pytest.mark.usefixtures("wallets")
def test_another_map_or_a_longer_file_does_not_go_on_from_the_old_place(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "ingest_batch", broken_off_after(1))
        with pytest.raises(PowerCutError):
            replay(plan_of(file))
    assert replay(plan_of(file, "note=const:x")).from_line == 1
    with file.open("a") as out:
        out.write(f"{AT.isoformat()},acme,1\n")
    longer = replay(plan_of(file))
    assert (longer.from_line, longer.events) == (1, 1)


@pytest.mark.usefixtures("wallets")
def test_shifted_times_keep_their_spacing_and_end_now(file: Path) -> None:
    replay(plan_of(file, shift_to_now=True), Clock())
    times = list(UsageEvent.objects.order_by("time").values_list("time", flat=True))
    assert times[-1] == AT + timedelta(seconds=1)
    assert {later - earlier for earlier, later in pairwise(times)} == {timedelta(minutes=1)}


@pytest.mark.usefixtures("wallets")
def test_a_run_that_goes_on_keeps_the_shift_of_the_broken_one(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as broken:
        broken.setattr(module, "ingest_batch", broken_off_after(1))
        with pytest.raises(PowerCutError):
            replay(plan_of(file, shift_to_now=True), Clock())
    later = Clock(AT + timedelta(hours=5))
    totals = replay(plan_of(file, shift_to_now=True), later)
    times = list(UsageEvent.objects.order_by("time").values_list("time", flat=True))
    assert times[-1] == AT + timedelta(seconds=1)
    assert {b - a for a, b in pairwise(times)} == {timedelta(minutes=1)}
    assert replay(plan_of(file, shift_to_now=True), later).shift == totals.shift


@pytest.mark.usefixtures("wallets")
def test_a_file_without_readable_times_cannot_be_shifted(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text(HEADER + "never,acme,1\n")
    with pytest.raises(NothingToShift):
        replay(plan_of(path, shift_to_now=True))


def test_bad_records_are_named_by_line_and_the_rest_is_charged(wallets: dict[str, Wallet], tmp_path: Path) -> None:
    day = (START + timedelta(days=1)).isoformat()
    ahead = (AT + timedelta(days=2)).isoformat()
    path = tmp_path / "usage.csv"
    path.write_bytes(
        (HEADER + f"{day},acme,1\n{day},acme\n{day},nobody,1\n{day},acme,-1\n{day},acme,many\n").encode()
        + b"never,acme,1\n"
        + f"{day},ac".encode() + b"\xff,1\n"
        + f"{day},acme,\x00\n".encode()
        + f"{ahead},acme,1\n{day},acme,2\n{day},acme,1e400\n".encode()
    )  # fmt: skip
    written: list[Refused] = []
    totals = replay(plan_of(path), on_refused=written.append)
    assert (totals.records, totals.events) == (11, 2)
    assert dict(totals.rejected) == {"unreadable": 3, "unknown_account": 1, "invalid": 4, "in_future": 1}
    assert sorted((one.line, one.code) for one in written) == [
        (3, "unreadable"), (4, "unknown_account"), (5, "invalid"), (6, "invalid"), (7, "invalid"), (8, "unreadable"),
        (9, "unreadable"), (10, "in_future"), (12, "invalid"),
    ]  # fmt: skip
    details = {one.line: one.detail for one in totals.refused}
    assert "must not be negative" in details[5]
    assert "must be a number" in details[6]
    assert balance(wallets["acme"]) == Decimal("999.97")


@pytest.mark.usefixtures("wallets")
def test_only_the_first_hundred_bad_records_are_kept_in_memory(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    path.write_text(HEADER + "bad\n" * 1000)
    written: list[Refused] = []
    totals = replay(plan_of(path), on_refused=written.append)
    assert totals.rejected == {"unreadable": 1000}
    assert len(totals.refused) == 100
    assert len(written) == 1000


@pytest.mark.usefixtures("wallets")
def test_the_same_id_twice_in_a_file_is_charged_once(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    day = (START + timedelta(days=1)).isoformat()
    path.write_text("key,when,customer,tokens\n" + f"a,{day},acme,5\na,{day},acme,5\nb,{day},acme,5\na,{day},globex,5\n" * 10)
    totals = replay(plan_of(path, "id=key", batch_size=3))
    assert (totals.events, totals.duplicates) == (3, 37)
    assert totals.charged["llm.input_tokens", "USD"].amount == Decimal("0.15")


@pytest.mark.usefixtures("wallets")
def test_records_without_a_price_are_taken_and_counted_as_unrated(tmp_path: Path) -> None:
    path = tmp_path / "usage.csv"
    day = (START + timedelta(days=1)).isoformat()
    path.write_text(f"when,customer,tokens,m\n{day},acme,5,gpt-9\n{day},acme,5,gpt-5\n")
    entries = [entry for entry in BASE if not entry.startswith("model=")] + ["model=m"]
    totals = replay(ReplayPlan(path=path, shape=find_shape(path), event_map=parse_map(entries)))
    assert (totals.events, totals.unrated) == (2, 1)
    assert totals.charged["llm.input_tokens", "USD"].charges == 1


@pytest.mark.usefixtures("wallets")
def test_accounts_are_announced_before_their_first_batch_and_once(file: Path) -> None:
    announced: list[set[str]] = []
    replay(plan_of(file), before_batch=announced.append)
    assert announced == [{"acme", "globex"}]


@pytest.mark.usefixtures("wallets")
def test_a_busy_wallet_is_waited_for_and_then_the_run_stops_to_go_on_later(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    busy = 3

    def ingest(*, events: list[UsageInput], at: datetime) -> IngestResult:
        nonlocal busy
        if busy:
            busy -= 1
            raise LockBusy("The wallet is busy.")
        return ingest_batch(events=events, at=at)

    monkeypatch.setattr(module, "ingest_batch", ingest)
    assert replay(plan_of(file)).events == 25
    busy = 1_000
    with pytest.raises(LockBusy):
        replay(plan_of(file))
    checkpoint = ReplayCheckpoint.objects.get()
    assert (checkpoint.row, checkpoint.finished_at) == (0, None)


def test_rows_spread_over_accounts_reach_them(wallets: dict[str, Wallet], tmp_path: Path) -> None:
    spread = Spread(4, "demo")
    for key in spread.accounts():
        wallet_of(key, credit="10", at=START)
    path = tmp_path / "usage.csv"
    path.write_text("when,tokens\n" + f"{(START + timedelta(days=1)).isoformat()},1\n" * 100)
    entries = [entry for entry in BASE if not entry.startswith("account=")]
    totals = replay(ReplayPlan(path=path, shape=find_shape(path), event_map=parse_map(entries, spread=spread)))
    assert totals.events == 100
    counts = [UsageEvent.objects.filter(account__key=key).count() for key in spread.accounts()]
    assert sum(counts) == 100
    assert min(counts) > 10
    assert balance(wallets["acme"]) == Decimal(1000)
