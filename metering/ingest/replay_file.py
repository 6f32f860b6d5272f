"""Replay a file of usage through ingest: streamed, in batches, idempotent, and going on where a broken run stopped.

Idempotent because an event's id is its own or made of the file's name and the record's number: replaying charges nothing
twice (I3). The checkpoint is written after each batch is committed, so after a crash at most one batch is sent again.
A record that cannot become an event is counted and named by its line, and the rest goes on.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from django.db import connection
from django.db.models import Max

from metering.ingest.batch import IngestResult, ingest_batch
from metering.ingest.decode import UsageInput
from metering.ingest.models import ReplayCheckpoint
from metering.ingest.replay_map import BadValue, EventMaker, EventMap
from metering.ingest.replay_rows import SAMPLE_BYTES, START, BadRow, Place, Record, Shape, file_size, open_records, read_records
from wallets.balances.lock import LockBusy
from wallets.errors import InvalidInput
from wallets.money import ZERO

BATCH: Final = 5_000
MOST_NAMED: Final = 100  # refused records kept for the summary; all of them go to `on_refused`
LOCK_ATTEMPTS: Final = 5  # each waits for the lock's own timeout
NO_SHIFT: Final = timedelta(0)
MICROSECOND: Final = timedelta(microseconds=1)


class NothingToShift(InvalidInput):
    """No record of the file has a readable time, so the times cannot be moved to end now."""

    code = "no_times"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayPlan:
    """What to replay and how. shift_to_now: move all times alike so that the last is now; otherwise they stay.

    restart: begin with the first record and a new shift even when a run was broken off.
    """

    path: Path
    shape: Shape
    event_map: EventMap
    shift_to_now: bool = False
    restart: bool = False
    batch_size: int = BATCH


@dataclass(frozen=True, slots=True)
class Refused:
    """A record that was not taken. `code`: unreadable (no record), or one of ingest's."""

    line: int
    id: str | None
    code: str
    detail: str


@dataclass(slots=True)
class MeterTotal:
    """What a run charged on one meter in one currency: exact."""

    charges: int = 0
    quantity: Decimal = ZERO
    amount: Decimal = ZERO


@dataclass(slots=True)
class ReplayTotals:
    """What became of the records of a run. events: new ones; of these `unrated` wait for a price.

    from_line: where the run began (1: at the beginning).  shift: how far the times were moved.
    """

    shift: timedelta = NO_SHIFT
    from_line: int = 1
    records: int = 0
    events: int = 0
    duplicates: int = 0
    unrated: int = 0
    rejected: Counter[str] = field(default_factory=Counter)
    refused: list[Refused] = field(default_factory=list)
    charged: dict[tuple[str, str], MeterTotal] = field(default_factory=dict)
    place: Place = START


@dataclass(frozen=True, slots=True)
class Watchers:
    """Who is told while a run goes on. before_batch: the account keys a run meets for the first time, so that they can be
    opened; on_progress: after each batch, and during the search for the last time (then `searching`); on_refused: each
    record that was not taken."""

    before_batch: Callable[[set[str]], None] = lambda _: None
    on_progress: Callable[[ReplayTotals, bool], None] = lambda _totals, _searching: None
    on_refused: Callable[[Refused], None] = lambda _: None


QUIET: Final = Watchers()


def replay_file(*, plan: ReplayPlan, now: Callable[[], datetime], watchers: Watchers = QUIET) -> ReplayTotals:
    """Send the file's records through ingest. now: the clock, asked once a batch; events of any age are taken.

    Raises BadMap, UnreadableFile, NothingToShift, LockBusy; what was done until then stays, and the next run goes on there.
    """
    maker = EventMaker(plan.event_map, plan.shape, file_name=stored_name(plan.path))
    checkpoint = _open_checkpoint(plan, maker, now, watchers)
    place = Place(checkpoint.offset, checkpoint.line, checkpoint.row)
    run = _Run(plan, maker, checkpoint, now, watchers)
    run.totals.from_line = place.line + 1 if place.offset else 1
    with open_records(plan.path) as stream:
        for record in read_records(stream, plan.shape, place):
            run.take(record)
    run.flush()
    checkpoint.finished_at = now()
    checkpoint.save(update_fields=["finished_at"])
    return run.totals


