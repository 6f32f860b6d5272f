"""Requests that come at once are written together, and answered apart."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any

import pytest

from metering.ingest import group_commit as module
from metering.ingest.batch import IngestResult, ingest_requests
from metering.ingest.decode import UsageInput
from metering.ingest.group_commit import GroupCommit
from tests.cast import Company
from tests.factories.journal import figures, journal
from tests.factories.usage import AT, CALL, TOKEN, event, open_prices
from tests.processes import eventually
from tests.threads import at_once

THREADS = 64
ONE = CALL + TOKEN
needs_the_database = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_hold")]
Requests = Sequence[Sequence[UsageInput]]


class Held:
    """Stands in for the writing of groups: notes what comes, and holds every group until it is let go."""

    def __init__(self, write: Callable[..., Any] = ingest_requests) -> None:
        self.groups: list[int] = []
        self.let_go = threading.Event()
        self._write = write

    def __call__(self, *, requests: Requests, **named: Any) -> Any:
        self.groups.append(len(requests))
        assert self.let_go.wait(60)
        return self._write(requests=requests, **named)


def written(*, requests: Requests, **_: Any) -> list[IngestResult | Exception]:
    """As if all had been written."""
    return [IngestResult(accepted=len(events)) for events in requests]


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    writing = Held()
    monkeypatch.setattr(module, "ingest_requests", writing)
    yield writing
    writing.let_go.set()


def ask(group: GroupCommit, *events: UsageInput) -> Callable[[], IngestResult]:
    return partial(group.ingest, events=events, at=AT, max_age=None)


def at_once_behind(held: Held, group: GroupCommit, *requests: Callable[[], IngestResult], places: int) -> list[Any]:
    """All requests at once; those that find a place hold it until all the others wait."""

    def let_go_when_all_wait() -> None:
        assert eventually(lambda: group.waiting_events == len(requests) - places, within_seconds=30)
        held.let_go.set()

    return at_once([let_go_when_all_wait, *requests])[1:]


@pytest.mark.parametrize("mark", [None], ids=["64 threads"])
@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("books_hold")
def test_many_requests_are_few_transactions_and_each_has_its_own_answer(acme: Company, held: Held, mark: None) -> None:
    """Two find a place, 62 wait and are written together; one of each pair that sends one id is told of a duplicate."""
    open_prices()
    group = GroupCommit(committers=2)
    requests = [ask(group, event(f"e{number // 2}")) for number in range(THREADS)]
    answers = at_once_behind(held, group, *requests, places=2)
    assert len(held.groups) <= 4
    assert sum(held.groups) == THREADS
    for one, other in zip(answers[::2], answers[1::2], strict=True):
        assert sorted([(one.accepted, one.duplicates), (other.accepted, other.duplicates)]) == [(0, 1), (1, 0)]
        (first,) = [answer for answer in (one, other) if answer.accepted]
        assert [row.amount for row in first.charged] == [ONE]
    assert figures(acme.wallet)[0] == -THREADS // 2 * ONE
    assert len(journal(acme.wallet)) <= 4
