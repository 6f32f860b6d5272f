"""DATA_DIR: the one folder an installation on this machine lives in. Its secrets, its ports, the locks that say who owns it.

    keeper.lock    held by the keeper of the servers for its life: one PostgreSQL and one Valkey a folder
    run.lock       held by `manage.py run` for its life: one site a folder
    keeper.sock    where the keeper hands out the addresses; an open connection is a user of the servers
    secrets.json   passwords and keys made here (0600)
    ports.json     the ports used last time, taken again while they are free
    postgres/ valkey/ logs/ beat/

Locks are `flock`: the kernel lets go of them when a process dies, however it dies, so none is ever stale.
"""

from __future__ import annotations

import errno
import fcntl
import json
import os
import secrets
import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

# Only the owner reads what is in the folder; others may pass through it, since PostgreSQL runs as another user under root.
_FOLDER_MODE: Final = 0o711
_SECRET_MODE: Final = 0o600
_SECRET_BYTES: Final = 32


@dataclass(frozen=True)
class DataDir:
    """The folder and the places in it."""

    path: Path

    @classmethod
    def at(cls, path: str | Path) -> DataDir:
        """The folder at `path`, made if it is missing."""
        folder = Path(path).expanduser().resolve()
        if not folder.exists():
            folder.mkdir(parents=True)
            folder.chmod(_FOLDER_MODE)
        return cls(folder)

    @property
    def postgres(self) -> Path:
        return self.path / "postgres"

    @property
    def valkey(self) -> Path:
        return self.path / "valkey"

    @property
    def keeper_lock(self) -> Path:
        return self.path / "keeper.lock"

    @property
    def run_lock(self) -> Path:
        return self.path / "run.lock"

    @property
    def keeper_socket(self) -> Path:
        return self.path / "keeper.sock"

    @property
    def keeper_log(self) -> Path:
        return self.log("keeper")

    def log(self, name: str) -> Path:
        """Where the process of this name writes; the folder is made."""
        logs = self.path / "logs"
        logs.mkdir(exist_ok=True)
        return logs / f"{name}.log"

    def secret(self, name: str) -> str:
        """The secret of this name: made on first use, then always the same. Safe for several processes at once."""
        with locked(self.path / "secrets.lock"):
            known = self.read_json("secrets.json")
            if name not in known:
                known[name] = secrets.token_urlsafe(_SECRET_BYTES)
                self.write_json("secrets.json", known, durable=True)
            return str(known[name])

    def port(self, name: str) -> int:
        """A free port on 127.0.0.1, the one of last time if nobody took it."""
        known = self.read_json("ports.json")
        port = known.get(name)
        if not isinstance(port, int) or not port_is_free("127.0.0.1", port):
            port = free_port()
            self.write_json("ports.json", known | {name: port})
        return port

    def read_json(self, name: str) -> dict[str, Any]:
        """What write_json kept; empty when there is nothing readable."""
        try:
            found = json.loads((self.path / name).read_text())
        except (FileNotFoundError, ValueError):
            return {}
        return found if isinstance(found, dict) else {}

    def write_json(self, name: str, content: dict[str, Any], *, durable: bool = False) -> None:
        """Keep `content` in a file only its owner reads; whole or not at all. durable: it survives a power cut."""
        partial = self.path / f"{name}.{os.getpid()}.partial"
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, _SECRET_MODE), "w") as file:
            json.dump(content, file, indent=1)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        partial.replace(self.path / name)


@contextmanager
def short_path(path: Path) -> Iterator[str]:
    """Another name for `path`, valid inside the block, that fits into a socket address (108 bytes) wherever it is."""
    if sys.platform != "linux":
        yield str(path)
        return
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


def try_lock(path: Path) -> IO[str] | None:
    """The lock, held until the file is closed or the process ends; None if another process has it."""
    file = path.open("a")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Wait for the lock and hold it inside the block; for short work only."""
    with path.open("a") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def free_port() -> int:
    """A port on 127.0.0.1 that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_is_free(host: str, port: int) -> bool:
    """Whether one could listen there now (ports of connections just closed count as free). Raises OSError if one may not
    listen there at all, or there is no such address here."""
    family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            if error.errno != errno.EADDRINUSE:
                raise
            return False
    return True
