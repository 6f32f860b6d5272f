"""Where a wallet is attacked: the site served on this test's database, and a Valkey that is treated badly meanwhile."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from django.db import connection

from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.valkey import Valkey, start_valkey, stop_valkey


@contextmanager
def beside(step: Callable[[], None]) -> Iterator[None]:
    """Take `step` again and again while the block runs."""
    over = threading.Event()
    failures: list[BaseException] = []

    def keep_on() -> None:
        try:
            while not over.wait(0.1):
                step()
        except BaseException as error:  # noqa: BLE001 - told to the test
            failures.append(error)

    thread = threading.Thread(target=keep_on)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert failures == []


class OwnValkey:
    """A Valkey of the test's own, to be treated badly."""

    def __init__(self, folder: Path) -> None:
        self._data_dir = DataDir.at(folder)
        self._server: Valkey = start_valkey(self._data_dir)
        self.url = self._server.url
        self.killed = self.flushed = 0

    def flush(self) -> None:
        """Lose everything."""
        with redis.Redis.from_url(self.url) as client:
            client.flushall()
        self.flushed += 1

    def kill(self) -> None:
        """kill -9, and start again at the same address."""
        self._server.process.kill()
        self._server.process.wait()
        self._server = start_valkey(self._data_dir)
        self.killed += 1

    def stop(self) -> None:
        """End it."""
        stop_valkey(self._server)


@pytest.fixture
def valkey(tmp_path: Path) -> Iterator[OwnValkey]:
    server = OwnValkey(tmp_path / "valkey")
    yield server
    server.stop()


@pytest.fixture
def served_here(valkey: OwnValkey, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is served works on this test's database and the Valkey that is treated badly."""
    url = urlsplit(os.environ["DATABASE_URL"])._replace(path=f"/{connection.settings_dict['NAME']}").geturl()
    for name, text in {"DATABASE_URL": url, "REDIS_URL": valkey.url, "LOG_LEVEL": "CRITICAL"}.items():
        monkeypatch.setenv(name, text)
