"""News reaches its readers: at least once, in order per subject and reader, each reader on its own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest
from django.db import connection, connections, transaction

from wallets.outbox import deliver
from wallets.outbox.deliver import Delivered, Piece, Reader, back_off, deliver_news, purge_news
from wallets.outbox.models import Delivery, News
from wallets.outbox.topics import AccountsChanged, BalancesChanged, LotExpired, ThresholdCrossed
from wallets.outbox.write import add_news

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)


class Notebook:
    """A reader's memory: the subject and lot of what it read, in order."""

    def __init__(self) -> None:
        self.read: list[tuple[str, str]] = []
        self.refuse: set[str] = set()

    def __call__(self, piece: Piece, *, at: datetime) -> None:
        if piece.news.lot in self.refuse:
            raise ValueError(f"{piece.news.lot} is not for me")
        self.read.append((piece.subject, piece.news.lot))

    def of(self, subject: str) -> list[str]:
        return [lot for of_subject, lot in self.read if of_subject == subject]


def tell(*pieces: tuple[str, str]) -> None:
    with transaction.atomic():
        add_news([(subject, LotExpired(1, lot, "5", "USD")) for subject, lot in pieces], at=AT)


def readers(**notebooks: Callable[..., None]) -> dict[Any, Sequence[Reader]]:
    return {LotExpired: tuple(Reader(name, read) for name, read in notebooks.items())}


@pytest.mark.django_db(transaction=True)
def test_each_reader_has_every_piece_once_and_in_order_per_subject() -> None:
    alerts, books = Notebook(), Notebook()
    tell(("wallet:1", "a"), ("wallet:2", "x"), ("wallet:1", "b"), ("wallet:2", "y"), ("wallet:1", "c"))
    assert deliver_news(readers=readers(alerts=alerts, books=books), at=AT) == Delivered(handed_out=5, delivered=10)
    assert deliver_news(readers=readers(alerts=alerts, books=books), at=AT) == Delivered()
    for notebook in (alerts, books):
        assert (notebook.of("wallet:1"), notebook.of("wallet:2")) == (["a", "b", "c"], ["x", "y"])
    assert Delivery.objects.filter(delivered_at=AT, attempts=1).count() == 10


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_fails_holds_up_only_its_own_subject() -> None:
    alerts, books = Notebook(), Notebook()
    alerts.refuse = {"a"}
    tell(("wallet:1", "a"), ("wallet:1", "b"), ("wallet:2", "x"))
    done = deliver_news(readers=readers(alerts=alerts, books=books), at=AT)
    assert (done.delivered, done.failed) == (4, 1)
    assert alerts.read == [("wallet:2", "x")]
    assert books.of("wallet:1") == ["a", "b"]

    tell(("wallet:1", "c"))
    deliver_news(readers=readers(alerts=alerts, books=books), at=AT)
    assert alerts.of("wallet:1") == []
    assert Delivery.objects.get(reader="alerts", attempts=1, delivered_at=None).last_error == "ValueError('a is not for me')"

    alerts.refuse = set()
    deliver_news(readers=readers(alerts=alerts, books=books), at=AT + back_off(1))
    assert alerts.of("wallet:1") == ["a", "b", "c"]


@pytest.mark.django_db(transaction=True)
def test_subjects_that_wait_do_not_use_up_the_limit() -> None:
    alerts = Notebook()
    alerts.refuse = {"a"}
    tell(*[(f"wallet:{number}", lot) for number in range(20) for lot in ("a", "b")])
    assert deliver_news(readers=readers(alerts=alerts), at=AT, limit=100).failed == 20
    tell(("wallet:99", "x"))
    deliver_news(readers=readers(alerts=alerts), at=AT, limit=1)
    assert alerts.read == [("wallet:99", "x")]


@pytest.mark.django_db(transaction=True)
def test_what_a_failing_reader_wrote_is_undone() -> None:
    def half_way(piece: Piece, *, at: datetime) -> None:
        add_news([("", AccountsChanged([1]))], at=at)
        raise RuntimeError(piece.subject)

    tell(("wallet:1", "a"))
    deliver_news(readers=readers(half_way=half_way), at=AT)
    assert list(News.objects.values_list("topic", flat=True)) == ["lot_expired"]


def test_back_off_doubles_up_to_a_quarter_of_an_hour() -> None:
    assert [back_off(n).total_seconds() for n in (1, 2, 3, 10, 11, 5_000)] == [1, 2, 4, 512, 900, 900]


@pytest.mark.django_db(transaction=True)
def test_a_full_call_says_so() -> None:
    alerts = Notebook()
    tell(*[("", str(number)) for number in range(5)])
    assert deliver_news(readers=readers(alerts=alerts), at=AT, limit=2).full
    assert not deliver_news(readers=readers(alerts=alerts), at=AT, limit=10).full
    assert len(alerts.read) == 5


@pytest.mark.django_db(transaction=True)
def test_a_reader_of_togetherness_is_called_once_for_all_and_alone_for_what_failed() -> None:
    calls: list[list[int]] = []

    def look_again(pieces: Sequence[Piece], *, at: datetime) -> None:
        calls.append([wallet_id for piece in pieces for wallet_id in piece.news.wallet_ids])
        if at == AT:
            raise ConnectionError("away")

    gate: dict[Any, Sequence[Reader]] = {BalancesChanged: (Reader("gate", look_again, together=True),)}
    with transaction.atomic():
        add_news([("", BalancesChanged([n])) for n in (1, 2, 3)], at=AT)
    assert deliver_news(readers=gate, at=AT).failed == 3
    assert deliver_news(readers=gate, at=AT + timedelta(seconds=1)).delivered == 3
    assert calls == [[1, 2, 3], [1], [2], [3]]


