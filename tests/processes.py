"""Real processes in tests: which ones belong to a folder, and waiting for what they do."""

from __future__ import annotations

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import psutil

PROJECT: Final = Path(__file__).resolve().parent.parent
# What conftest sets for this process and a process of its own must find for itself.
_OURS: Final = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "OUTBOX_WAKES_WORKER", "EMAIL_URL", "PORT")


def eventually(condition: Callable[[], bool], *, within_seconds: float) -> bool:
    """Whether it becomes true in time."""
    deadline = time.monotonic() + within_seconds
    pause = threading.Event()
    while not condition():
        if time.monotonic() > deadline:
            return False
        pause.wait(0.05)
    return True


def environment(**changes: str) -> dict[str, str]:
    """This process's environment without what belongs to its own servers."""
    return {name: value for name, value in os.environ.items() if name not in _OURS} | changes


def processes_of(folder: Path) -> list[psutil.Process]:
    """Every process, this one left out, that works in the folder or was told of it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error, OSError):
            told = [*process.cmdline(), process.cwd(), *process.environ().values()]
            if (
                process.pid != os.getpid()
                and process.status() != psutil.STATUS_ZOMBIE
                and any(str(folder) in one for one in told)
            ):
                found.append(process)
    return found


@contextmanager
def background(*command: str | Path, output: Path, **changes: str) -> Iterator[subprocess.Popen[bytes]]:
    """A process that runs beside the test, killed at its end."""
    with output.open("ab") as log:
        process = subprocess.Popen(
            [str(part) for part in command],
            cwd=PROJECT,
            env=environment(**changes),
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def manage(*arguments: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a command to its end."""
    return subprocess.run(
        [sys.executable, PROJECT / "manage.py", *arguments],
        cwd=PROJECT,
        env=environment(**changes),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
