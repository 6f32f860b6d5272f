"""One site a DATA_DIR and port: claimed before anything is started, with what a killed run left behind cleared away."""

from __future__ import annotations

import signal
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

import psutil

from billing_site.embedded.child import end_processes
from billing_site.embedded.data_dir import DataDir, port_is_free, try_lock

_BOOK: Final = "run.json"
_HIGHEST_PORT: Final = 65_535
# The kernel told them to end when their parent died; they finish what they had in hand.
LEFT_OVER_SECONDS: Final = 15.0
# A process's start is told relative to the clock, which may have been set meanwhile.
_SAME_START_SECONDS: Final = 2.0


class CannotRun(Exception):
    """This site cannot be run now; the text says why and what to do."""


def claim_site(data_dir: DataDir, *, host: str, port: int | str) -> IO[str]:
    """Claim folder and port for this process; the claim ends when the returned file is closed or the process ends.

    port: as it was given, which may be nonsense. Raises CannotRun.
    """
    number = int(port) if str(port).isdecimal() else 0
    if not 0 < number <= _HIGHEST_PORT:
        raise CannotRun(f"PORT is {port!r}; a number from 1 to {_HIGHEST_PORT} is needed: make run PORT=8123")
    claim = try_lock(data_dir.run_lock)
    if claim is None:
        raise CannotRun(
            f"A site already runs on {data_dir.path}. Stop it, or run beside it: make run PORT=8123 DATA_DIR=/some/folder"
        )
    _end_left_overs(data_dir)
    try:
        free = port_is_free(host, number)
    except OSError as error:
        claim.close()
        raise CannotRun(f"Cannot listen on {host}, port {number}: {error.strerror}") from error
    if not free:
        claim.close()
        raise CannotRun(f"Port {number} is taken{_by_whom(number)}. Choose another: make run PORT={number + 1}")
    return claim


def write_book(data_dir: DataDir, pids: Sequence[int]) -> None:
    """Note the processes of the site with the time each was started, since numbers are given again."""
    started = {}
    for pid in pids:
        with suppress(psutil.NoSuchProcess):
            started[str(pid)] = psutil.Process(pid).create_time()
    data_dir.write_json(_BOOK, started)


def _end_left_overs(data_dir: DataDir) -> None:
    """End the processes of a run that was killed, and their children; nothing that merely has their number."""
    left: list[psutil.Process] = []
    for pid, started in data_dir.read_json(_BOOK).items():
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(int(pid))
            if abs(process.create_time() - started) < _SAME_START_SECONDS:
                left += [process, *process.children(recursive=True)]
    end_processes(left, first=left, by=signal.SIGTERM, within_seconds=LEFT_OVER_SECONDS)
    data_dir.write_json(_BOOK, {})


def _by_whom(port: int) -> str:
    """Who listens there, if we may know it."""
    with suppress(psutil.AccessDenied):
        for connection in psutil.net_connections(kind="tcp"):
            if (
                connection.status == psutil.CONN_LISTEN
                and connection.laddr
                and connection.laddr.port == port
                and connection.pid
            ):
                with suppress(psutil.NoSuchProcess, psutil.AccessDenied):
                    program = Path(psutil.Process(connection.pid).name()).name
                    return f" by {program} (process {connection.pid})"
    return ""
