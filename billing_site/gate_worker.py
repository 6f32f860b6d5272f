"""gunicorn's threaded worker with one addition: the gate's usual question, on a connection that is kept open, is answered
where it arrives, in the worker's event loop, without a thread, a parser and a response object in between (`gate_wire.py`).
A gateway asks before every call; this is worth half of what an answer costs."""

from __future__ import annotations

import socket
import time
from collections.abc import Callable
from typing import Any, Final

from gunicorn.workers.gthread import ThreadWorker

NOTIFY_SECONDS: Final = 1.0


class GateWorker(ThreadWorker):
    """The site's worker: `gunicorn billing_site.wsgi --worker-class billing_site.gate_worker.GateWorker`."""

    _notified_at = 0.0

    def load_wsgi(self) -> None:
        """Load the site, then what needs it."""
        super().load_wsgi()
        from billing_site.gate_wire import answer_at_once  # noqa: PLC0415 - Django is set up by then

        self._answer_at_once: Callable[[socket.socket], bool] = answer_at_once

    def notify(self) -> None:
        """Tell gunicorn that this worker is alive, once a second: its loop turns with every question."""
        if time.monotonic() - self._notified_at >= NOTIFY_SECONDS:
            self._notified_at = time.monotonic()
            super().notify()

    def on_client_socket_readable(self, conn: Any, client: socket.socket) -> None:
        """Answer here, or hand on to a thread."""
        plain = self.alive and not self.cfg.is_ssl and not self.cfg.accesslog
        if not (plain and conn.initialized and not conn.is_http2 and self._answer_at_once(client)):
            super().on_client_socket_readable(conn, client)
            return
        self.keepalived_conns.remove(conn)
        conn.set_timeout()
        self.keepalived_conns.append(conn)
