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
    answered: bool = False
    result: IngestResult | None = None
    error: BaseException | None = None


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
        while not mine.answered:
            group = self._claim()
            if group:
                try:
                    _commit(group)
                finally:
                    self._release()
            else:
                mine.wake.wait()
                mine.wake.clear()
        if mine.error is not None:
            raise mine.error
        assert mine.result is not None
        return mine.result

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
            return group

    def _release(self) -> None:
        """Give the place back and wake whoever waits longest, to take it."""
        with self._lock:
            self._free += 1
            if self._queue:
                self._queue[0].wake.set()


def _commit(group: Sequence[_Waiting]) -> None:
    """Write a group; when it fails as a whole, each request by itself, so that none suffers for another."""
    try:
        results = ingest_requests(
            requests=[waiting.events for waiting in group],
            at=max(waiting.at for waiting in group),
            max_age=group[0].max_age,
        )
    except Exception as error:  # noqa: BLE001 - handed to the request it belongs to
        if len(group) > 1:
            for waiting in group:
                _commit([waiting])
            return
        group[0].error = error
    else:
        for waiting, result in zip(group, results, strict=True):
            waiting.result = result
    for waiting in group:
        waiting.answered = True
        waiting.wake.set()


group_commit = GroupCommit()
