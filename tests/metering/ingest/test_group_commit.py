"""Requests that come at once are written together, and answered apart."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from random import Random
from typing import Any, Final

import pytest
from django.db import transaction

from metering.ingest import charging
from metering.ingest import group_commit as module
from metering.ingest.batch import IngestResult, ingest_requests
from metering.ingest.decode import UsageInput
from metering.ingest.group_commit import GroupCommit, IngestBusy
from metering.usage.models import UsageEvent
from tests.cast import Company, open_company
from tests.factories.journal import figures, journal
from tests.factories.usage import AT, CALL, TOKEN, event, open_prices
from tests.processes import eventually
from tests.threads import at_once
from wallets.balances import lock
from wallets.balances.lock import LockBusy, lock_wallet

THREADS: Final = 64
ONE: Final = CALL + TOKEN
money = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_hold")]
Requests = Sequence[Sequence[UsageInput]]


class Writing:
    """Stands before the writing of groups: notes how many requests each has, and can hold them."""

    def __init__(self) -> None:
        self.groups: list[int] = []
        self.go_on = threading.Event()
        self.write: Callable[..., list[IngestResult | Exception]] = ingest_requests

    def __call__(self, *, requests: Requests, **named: Any) -> list[IngestResult | Exception]:
        self.groups.append(len(requests))
        assert self.go_on.wait(60)
        return self.write(requests=requests, **named)

    def hold_until_all_are_there(self, group: GroupCommit, count: int) -> None:
        """Go on when `count` requests of one event are being written or wait to be."""
        assert eventually(lambda: group.waiting_events + sum(self.groups) == count, within_seconds=30)
        self.go_on.set()


@pytest.fixture
def writing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Writing]:
    """Held from the start."""
    door = Writing()
    monkeypatch.setattr(module, "ingest_requests", door)
    yield door
    door.go_on.set()


def ask(group: GroupCommit, *events: UsageInput) -> Callable[[], IngestResult]:
    return partial(group.ingest, events=events, at=AT, max_age=None)


def send_at_once(writing: Writing, group: GroupCommit, requests: Sequence[Callable[[], IngestResult]]) -> list[Any]:
    """All requests at once; nothing is written until all are there."""
    return at_once([partial(writing.hold_until_all_are_there, group, len(requests)), *requests])[1:]


def pretend(*, requests: Requests, **_: Any) -> list[IngestResult | Exception]:
    """As if everything had been written."""
    return [IngestResult(accepted=len(events)) for events in requests]


class TestOnTheDatabase:
    pytestmark = money

    @pytest.fixture(autouse=True)
    def _prices(self, transactional_db: None) -> None:
        open_prices()

    def test_many_requests_are_few_transactions_and_each_has_its_own_answer(self, acme: Company, writing: Writing) -> None:
        """64 threads, two of which send each id: one of the two is told that it is a duplicate."""
        group = GroupCommit(committers=2)
        answers = send_at_once(writing, group, [ask(group, event(f"e{number // 2}")) for number in range(THREADS)])
        assert sum(writing.groups) == THREADS
        assert len(writing.groups) <= 4
        for pair in zip(answers[::2], answers[1::2], strict=True):
            first, second = sorted(pair, key=lambda answer: answer.duplicates)
            assert (first.accepted, first.duplicates, second.accepted, second.duplicates) == (1, 0, 0, 1)
            assert [row.amount for row in first.charged] == [ONE]
            assert (second.charged, second.balances) == ([], [])
        assert figures(acme.wallet)[0] == -THREADS // 2 * ONE
        assert len(journal(acme.wallet)) <= 4

    def test_a_request_whose_wallet_is_locked_fails_alone(
        self, acme: Company, globex: Company, writing: Writing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """Somebody holds globex's wallet for longer than is waited; 4 of 24 requests are about it."""
        monkeypatch.setattr(lock, "LOCK_TIMEOUT_MS", 200)
        waits_in_vain: list[int] = []

        def lock_noting(wallet_ids: Collection[int], *, bucket: int) -> Any:
            try:
                return lock.lock_wallets(wallet_ids, bucket=bucket)
            except LockBusy:
                waits_in_vain.append(len(wallet_ids))
                raise

        monkeypatch.setattr(charging, "lock_wallets", lock_noting)
        group = GroupCommit(committers=1)
        keys = ["globex" if number % 6 == 5 else "acme" for number in range(24)]
        requests = [ask(group, event(f"e{number}", account=key)) for number, key in enumerate(keys)]
        with transaction.atomic():
            lock_wallet(globex.wallet.pk)
            answers = send_at_once(writing, group, requests)
        assert [isinstance(answer, LockBusy) for answer in answers] == [key == "globex" for key in keys]
        assert [(answer.accepted, answer.duplicates) for answer in answers if isinstance(answer, IngestResult)] == [(1, 0)] * 20
        assert (figures(acme.wallet)[0], figures(globex.wallet)[0]) == (-20 * ONE, 0)
        assert waits_in_vain[-1] == 1, "the wallet that is busy was found out"
        assert waits_in_vain.count(1) <= 2, "and not waited for again for each of its four requests"
        again = at_once([request for request, key in zip(requests, keys, strict=True) if key == "globex"])
        assert [answer.accepted for answer in again if isinstance(answer, IngestResult)] == [1] * 4
        assert figures(globex.wallet)[0] == -4 * ONE

    def test_what_one_bucket_has_written_is_not_told_as_a_duplicate_when_another_fails(
        self, settings: Any, writing: Writing, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        settings.HOT_BUCKETS = 8
        monkeypatch.setattr(lock, "LOCK_TIMEOUT_MS", 200)
        wallets = [open_company(f"customer-{number}").wallet for number in range(16)]
        locked = max(wallets, key=lambda wallet: wallet.bucket)
        group = GroupCommit(committers=1)
        with transaction.atomic():
            lock_wallet(locked.pk)
            requests = [ask(group, event("a", account=f"customer-{number}")) for number in range(16)]
            answers = send_at_once(writing, group, requests)
        for wallet, answer in zip(wallets, answers, strict=True):
            if wallet.pk == locked.pk:
                assert isinstance(answer, LockBusy)
            else:
                assert (answer.accepted, answer.duplicates, [row.amount for row in answer.charged]) == (1, 0, [ONE])

    def test_a_bad_event_is_refused_in_its_own_answer(self, acme: Company, writing: Writing) -> None:
        group = GroupCommit(committers=1)
        sent = [event("a"), event("b", -1), event("c", account="nobody\x00"), event("d")]
        answers = send_at_once(writing, group, [ask(group, one) for one in sent])
        assert [answer.accepted for answer in answers] == [1, 0, 0, 1]
        assert [[row.code for row in answer.rejected] for answer in answers] == [[], ["invalid"], ["unknown_account"], []]
        assert UsageEvent.objects.count() == 2


def test_when_too_much_waits_a_request_is_refused_and_nothing_of_it_is_taken(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of eight requests of one event three may wait beside the one that is being written."""
    monkeypatch.setattr(module, "MAX_WAITING_EVENTS", 3)
    writing.write = pretend
    group = GroupCommit(committers=1)
    refused = threading.Semaphore(0)

    def request(number: int) -> IngestResult:
        try:
            return group.ingest(events=[event(str(number))], at=AT, max_age=None)
        except IngestBusy:
            refused.release()
            raise

    def let_the_others_go_on() -> None:
        assert eventually(lambda: group.waiting_events == 3, within_seconds=30)
        while not refused.acquire(timeout=0.05):
            pass
        writing.go_on.set()

    answers = at_once([let_the_others_go_on, *(partial(request, number) for number in range(12))])[1:]
    busy = [answer for answer in answers if isinstance(answer, IngestBusy)]
    taken = [answer for answer in answers if isinstance(answer, IngestResult)]
    assert busy
    assert (len(busy) + len(taken), sum(writing.groups)) == (12, len(taken))
    assert group.waiting_events == 0


def test_a_request_larger_than_the_limit_is_taken_when_nothing_waits(writing: Writing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_WAITING_EVENTS", 3)
    writing.write = pretend
    writing.go_on.set()
    assert GroupCommit().ingest(events=[event(str(number)) for number in range(10)], at=AT, max_age=None).accepted == 10


def test_a_group_holds_as_many_events_as_a_batch_should_and_keeps_the_order(
    writing: Writing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_GROUP_EVENTS", 10)
    seen: list[list[str]] = []

    def write(*, requests: Requests, **named: Any) -> list[IngestResult | Exception]:
        seen.append([one.id for events in requests for one in events])
        return pretend(requests=requests, **named)

    writing.write = write
    group = GroupCommit(committers=1)
    send_at_once(writing, group, [ask(group, event(str(number))) for number in range(35)])
    assert sorted(one for batch in seen for one in batch) == sorted(str(number) for number in range(35))
    assert max(len(batch) for batch in seen) == 10
    assert len(seen) <= 5


def test_whoever_stops_in_the_middle_leaves_nobody_waiting_and_its_place_free(writing: Writing) -> None:
    """The committer's thread is ended (SystemExit); the others are told to send again, and the next request is written."""
    stops = [True]

    def write(*, requests: Requests, **named: Any) -> list[IngestResult | Exception]:
        if stops.pop():
            stops.append(False)
            raise SystemExit
        stops.append(False)
        return pretend(requests=requests, **named)

    writing.write = write
    group = GroupCommit(committers=1)

    def request(number: int) -> str:
        try:
            return f"{group.ingest(events=[event(str(number))], at=AT, max_age=None).accepted} taken"
        except SystemExit:
            return "ended"
        except IngestBusy:
            return "busy"

    answers = at_once(
        [partial(writing.hold_until_all_are_there, group, 8), *(partial(request, number) for number in range(8))]
    )[1:]
    assert answers.count("ended") == 1
    assert set(answers) <= {"ended", "busy", "1 taken"}
    assert request(9) == "1 taken"


@pytest.mark.parametrize("committers", [1, 2, 3])
def test_nobody_is_forgotten_in_many_rounds(committers: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """24 threads send 250 requests each of one to three events, in groups of at most eight; every twentieth group fails."""
    monkeypatch.setattr(module, "MAX_GROUP_EVENTS", 8)
    rounds = Random(committers)

    def write(*, requests: Requests, **named: Any) -> list[IngestResult | Exception]:
        if rounds.random() < 0.05:
            raise LockBusy("busy")
        return pretend(requests=requests, **named)

    monkeypatch.setattr(module, "ingest_requests", write)
    group = GroupCommit(committers=committers)
    sent = event("a")

    def thread(number: int) -> tuple[int, int]:
        taken = busy = 0
        for turn in range(250):
            size = 1 + (number + turn) % 3
            try:
                assert group.ingest(events=[sent] * size, at=AT, max_age=None).accepted == size
                taken += 1
            except LockBusy:
                busy += 1
        return taken, busy

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        answers = at_once([partial(thread, number) for number in range(24)])
    finally:
        sys.setswitchinterval(interval)
    assert not [answer for answer in answers if isinstance(answer, Exception)]
    assert [sum(answer) for answer in answers if not isinstance(answer, Exception)] == [250] * 24
    assert group.waiting_events == 0
