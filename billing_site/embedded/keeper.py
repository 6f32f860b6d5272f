"""The keeper: one process a DATA_DIR that starts PostgreSQL and Valkey, hands out their addresses, and stops them when
the last user has gone.

A user is an open connection to keeper.sock, which the kernel closes however the user ends. So the servers neither die
under a command that joined them nor outlive everybody. When the keeper itself is killed, the kernel stops its servers;
what even that missed, the next keeper finds and ends before it starts its own.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from typing import Final

from billing_site.embedded.data_dir import DataDir, short_path, try_lock
from billing_site.embedded.postgres import Postgres, start_postgres, stop_postgres
from billing_site.embedded.valkey import Valkey, start_valkey, stop_valkey

# Whoever started us connects at once; if nobody does, there is nothing to keep.
FIRST_USER_SECONDS: Final = 30.0
# How often the keeper looks whether its servers still run.
LOOK_SECONDS: Final = 1.0
_BACKLOG: Final = 128


def keep(data_dir: DataDir, *, durable: bool) -> None:
    """Open the door, then go on in the background until the last user has gone. Returns at once, in the caller's process,
    also when another keeper has this folder."""
    lock = try_lock(data_dir.keeper_lock)
    if lock is None:
        return
    data_dir.keeper_socket.unlink(missing_ok=True)
    with lock, socket.socket(socket.AF_UNIX) as door:
        with short_path(data_dir.keeper_socket) as path:
            door.bind(path)
        data_dir.keeper_socket.chmod(0o600)
        door.listen(_BACKLOG)
        if os.fork() == 0:  # the lock and the door go on with the child
            os.setsid()
            signal.signal(signal.SIGTERM, lambda *_: sys.exit("told to end"))
            _keep(data_dir, door, durable=durable)


def _keep(data_dir: DataDir, door: socket.socket, *, durable: bool) -> None:
    users = _Users(door)
    postgres: Postgres | None = None
    valkey: Valkey | None = None
    try:
        postgres = start_postgres(data_dir, durable=durable)
        valkey = start_valkey(data_dir)
        users.serve({"DATABASE_URL": postgres.url, "REDIS_URL": valkey.url}, postgres, valkey)
    except Exception as error:
        users.refuse(str(error))
        raise
    finally:
        # New users find no door and start the next keeper, which needs our lock first.
        data_dir.keeper_socket.unlink(missing_ok=True)
        if valkey is not None:
            stop_valkey(valkey)
        if postgres is not None:
            stop_postgres(postgres)


class _Users:
    """The open connections. They stay referenced, so that the last ones close with the process, after the servers."""

    def __init__(self, door: socket.socket) -> None:
        self._door = door
        self._greeted = False
        self._here: set[socket.socket] = set()
        self._leaving: set[socket.socket] = set()
        self._selector = selectors.DefaultSelector()
        self._selector.register(door, selectors.EVENT_READ)

    def serve(self, addresses: dict[str, str], *servers: Postgres | Valkey) -> None:
        """Greet whoever comes, until all have gone. Raises RuntimeError when a server has ended by itself."""
        line = json.dumps(addresses).encode() + b"\n"
        while self._here or not self._greeted:
            ready = self._selector.select(timeout=LOOK_SECONDS if self._greeted else FIRST_USER_SECONDS)
            if not ready and not self._greeted:
                return
            for key, _ in ready:
                if key.fileobj is self._door:
                    self._greet(line)
                else:
                    self._part(key.data)
            if self._here:  # the servers go on, so nobody who left needs to wait for their end
                for connection in self._leaving:
                    connection.close()
                self._leaving.clear()
            for server in servers:
                if server.process.poll() is not None:
                    raise RuntimeError(f"{type(server).__name__} ended by itself ({server.process.returncode})")

    def refuse(self, reason: str) -> None:
        """Tell whoever waits at the door why there are no servers; at least whoever had us started, who is on the way."""
        self._door.settimeout(0 if self._greeted else FIRST_USER_SECONDS)
        with suppress(OSError):
            while True:
                self._greet(json.dumps({"error": reason}).encode() + b"\n")
                self._door.settimeout(0)

    def _greet(self, line: bytes) -> None:
        connection, _ = self._door.accept()
        self._greeted = True
        with suppress(OSError):
            connection.sendall(line)
        self._here.add(connection)
        self._selector.register(connection, selectors.EVENT_READ, data=connection)

    def _part(self, connection: socket.socket) -> None:
        self._selector.unregister(connection)
        self._here.discard(connection)
        self._leaving.add(connection)


if __name__ == "__main__":
    keep(DataDir.at(sys.argv[1]), durable=sys.argv[2:] != ["throw-away"])
