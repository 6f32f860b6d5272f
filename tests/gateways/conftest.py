"""A customer, the site that knows its balance, and the service behind the gateway."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import ThreadingHTTPServer
from typing import Any

import pytest


@pytest.fixture
def acme() -> Any:
    from tests.cast import open_company  # noqa: PLC0415 - knows models

    return open_company("acme")


@pytest.fixture
def site(acme: Any) -> Iterator[Any]:
    from tests.web import Site  # noqa: PLC0415 - knows settings

    with Site(TOP_UP_URL="https://pay.example/{account}") as site:
        yield site


@pytest.fixture
def service() -> Iterator[ThreadingHTTPServer]:
    from tests.gateways.upstream import Service  # noqa: PLC0415 - knows models

    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        server.calls = []  # type: ignore[attr-defined]
        server.daemon_threads = False  # nginx closes its connections before
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield server
        server.shutdown()
        thread.join()
