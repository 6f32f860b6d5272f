"""Wake a worker from a commit without making the commit wait: the caller sets a flag, a thread of this process sends."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable
from typing import Final

log = logging.getLogger(__name__)

EVERY_SECONDS: Final = 0.1


class Waker:
    """Calls `send` soon after `wake`, at most once every `every_seconds` however often it is woken.

    A wake during that pause is sent at its end, so none is lost. `wake` never blocks and never raises; what `send` raises
    is logged (the periodic sweep comes anyway). The thread starts at the first wake, anew after a fork.
    """

    def __init__(self, send: Callable[[], object], *, every_seconds: float = EVERY_SECONDS) -> None:
        self._send = send
        self._every_seconds = every_seconds
        self._reset()
        os.register_at_fork(after_in_child=self._reset)

    def wake(self) -> None:
        """Have a worker look for news."""
        self._woken.set()
        if self._thread is None:
            self._start()

    def _reset(self) -> None:
        self._starting = threading.Lock()
        self._woken = threading.Event()
        self._pause = threading.Event()
        self._thread: threading.Thread | None = None

    def _start(self) -> None:
        with self._starting:
            if self._thread is not None:
                return
            thread = threading.Thread(target=self._run, name="outbox-wake", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:
                log.warning("nobody woken, the sweep finds the news: %s", error)
                return
            self._thread = thread

    def _run(self) -> None:
        while True:
            self._woken.wait()
            self._woken.clear()
            try:
                self._send()
            except Exception as error:  # noqa: BLE001 - a broker that is away must not end the thread
                log.warning("nobody woken, the sweep finds the news: %r", error)
            self._pause.wait(self._every_seconds)
