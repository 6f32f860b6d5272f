"""Sends the spool to the API from a thread of its own, in batches; waits longer from failure to failure while it is away.

Every process of a service runs one; what belongs to nobody any more, one of them takes. An event the API refuses for good (an
unknown account or type, too old) cannot be charged: it goes to `refused.events` in the same folder, with the reason, and is
counted and logged. Renamed to `again.usage`, that file is sent again.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import weakref
from collections.abc import Sequence
from typing import Final

from metering.gate.client.api import Api, ApiAway, NeverTaken, Refused
from metering.gate.client.spool import Spool

log = logging.getLogger(__name__)

BATCH_EVENTS: Final = 1_000
BATCH_BYTES: Final = 2 * 1024 * 1024
# Events that come this soon after the first go in one batch with it.
GATHER_SECONDS: Final = 0.05
IDLE_SECONDS: Final = 1.0
FIRST_WAIT_SECONDS: Final = 0.1
LONGEST_WAIT_SECONDS: Final = 5.0
REFUSED_FILE: Final = "refused.events"


class Sender:
    """The thread. It starts with the first `wake` of a process, so also after a fork."""

    def __init__(self, spool: Spool, api: Api) -> None:
        self._spool, self._api = spool, api
        self.sent_events = self.refused_events = self.failures = 0
        self._wait = 0.0
        self._thread: threading.Thread | None = None
        self._starting = threading.Lock()
        self._something, self._end = threading.Event(), threading.Event()
        self._ending = False
        sender = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _begin_anew(sender()))

    def wake(self) -> None:
        """There is something to send."""
        if self._thread is None:
            with self._starting:
                if self._thread is None:
                    self._thread = threading.Thread(target=self._run, name="prepaid-usage", daemon=True)
                    self._thread.start()
                    threading.Thread(target=self._keep_on_disk, name="prepaid-usage-disk", daemon=True).start()
        self._something.set()

    def close(self, *, within_seconds: float) -> None:
        """Send what can be sent in this time, then end the thread; the rest stays in the folder."""
        self._ending = True
        self._something.set()
        thread = self._thread
        if thread is not None:
            thread.join(within_seconds)
        self._end.set()
        if thread is not None:
            thread.join()

    def send_all(self) -> bool:
        """Send until nothing is left. False when the API did not take it."""
        while (part := self._spool.unsent(lines=BATCH_EVENTS, size=BATCH_BYTES)) is not None:
            try:
                self._send(part.lines)
            except ApiAway as away:
                self.failures += 1
                self._wait = min(max(self._wait * 2, FIRST_WAIT_SECONDS), LONGEST_WAIT_SECONDS)
                self._wait = min(max(self._wait, away.retry_after_seconds or 0), 2 * LONGEST_WAIT_SECONDS)
                log.warning("usage waits, the API %s (failure %d, %d bytes)", away, self.failures, self._spool.waiting_bytes)
                return False
            self._spool.sent(part)
            self._wait = 0.0
            if self._end.is_set():
                return False
        return True

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                all_sent = self.send_all()
            except Exception:  # the thread must not end
                log.exception("usage could not be sent; it stays in %s", self._spool.folder)
                all_sent, self._wait = False, LONGEST_WAIT_SECONDS
            if self._ending:
                return
            if all_sent:
                self._something.wait(IDLE_SECONDS)  # then looks for what another process left
                self._something.clear()
                if not self._ending:
                    self._end.wait(GATHER_SECONDS)
            else:
                self._end.wait(self._wait)

    def _keep_on_disk(self) -> None:
        end = self._end
        while not end.wait(0.25):
            try:
                self._spool.sync()
            except OSError:
                log.exception("usage in %s could not be written to the disk for certain", self._spool.folder)

    def _send(self, lines: Sequence[bytes]) -> None:
        """Send these events; those that nobody will ever take are set aside. Raises ApiAway."""
        try:
            refused = self._api.send(lines)
        except NeverTaken as never:
            if len(lines) > 1:  # one of them is to blame
                half = len(lines) // 2
                self._send(lines[:half])
                self._send(lines[half:])
                return
            refused = [Refused(0, "not_taken", str(never))]
        if refused:
            self._set_aside(lines, refused)
        self.sent_events += len(lines) - len(refused)

    def _set_aside(self, lines: Sequence[bytes], refused: Sequence[Refused]) -> None:
        with (self._spool.folder / REFUSED_FILE).open("ab") as file:
            for one in refused:
                try:
                    event = json.loads(lines[one.index])
                except ValueError:
                    event = {"line": lines[one.index].decode(errors="replace")}
                event["refused"] = {"code": one.code, "detail": one.detail}
                file.write(json.dumps(event).encode() + b"\n")
        self.refused_events += len(refused)
        codes = sorted({one.code for one in refused})
        log.error("%d events were refused (%s) and set aside in %s", len(refused), ", ".join(codes), REFUSED_FILE)


def _begin_anew(sender: Sender | None) -> None:
    """In a process forked from another: its thread is not here, and its connections are the parent's."""
    if sender is None:
        return
    sender._thread, sender._ending = None, False  # noqa: SLF001 - of this module
    sender._starting = threading.Lock()  # noqa: SLF001 - as above
    sender._something, sender._end = threading.Event(), threading.Event()  # noqa: SLF001 - as above
    sender._api.forget()  # noqa: SLF001 - as above
