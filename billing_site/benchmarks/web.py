"""Web processes for a benchmark, as `manage.py run` starts them."""

from __future__ import annotations

import http.client
import os
import signal
import socket
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from billing_site.embedded.web import web_command

START_SECONDS = 30


@contextmanager
def web_processes(*, application: str = "billing_site.wsgi:application") -> Iterator[str]:
    """Serve this database; gives host:port, and stops them after the block."""
    port = free_port()
    address = f"127.0.0.1:{port}"
    process = subprocess.Popen(  # noqa: S603
        web_command(address, application=application),
        env=os.environ | {"PORT": str(port), "OUTBOX_WAKES_WORKER": "off"},
    )
    try:
        _wait_until_served(address, process)
        yield address
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_until_served(address: str, process: subprocess.Popen[bytes]) -> None:
    pause = threading.Event()
    for _ in range(START_SECONDS * 20):
        if process.poll() is not None:
            raise RuntimeError(f"the web processes ended with {process.returncode}")
        link = http.client.HTTPConnection(address, timeout=5)
        try:
            link.request("GET", "/healthz")
            link.getresponse().read()
        except OSError:
            pause.wait(0.05)
        else:
            return
        finally:
            link.close()
    raise RuntimeError("the web processes did not come up")


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
