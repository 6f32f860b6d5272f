"""Usage on this machine's disk until the API has taken it: append-only files in one folder, which the processes of a service
share.

Every event is a line, written before `append` returns, so that `kill -9` of the process loses none of those. A process holds a
lock on the file it writes; the files of a process that is gone are free, and whoever sends next takes them over. A line that
was cut off by a crash was never acknowledged to anybody: it is counted, logged and left out. How far a file has been sent
stands beside it, in `NAME.sent`; if that is lost, its events are sent again, with the same ids, and charge nothing.

    fsync   `second`, the default: a power failure loses at most the last second. `always`: nothing, and each call waits for
            the disk. `never`: what the system had not written yet.
    size    a file is begun anew at `file_bytes`, and removed once it is sent.
    full    from `max_bytes` on `is_full` is true, and the gate lets no further call begin; calls under way are still written.
"""

from __future__ import annotations

import fcntl
import logging
import os
import threading
import time
import uuid
import weakref
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

log = logging.getLogger(__name__)

Fsync = Literal["second", "always", "never"]

USAGE: Final = ".usage"
SENT: Final = ".sent"
FILE_BYTES: Final = 8 * 1024 * 1024
MAX_BYTES: Final = 1024 * 1024 * 1024
# A file that has been sent so far is begun anew from this size on.
WORTH_REMOVING: Final = 256 * 1024
SYNC_SECONDS: Final = 1.0
LOOK_SECONDS: Final = 1.0


class SpoolBroken(Exception):
    """The disk did not take the event; it stands in the log."""


@dataclass(frozen=True, slots=True)
class Unsent:
    """Lines of a file that have not been sent yet: where they lie, and where they end."""

    path: Path
    lines: list[bytes]
    end: int


@dataclass(slots=True)
class _Own:
    """The file this process writes."""

    path: Path
    fd: int
    size: int = 0
    dirty: bool = False