def stored_name(path: Path) -> str:
    """The name ids are made of: that of the file, whether it is compressed or not."""
    return path.name.removesuffix(".gz")


class _Run:
    """The records of a run between two batches."""

    def __init__(
        self, plan: ReplayPlan, maker: EventMaker, checkpoint: ReplayCheckpoint, now: Callable[[], datetime], watchers: Watchers
    ) -> None:
        self.totals = ReplayTotals(shift=checkpoint.shift)
        self._plan = plan
        self._maker = maker
        self._checkpoint = checkpoint
        self._now = now
        self._watchers = watchers
        self._events: list[UsageInput] = []
        self._lines: list[int] = []
        self._waiting = 0  # records read since the last batch, bad ones too
        self._met: set[str] = set()
        last = ReplayCheckpoint.objects.aggregate(last=Max("updated_at"))["last"]
        self._last_at: datetime = last or checkpoint.started_at

    def take(self, record: Record | BadRow) -> None:
        """Read one record; send a batch when it is full."""
        self.totals.records += 1
        self.totals.place = record.end
        self._waiting += 1
        if isinstance(record, BadRow):
            self._refuse(Refused(record.line, None, "unreadable", record.detail))
        else:
            try:
                self._events.append(self._maker.event(record, self.totals.shift))
                self._lines.append(record.line)
            except BadValue as error:
                self._refuse(Refused(record.line, None, "invalid", str(error)))
        if self._waiting >= self._plan.batch_size:
            self.flush()

    def flush(self) -> None:
        """Send what has gathered, then write the checkpoint."""
        # No two batches arrive at one instant, by which `_charged_by_meter` tells them apart, even if the clock stands.
        at = self._last_at = max(self._now(), self._last_at + MICROSECOND)
        if self._events:
            self._send(at)
        self._checkpoint.offset, self._checkpoint.line, self._checkpoint.row = self.totals.place
        self._checkpoint.updated_at = at
        self._checkpoint.save(update_fields=["offset", "line", "row", "updated_at"])
        self._events, self._lines, self._waiting = [], [], 0
        self._watchers.on_progress(self.totals, False)

    def _send(self, at: datetime) -> None:
        new = {event.account for event in self._events} - self._met
        if new:
            self._watchers.before_batch(new)
            self._met |= new
        result = _ingest(self._events, at)
        totals = self.totals
        totals.events += result.accepted
        totals.duplicates += result.duplicates
        totals.unrated += result.unrated
        for one in result.rejected:
            self._refuse(Refused(self._lines[one.index], one.id, one.code, one.detail))
        if result.charged:
            by_meter = _charged_by_meter(self._events, at)
            for meter, currency, charges, quantity, amount in by_meter:
                total = totals.charged.setdefault((meter, currency), MeterTotal())
                total.charges += int(charges)
                total.quantity += quantity
                total.amount += amount
            told = sum((one.amount for one in result.charged), ZERO)
            found = sum((amount for *_, amount in by_meter), ZERO)
            assert found == told, (found, told)

    def _refuse(self, refused: Refused) -> None:
        self.totals.rejected[refused.code] += 1
        if len(self.totals.refused) < MOST_NAMED:
            self.totals.refused.append(refused)
        self._watchers.on_refused(refused)


def _ingest(events: Sequence[UsageInput], at: datetime) -> IngestResult:
    """Ingest, again when a wallet was locked by others for too long. Raises LockBusy after LOCK_ATTEMPTS."""
    for attempt in range(1, LOCK_ATTEMPTS + 1):
        try:
            return ingest_batch(events=events, at=at)
        except LockBusy:
            if attempt == LOCK_ATTEMPTS:
                raise
    raise AssertionError("unreachable")


