"""The site's web processes on the test's database, as they are served for real; they can be killed and come back."""

from __future__ import annotations

import http.client
import os
import socket
import subprocess
from contextlib import closing
from types import TracebackType
from typing import Self

from billing_site.embedded.web import web_command
from tests.child import _test_database_url as test_database_url
from tests.processes import PROJECT, eventually


def free_port() -> int:
    """A port nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Site:
    """The web processes at an address that stays. A context manager: they are gone at its end."""

    def __init__(self, **environment: str) -> None:
        self.port = free_port()
        self.address = f"127.0.0.1:{self.port}"
        self.url = f"http://{self.address}"
        self._environment = environment
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.kill()

    def start(self) -> None:
        """Serve, until `kill`."""
        environment = os.environ | {"DATABASE_URL": test_database_url(), "PORT": str(self.port)} | self._environment
        self._process = subprocess.Popen(web_command(self.address), cwd=PROJECT, env=environment, start_new_session=True)
        assert eventually(self.answers, within_seconds=60), "the web processes did not come up"

    def answers(self) -> bool:
        """Whether anybody answers."""
        with closing(http.client.HTTPConnection(self.address, timeout=5)) as link:
            try:
                link.request("GET", "/gate/check")
                link.getresponse().read()
            except (OSError, http.client.HTTPException):
                return False
            return True

    def kill(self) -> None:
        """kill -9 of all of them."""
        if self._process is not None:
            os.killpg(self._process.pid, 9)
            self._process.wait()
            self._process = None
