"""The processes of the site, kept running together: when one ends it is started again, and when the site ends none is left.

Each has a session of its own, so that Ctrl-C reaches only us and we stop them in our way: SIGTERM to the process, SIGKILL
to what is left of its group. If we are killed ourselves, the kernel signals them (start_child).
"""

from __future__ import annotations

import os
import selectors
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from types import FrameType
from typing import Final, Self

from billing_site.embedded.child import start_child
from billing_site.embedded.claim import write_book
from billing_site.embedded.data_dir import DataDir

# Between SIGTERM and SIGKILL: requests and tasks in flight end well within it; what does not was never acknowledged.
GRACE_SECONDS: Final = 10.0
# A process that ends this soon after its start, this often in a row, will not get better by itself.
SHORT_LIFE_SECONDS: Final = 10.0
SHORT_LIVES: Final = 3
_LOOK_SECONDS: Final = 0.2
_ENDING: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class SiteEnded(Exception):
    """The site cannot go on; the text says why."""


@dataclass(frozen=True)
class Part:
    """A process of the site."""

    name: str
    command: Sequence[str | Path]
    env: Mapping[str, str] = field(default_factory=dict)


@dataclass
class _Running:
    part: Part
    process: subprocess.Popen[bytes]
    started_at: float
    short_lives: int = 0


class Site:
    """All processes. Used as a context: whatever happens inside, afterwards none is left."""

    def __init__(self, data_dir: DataDir, *, folder: Path, say: Callable[[str], None]) -> None:
        """folder: where the processes work; say: told what happens to them."""
        self._data_dir = data_dir
        self._folder = folder
        self._say = say
        self._running: list[_Running] = []
        self._asked_to_end = 0
        self._handlers: dict[signal.Signals, signal.Handlers | Callable[[int, FrameType | None], None] | int | None] = {}
        self._wake_reader, self._wake_writer = socket.socketpair()
        self._selector = selectors.DefaultSelector()

    def __enter__(self) -> Self:
        self._wake_reader.setblocking(False)
        self._wake_writer.setblocking(False)
        signal.set_wakeup_fd(self._wake_writer.fileno(), warn_on_full_buffer=False)
        self._handlers = {sign: signal.signal(sign, self._end) for sign in _ENDING}
        self._handlers[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda *_: None)  # wakes us, no more
        self._selector.register(self._wake_reader, selectors.EVENT_READ)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()
        signal.set_wakeup_fd(-1)
        for sign, handler in self._handlers.items():
            signal.signal(sign, handler)
        self._selector.close()
        self._wake_reader.close()
        self._wake_writer.close()

    def start(self, parts: Sequence[Part]) -> None:
        """Start these, and keep them running in wait()."""
        for part in parts:
            self._running.append(_Running(part, self._start(part), time.monotonic()))
            self._keep_book()

    def wait(self, *, until: Callable[[], bool] | None = None, servers: socket.socket | None = None) -> bool:
        """Keep everything running until `until` is true (then True), or until asked to end by a signal (then False).

        servers: the connection to the embedded servers, whose end is the end of the site. Raises SiteEnded.
        """
        if servers is not None:
            self._selector.register(servers, selectors.EVENT_READ)
        try:
            while not self._asked_to_end:
                for running in self._running:
                    self._look_after(running)
                if until is not None and until():
                    return True
                ready = {key.fileobj for key, _ in self._selector.select(_LOOK_SECONDS if until else None)}
                if servers in ready:
                    raise SiteEnded(f"the embedded servers have ended; see {self._data_dir.path / 'logs'}")
                with suppress(BlockingIOError):
                    self._wake_reader.recv(4096)
        finally:
            if servers is not None:
                self._selector.unregister(servers)
        return False

    def _start(self, part: Part) -> subprocess.Popen[bytes]:
        with self._data_dir.log(part.name).open("ab") as log:
            return start_child(
                part.command,
                dies_with_parent_by=signal.SIGTERM,
                cwd=self._folder,
                env=os.environ | dict(part.env),
                output=log,
            )

    def _look_after(self, running: _Running) -> None:
        if not _has_ended(running.process):
            return
        code = _reap(running.process)
        lived = time.monotonic() - running.started_at
        running.short_lives = running.short_lives + 1 if lived < SHORT_LIFE_SECONDS else 0
        if running.short_lives >= SHORT_LIVES:
            log = self._data_dir.log(running.part.name)
            last = "\n".join(log.read_text(errors="replace").splitlines()[-20:])
            raise SiteEnded(
                f"{running.part.name} ended {SHORT_LIVES} times right after its start ({code}); {log} ends with\n{last}"
            )
        self._say(f"{running.part.name} ended ({code}) and is started again; see {self._data_dir.log(running.part.name)}")
        running.process = self._start(running.part)
        running.started_at = time.monotonic()
        self._keep_book()

    def _end(self, *_: object) -> None:
        """A signal asked us to end; asked twice, at once."""
        self._asked_to_end += 1

    def _stop(self) -> None:
        """SIGTERM to all together, SIGKILL to what is left after GRACE_SECONDS or a second Ctrl-C."""
        left = [running.process for running in self._running if running.process.returncode is None]
        for process in left:
            if not _has_ended(process):
                process.terminate()
        deadline = time.monotonic() + GRACE_SECONDS
        asked_before = self._asked_to_end
        while left and time.monotonic() < deadline and self._asked_to_end <= max(asked_before, 1):
            for process in [one for one in left if _has_ended(one)]:
                _reap(process)
                left.remove(process)
            if left:
                self._selector.select(_LOOK_SECONDS)
                with suppress(BlockingIOError):
                    self._wake_reader.recv(4096)
        for process in left:
            _reap(process)
        self._running.clear()
        self._keep_book()

    def _keep_book(self) -> None:
        """Note who runs, so that the next run finds what this one could not stop."""
        write_book(self._data_dir, [running.process.pid for running in self._running])


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Whether it has ended; it stays a zombie, so that its number, which is its group's, cannot become another's."""
    return os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def _reap(process: subprocess.Popen[bytes]) -> int:
    """Kill what is left of its group, itself included; its exit code."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)
    return process.wait()