class Spool:
    """The folder, seen by one process; thread-safe, survives a fork."""

    def __init__(
        self, folder: str | Path, *, fsync: Fsync = "second", file_bytes: int = FILE_BYTES, max_bytes: int = MAX_BYTES
    ) -> None:
        """Raises OSError when the folder cannot be made or written to."""
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        self.torn = 0
        self._fsync, self._file_bytes, self._max_bytes = fsync, file_bytes, max_bytes
        self._own: _Own | None = None
        self._taken: dict[Path, int] = {}
        self._lock = threading.Lock()
        self._waiting, self._looked_at, self._synced_at = 0, 0.0, 0.0
        self._look()
        spool = weakref.ref(self)
        os.register_at_fork(after_in_child=lambda: _forget(spool()))

    # --- writing -------------------------------------------------------------------------------------------------------

    def append(self, line: bytes) -> None:
        """Write one event, JSON in one line. Raises SpoolBroken when the disk does not take it."""
        data = line + b"\n"
        with self._lock:
            try:
                own = self._file_for(len(data))
                written = os.write(own.fd, data)
                if written == len(data) and self._fsync == "always":
                    os.fsync(own.fd)
            except OSError as error:
                raise self._broken(str(error), line) from error
            if written < len(data):
                os.ftruncate(own.fd, own.size)
                raise self._broken(f"the disk took {written} of {len(data)} bytes", line)
            own.size += written
            own.dirty = True
            self._waiting += written

    def _broken(self, why: str, line: bytes) -> SpoolBroken:
        log.critical("usage could not be written to %s (%s): %s", self.folder, why, line.decode(errors="replace"))
        return SpoolBroken(why)

    def sync(self) -> None:
        """Have what was written on the disk, if it is time to."""
        own = self._own
        if self._fsync != "second" or own is None or not own.dirty or time.monotonic() - self._synced_at < SYNC_SECONDS:
            return
        with self._lock:
            if self._own is not own:
                return
            own.dirty, self._synced_at = False, time.monotonic()
            fd = os.dup(own.fd)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    @property
    def is_full(self) -> bool:
        """Whether no further call should begin."""
        return self._waiting >= self._max_bytes

    @property
    def waiting_bytes(self) -> int:
        """What lies in the folder, sent parts of files included; a second old at most."""
        return self._waiting

    # --- sending -------------------------------------------------------------------------------------------------------

    def unsent(self, *, lines: int, size: int) -> Unsent | None:
        """The next lines to send, at most so many and about so many bytes; None when there are none.

        One caller at a time; `sent` says that they went through.
        """
        if time.monotonic() - self._looked_at > LOOK_SECONDS:
            self._look()
        for path in self._files():
            with suppress(FileNotFoundError):  # another process has sent it meanwhile
                found = self._of_file(path, lines, size)
                if found is not None:
                    return found
        return None

    def sent(self, part: Unsent) -> None:
        """Remember that these lines went through; a file of which all is sent, and that nobody writes, is removed."""
        with self._lock:
            own = self._own if self._own is not None and self._own.path == part.path else None
            if own is None:
                done = not part.path.exists() or part.end >= part.path.stat().st_size
            else:
                done = part.end >= own.size >= WORTH_REMOVING
                self._own = None if done else own
            if done:
                self._remove(part.path, own.fd if own else self._taken.pop(part.path, None))
                return
        _write_mark(part.path, part.end)

    def close(self) -> None:
        """Write out and let go of the folder; what is unsent stays for the next process."""
        with self._lock:
            own, self._own = self._own, None
            if own is not None:
                if own.dirty and self._fsync != "never":
                    os.fsync(own.fd)
                if _mark(own.path) >= own.size:
                    self._remove(own.path, own.fd)
                else:
                    os.close(own.fd)
            for fd in self._taken.values():
                os.close(fd)
            self._taken.clear()

    # --- files ---------------------------------------------------------------------------------------------------------

    def _file_for(self, size: int) -> _Own:
        own = self._own
        if own is not None and own.size + size > self._file_bytes and own.size:
            if own.dirty and self._fsync == "second":
                os.fsync(own.fd)
            os.close(own.fd)
            own = None
        if own is None:
            path = self.folder / f"{time.time_ns()}-{os.getpid()}-{uuid.uuid4().hex[:8]}{USAGE}"
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(fd, fcntl.LOCK_EX)
            own = self._own = _Own(path, fd)
        return own

    def _files(self) -> Iterator[Path]:
        """The files this process may send, oldest first: its own, and those nobody holds."""
        for path in sorted(self.folder.glob(f"*{USAGE}")):
            if (self._own is not None and path == self._own.path) or path in self._taken or self._take(path):
                yield path

    def _take(self, path: Path) -> bool:
        with self._lock:
            if self._own is not None and path == self._own.path:
                return True
            try:
                fd = os.open(path, os.O_RDWR)
            except FileNotFoundError:
                return False
            try:
                fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                os.close(fd)
                return False
            if not os.fstat(fd).st_nlink:  # removed by whoever held it
                os.close(fd)
                return False
            self._taken[path] = fd
            return True

    def _of_file(self, path: Path, lines: int, size: int) -> Unsent | None:
        own = self._own
        ours = own is not None and path == own.path
        end = own.size if own is not None and ours else path.stat().st_size
        start = min(_mark(path), end)
        with path.open("rb") as file:
            file.seek(start)
            data = file.read(min(end - start, size))
            if data and b"\n" not in data:
                data += file.readline()
        whole = data.rfind(b"\n") + 1
        found = data[:whole].splitlines()[:lines]
        if found:
            return Unsent(path, found, start + sum(len(line) + 1 for line in found))
        if not ours:
            if end > start:
                self.torn += 1
                log.error("%s ends in the middle of a line, of an event nobody acknowledged: %r", path, data[:200])
            with self._lock:
                self._remove(path, self._taken.pop(path, None))
        return None

    def _remove(self, path: Path, fd: int | None) -> None:
        """Remove a file and its mark, then let go of it."""
        for gone in (path, path.with_suffix(SENT)):
            with suppress(FileNotFoundError):
                gone.unlink()
        if fd is not None:
            os.close(fd)

    def _look(self) -> None:
        """Count what lies in the folder."""
        total = 0
        for path in self.folder.iterdir():
            with suppress(FileNotFoundError):
                total += path.stat().st_size
        self._waiting, self._looked_at = total, time.monotonic()


def _mark(path: Path) -> int:
    """How far a file has been sent."""
    try:
        return int(path.with_suffix(SENT).read_text())
    except (FileNotFoundError, ValueError):
        return 0


def _write_mark(path: Path, end: int) -> None:
    path.with_suffix(SENT).write_text(f"{end:020d}\n")


def _forget(spool: Spool | None) -> None:
    """In a process forked from another: its files are the parent's; it begins its own."""
    if spool is None:
        return
    spool._lock = threading.Lock()  # noqa: SLF001 - it may have been held by a thread that is not here
    for fd in [*spool._taken.values(), *([spool._own.fd] if spool._own else [])]:  # noqa: SLF001 - as above
        os.close(fd)
    spool._own, spool._taken = None, {}  # noqa: SLF001 - as above