def _charged_by_meter(events: Sequence[UsageInput], at: datetime) -> list[tuple[str, str, int, Decimal, Decimal]]:
    """(meter, currency, charges, quantity, amount) of those of these events that arrived at `at`, which tells a batch's
    own events from its duplicates."""
    sent = {(event.account, event.id) for event in events}
    with connection.cursor() as cursor:
        cursor.execute(
            """
            WITH events AS MATERIALIZED (
                SELECT event.bucket, event.id, event.received_at
                FROM unnest(%s::text[], %s::text[]) AS sent(account, event_id)
                JOIN wallets_account AS account ON account.key = sent.account
                JOIN metering_usageevent AS event
                    ON event.bucket = account.bucket AND event.account_id = account.id AND event.event_id = sent.event_id
            ), sums AS (
                SELECT charge.meter_id, charge.wallet_id, count(*) AS charges, sum(charge.quantity) AS quantity,
                    sum(charge.amount) AS amount
                FROM events
                JOIN metering_charge AS charge ON charge.bucket = events.bucket AND charge.event_id = events.id
                WHERE events.received_at = %s AND charge.reverses IS NULL
                GROUP BY charge.meter_id, charge.wallet_id
            )
            SELECT meter.code, wallet.currency, sum(sums.charges), sum(sums.quantity), sum(sums.amount)
            FROM sums
            JOIN pricing_meter AS meter ON meter.id = sums.meter_id
            JOIN wallets_wallet AS wallet ON wallet.id = sums.wallet_id
            GROUP BY meter.code, wallet.currency
            """,
            [[account for account, _ in sent], [event_id for _, event_id in sent], at],
        )
        rows: list[tuple[str, str, int, Decimal, Decimal]] = cursor.fetchall()
    return rows


def _open_checkpoint(plan: ReplayPlan, maker: EventMaker, now: Callable[[], datetime], watchers: Watchers) -> ReplayCheckpoint:
    """The checkpoint to go on from: that of a run broken off, or one at the file's beginning with its shift decided."""
    key, at = _key(plan), now()
    known = ReplayCheckpoint.objects.filter(key=key).first()
    if known is not None and not plan.restart:
        if known.finished_at is not None:
            known.offset = known.line = known.row = 0
            known.finished_at, known.started_at, known.updated_at = None, at, at
            known.save()
        return known
    shift = NO_SHIFT
    if plan.shift_to_now:
        shift = at - _last_time(plan, maker, watchers)
    started = {"file_name": plan.path.name[-255:], "shift": shift, "started_at": at, "updated_at": at}
    place = {"offset": 0, "line": 0, "row": 0, "finished_at": None}
    return ReplayCheckpoint.objects.update_or_create(key=key, defaults=started | place)[0]


def _last_time(plan: ReplayPlan, maker: EventMaker, watchers: Watchers) -> datetime:
    """The latest time in the file, which need not be in order."""
    last: datetime | None = None
    seen = ReplayTotals()
    with open_records(plan.path) as stream:
        for record in read_records(stream, plan.shape):
            seen.records += 1
            seen.place = record.end
            if seen.records % plan.batch_size == 0:
                watchers.on_progress(seen, True)
            if isinstance(record, Record):
                try:
                    time = maker.time(record)
                except BadValue:
                    continue
                if last is None or time > last:
                    last = time
    if last is None:
        raise NothingToShift(f"No record of {plan.path.name} has a readable time.", fields={"map": "time=COLUMN"})
    return last


def _key(plan: ReplayPlan) -> str:
    """What a run must share with the one that was broken off, to go on from it."""
    with open_records(plan.path) as stream:
        sample = stream.read(SAMPLE_BYTES)
    parts = (stored_name(plan.path), file_size(plan.path), sample, plan.shape, plan.event_map, plan.shift_to_now)
    return hashlib.sha256(repr(parts).encode("utf-8", "backslashreplace")).hexdigest()
