"""Use the embedded servers of a DATA_DIR: join them if they run, have them started if not."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from billing_site.embedded.data_dir import DataDir, short_path

JOIN_SECONDS: Final = 90.0
LEAVE_SECONDS: Final = 60.0
_POLL_SECONDS: Final = 0.02
_PROJECT: Final = Path(__file__).resolve().parents[2]


_in_use: list[Servers] = []


class NoServersError(Exception):
    """The embedded servers could not be started; the text says why."""


@dataclass
class Servers:
    """A use of the servers: they run at least until leave()."""

    database_url: str
    redis_url: str
    connection: socket.socket
    process_id: int

    def leave(self) -> None:
        """End this use. If it was the last, returns when the servers have stopped. A forked child's call does nothing."""
        if self.connection.fileno() < 0 or self.process_id != os.getpid():
            return
        with suppress(OSError):
            self.connection.shutdown(socket.SHUT_WR)
            self.connection.settimeout(LEAVE_SECONDS)
            while self.connection.recv(1):
                pass
        self.connection.close()


def join_servers(data_dir: DataDir, *, durable: bool = True) -> Servers:
    """The servers of this folder, running. Left at the latest when this process ends, however it ends.

    durable=False gives up surviving a power cut, for tests and measurements, if it is this call that starts them.
    Raises NoServersError.
    """
    deadline = time.monotonic() + JOIN_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        servers = _enter(data_dir)
        if servers is not None:
            atexit.register(servers.leave)
            _in_use.append(servers)
            return servers
        _start_keeper(data_dir, durable=durable)
        pause.wait(_POLL_SECONDS)  # the keeper before it may still be stopping
    raise NoServersError(f"no embedded servers in {data_dir.path} after {JOIN_SECONDS:.0f} s:\n{_last_lines(data_dir)}")


def servers_in_use() -> Servers | None:
    """The embedded servers this process joined first; None if it works on others."""
    return _in_use[0] if _in_use else None


@contextmanager
def temporary_servers(*, durable: bool = False) -> Iterator[Servers]:
    """Servers of one's own in a temporary folder, gone after the block."""
    folder = Path(tempfile.mkdtemp(prefix="billing-"))
    folder.chmod(0o711)  # PostgreSQL runs as another user under root
    try:
        servers = join_servers(DataDir.at(folder), durable=durable)
        try:
            yield servers
        finally:
            servers.leave()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _enter(data_dir: DataDir) -> Servers | None:
    """Go through the keeper's door; None if there is none or it is just closing."""
    connection = socket.socket(socket.AF_UNIX)
    connection.settimeout(JOIN_SECONDS)
    try:
        with short_path(data_dir.keeper_socket) as path:
            connection.connect(path)
        with connection.makefile("rb") as lines:
            line = lines.readline()
    except (FileNotFoundError, ConnectionError):
        line = b""
    except BaseException:
        connection.close()
        raise
    if not line:
        connection.close()
        return None
    told = json.loads(line)
    if "error" in told:
        connection.close()
        raise NoServersError(told["error"])
    return Servers(told["DATABASE_URL"], told["REDIS_URL"], connection, os.getpid())


def _start_keeper(data_dir: DataDir, *, durable: bool) -> None:
    """Returns when there is a keeper with an open door, or one that is still closing. It lives as long as anybody uses
    the servers, in a session of its own: Ctrl-C is not for it."""
    with data_dir.keeper_log.open("ab") as log:
        done = subprocess.run(  # noqa: S603 - our own module
            [
                sys.executable,
                "-m",
                "billing_site.embedded.keeper",
                str(data_dir.path),
                *([] if durable else ["throw-away"]),
            ],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=_PROJECT,
            check=False,
        )
    if done.returncode != 0:
        raise NoServersError(f"no embedded servers in {data_dir.path}:\n{_last_lines(data_dir)}")


def _last_lines(data_dir: DataDir) -> str:
    return "\n".join(data_dir.keeper_log.read_text(errors="replace").splitlines()[-20:])
