"""Group commit: requests that arrive while a batch is being written are written together in the next one, so that a hot
wallet costs one lock and one commit a batch, not an event.

There is no thread of its own: a request that finds a free place becomes the committer of everything that waits, writes
it with its own connection, wakes the others with their answers, and passes the place on. A lone request waits for nobody.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from metering.ingest.batch import IngestResult, ingest_requests
from metering.ingest.decode import UsageInput
from wallets.errors import Refusal

MAX_GROUP_EVENTS: Final = 5_000
MAX_WAITING_EVENTS: Final = 50_000
COMMITTERS: Final = 2  # one waits for PostgreSQL while the other rates


class IngestBusy(Refusal):
    """More events wait than this process will hold; nothing was taken, send them again in a moment."""

    code = "ingest_busy"


@dataclass(slots=True, eq=False)
class _Waiting:
    events: Sequence[UsageInput]
    at: datetime
    max_age: timedelta | None
    wake: threading.Event = field(default_factory=threading.Event)
    answer: IngestResult | Exception | None = None


class GroupCommit:
    """The queue of one process."""

    def __init__(self, *, committers: int = COMMITTERS) -> None:
        self._lock = threading.Lock()
        self._queue: deque[_Waiting] = deque()
        self._free = committers
        self._events = 0

    def ingest(self, *, events: Sequence[UsageInput], at: datetime, max_age: timedelta | None) -> IngestResult:
        """Take one request's events, together with whatever else waits; returns once they are committed (I4).

        Raises IngestBusy when too much waits already, and whatever `ingest_requests` raises for these events.
        """
        mine = _Waiting(events, at, max_age)
        with self._lock:
            if self._events and self._events + len(events) > MAX_WAITING_EVENTS:
                raise IngestBusy("Too many events are waiting; send these again in a moment.")
            self._queue.append(mine)
            self._events += len(events)
        while mine.answer is None:
            group = self._claim()
            if group:
                try:
                    _commit(group)
                finally:
                    self._release()
            else:
                mine.wake.wait()
                mine.wake.clear()
        if isinstance(mine.answer, Exception):
            raise mine.answer
        return mine.answer

    @property
    def waiting_events(self) -> int:
        """Events that wait for a committer."""
        return self._events

    def _claim(self) -> list[_Waiting]:
        """A place as committer and what to commit, oldest first; nothing when every place is taken or nothing waits."""
        with self._lock:
            if self._free == 0 or not self._queue:
                return []
            self._free -= 1
            group: list[_Waiting] = []
            size = 0
            while self._queue and (not group or size + len(self._queue[0].events) <= MAX_GROUP_EVENTS):
                group.append(self._queue.popleft())
                size += len(group[-1].events)
            self._events -= size
            self._wake_next()
            return group

    def _release(self) -> None:
        """Give the place back."""
        with self._lock:
            self._free += 1
            self._wake_next()

    def _wake_next(self) -> None:
        """Wake whoever waits longest, to take a place that is free; under the lock."""
        if self._free and self._queue:
            self._queue[0].wake.set()


def _commit(group: Sequence[_Waiting]) -> None:
    """Write a group and give each its answer, whatever happens: nobody must wait for ever."""
    answers: Sequence[IngestResult | Exception] = [IngestBusy("The events were not taken; send them again in a moment.")] * len(
        group
    )
    try:
        answers = ingest_requests(
            requests=[waiting.events for waiting in group],
            at=max(waiting.at for waiting in group),
            max_age=group[0].max_age,
        )
    except Exception as error:  # noqa: BLE001 - handed to the requests it belongs to
        answers = [error] * len(group)
    finally:
        for waiting, answer in zip(group, answers, strict=True):
            waiting.answer = answer
            waiting.wake.set()


group_commit = GroupCommit()
