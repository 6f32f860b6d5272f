"""A commit wakes a worker without waiting for anything."""

from __future__ import annotations

import multiprocessing
import threading

from wallets.outbox.wake import Waker


class Sender:
    """Counts what it sends; can be told to hang or to fail."""

    def __init__(self, *, fails: bool = False) -> None:
        self.sent = 0
        self.go_on = threading.Event()
        self.go_on.set()
        self._fails = fails
        self._changed = threading.Condition()

    def __call__(self) -> None:
        with self._changed:
            self.sent += 1
            self._changed.notify_all()
        self.go_on.wait(30)
        if self._fails:
            raise ConnectionError("no broker")

    def reached(self, count: int) -> bool:
        with self._changed:
            return self._changed.wait_for(lambda: self.sent >= count, timeout=30)


def test_many_wakes_are_one_message_now_and_one_after_the_pause() -> None:
    send = Sender()
    send.go_on.clear()
    waker = Waker(send, every_seconds=0)
    waker.wake()
    assert send.reached(1)
    for _ in range(1_000):  # returns although the sender hangs
        waker.wake()
    send.go_on.set()
    assert send.reached(2)
    waker.wake()
    assert send.reached(3)
    assert send.sent == 3


def test_a_broker_that_is_away_ends_nothing() -> None:
    send = Sender(fails=True)
    waker = Waker(send, every_seconds=0)
    for count in (1, 2, 3):
        waker.wake()
        assert send.reached(count)


def test_a_forked_process_wakes_with_a_thread_of_its_own() -> None:
    context = multiprocessing.get_context("fork")
    sent = context.Event()
    waker = Waker(sent.set, every_seconds=0)
    waker.wake()
    assert sent.wait(30)
    sent.clear()

    def wake_and_see() -> None:
        waker.wake()
        assert sent.wait(30)

    child = context.Process(target=wake_and_see)
    child.start()
    child.join(60)
    assert child.exitcode == 0
    assert sent.is_set()
