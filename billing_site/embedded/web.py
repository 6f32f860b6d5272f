"""How the site is served on one machine, by `manage.py run` and by benchmarks."""

from __future__ import annotations

import sys
from typing import Final

WEB_PROCESSES: Final = 2
# Requests that arrive while a batch is written wait in threads, and share the next one.
WEB_THREADS: Final = 32


def web_command(address: str, *, application: str = "billing_site.wsgi:application") -> list[str]:
    """The command that serves the site (or another WSGI application) at host:port."""
    return [
        *(sys.executable, "-m", "gunicorn", application, "--preload", "--no-control-socket"),
        *("--bind", address, "--worker-class", "billing_site.gate_worker.GateWorker", "--keep-alive", "75", "--timeout", "120"),
        *("--workers", str(WEB_PROCESSES), "--threads", str(WEB_THREADS), "--graceful-timeout", "8"),
        *("--log-level", "warning"),
    ]