@pytest.mark.django_db(transaction=True)
def test_a_name_may_read_two_topics_each_with_its_own_function_in_one_order() -> None:
    read: list[str] = []
    both: dict[Any, Sequence[Reader]] = {
        LotExpired: (Reader("alerts", lambda piece, at: read.append(f"expired {piece.news.lot}")),),
        ThresholdCrossed: (Reader("alerts", lambda piece, at: read.append(f"below {piece.news.percent}")),),
    }
    with transaction.atomic():
        crossed = [ThresholdCrossed(1, n, percent, "1", "10", "USD") for n, percent in ((1, 50), (2, 20))]
        add_news([("wallet:1", crossed[0]), ("wallet:1", LotExpired(1, "a", "1", "USD")), ("wallet:1", crossed[1])], at=AT)
    deliver_news(readers=both, at=AT)
    assert read == ["below 50", "expired a", "below 20"]


@pytest.mark.django_db(transaction=True)
def test_a_reader_that_gave_up_a_topic_keeps_what_was_meant_for_it_visible() -> None:
    alerts = Notebook()
    alerts.refuse = {"a"}
    tell(("wallet:1", "a"))
    deliver_news(readers=readers(alerts=alerts), at=AT)
    deliver_news(readers={ThresholdCrossed: (Reader("alerts", alerts),)}, at=AT + back_off(1))
    assert "no longer reads lot_expired" in Delivery.objects.get().last_error


@pytest.mark.django_db(transaction=True)
def test_a_worker_killed_between_reading_and_marking_is_followed_by_another_delivery() -> None:
    tell(("wallet:1", "a"), ("wallet:1", "b"))
    context = multiprocessing.get_context("fork")
    seen = context.Queue()

    def read_and_die(piece: Piece, *, at: datetime) -> None:
        seen.put(piece.news.lot)
        seen.close()
        seen.join_thread()
        os.kill(os.getpid(), signal.SIGKILL)

    connections.close_all()  # a child must not share the parent's connection
    worker = context.Process(target=partial(deliver_news, readers=readers(alerts=read_and_die), at=AT))
    worker.start()
    worker.join(30)
    assert worker.exitcode == -signal.SIGKILL
    assert seen.get(timeout=10) == "a"
    assert not Delivery.objects.filter(delivered_at__isnull=False).exists()

    alerts = Notebook()
    deliver_news(readers=readers(alerts=alerts), at=AT)
    assert alerts.of("wallet:1") == ["a", "b"]


def _read_twice_at_once() -> int:
    """How often one piece is read when a second worker looks for news while the first is still reading."""
    reads: list[str] = []
    reading, looked = threading.Event(), threading.Event()

    def slow(piece: Piece, *, at: datetime) -> None:
        reads.append(piece.news.lot)
        if len(reads) == 1:
            reading.set()
            assert looked.wait(30)

    def work() -> None:
        deliver_news(readers=readers(alerts=slow), at=AT)
        connection.close()

    tell(("wallet:1", "a"))
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(work)
        assert reading.wait(30)
        pool.submit(work).result(30)
        looked.set()
        first.result(30)
    return len(reads)


@pytest.mark.django_db(transaction=True)
def test_two_workers_at_once_read_a_piece_once() -> None:
    assert _read_twice_at_once() == 1


@pytest.mark.django_db(transaction=True)
def test_control_without_the_claim_two_workers_read_a_piece_twice(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(deliver, "_LOCK", "")
    assert _read_twice_at_once() == 2


@pytest.mark.django_db(transaction=True)
def test_many_workers_keep_the_order_and_read_nothing_twice() -> None:
    alerts = Notebook()

    def work() -> None:
        while deliver_news(readers=readers(alerts=alerts), at=AT, limit=20).delivered:
            pass
        connection.close()

    with ThreadPoolExecutor(6) as pool:
        workers = []
        for number in range(12):
            tell(*[(f"wallet:{wallet}", f"{number:02}") for wallet in range(10)])
            workers.append(pool.submit(work))
        for worker in workers:
            worker.result(60)
    deliver_news(readers=readers(alerts=alerts), at=AT)
    for wallet in range(10):
        assert alerts.of(f"wallet:{wallet}") == [f"{number:02}" for number in range(12)]


@pytest.mark.django_db(transaction=True)
def test_old_news_is_purged_once_every_reader_has_it() -> None:
    alerts = Notebook()
    alerts.refuse = {"b"}
    tell(("wallet:1", "a"), ("wallet:2", "b"))
    with transaction.atomic():
        add_news([("", AccountsChanged([1]))], at=AT)  # read by nobody
    deliver_news(readers=readers(alerts=alerts), at=AT)
    assert purge_news(before=AT) == 0
    assert purge_news(before=AT + timedelta(seconds=1), topics=[AccountsChanged]) == 1
    assert purge_news(before=AT + timedelta(seconds=1)) == 1
    assert News.objects.get().subject == "wallet:2"
    assert Delivery.objects.count() == 1
