"""docs/gateways/nginx.conf, run: Debian's nginx before the real web processes and a service."""

from __future__ import annotations

import http.client
import json
import subprocess
from collections.abc import Iterator
from contextlib import closing
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import psutil
import pytest

from billing_site.benchmarks.nginx import OWN_PATHS, nginx_binary
from tests.cast import Company
from tests.gateways.upstream import top_up
from tests.processes import PROJECT, eventually
from tests.web import Site, free_port
from wallets import clock
from wallets.api_keys.issue import issue_api_key
from wallets.balances.policy import set_policy

NGINX: Final = nginx_binary()
CUSTOMER: Final = {"Authorization": "Bearer sk-acme-1"}

pytestmark = [
    pytest.mark.django_db(transaction=True),
    pytest.mark.usefixtures("redis_server"),
    pytest.mark.skipif(NGINX is None, reason="nginx is not installed"),
]


class Nginx:
    """nginx on the file of the documentation, with a folder and addresses of its own."""

    def __init__(self, folder: Path, *, billing: str, service: str, gate_key: str) -> None:
        self.port = free_port()
        text = (PROJECT / "docs" / "gateways" / "nginx.conf").read_text()
        for written, here in (
            ("127.0.0.1:8000", billing), ("127.0.0.1:9000", service), ("127.0.0.1:8080", f"127.0.0.1:{self.port}"),
        ):  # fmt: skip
            assert text.count(written) == 1
            text = text.replace(written, here)
        folder.mkdir()
        (folder / "nginx.conf").write_text(text.replace("http {\n", OWN_PATHS.format(folder=folder), 1))
        (folder / "gate_key.conf").write_text(f'map "" $gate_key {{ default "{gate_key}"; }}\n')
        (folder / "customers.map").write_text('"Bearer sk-acme-1" acme;\n"Bearer sk-nobody" nobody;\n')
        own = f"daemon off; pid {folder}/pid; error_log {folder}/error.log notice; worker_processes 1;"
        self.log = folder / "error.log"
        command = [str(NGINX), "-p", str(folder), "-c", str(folder / "nginx.conf"), "-g", own]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        assert eventually(self.workers, within_seconds=10), self.process.stderr

    def workers(self) -> list[int]:
        """The processes that serve; a reload would make new ones."""
        return [child.pid for child in psutil.Process(self.process.pid).children()]

    def call(self, **headers: str) -> tuple[int, dict[str, str], Any]:
        """A customer's call of the service."""
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as link:
            link.request("POST", "/v1/answer?account=globex", b'{"question": 6}', headers)
            answer = link.getresponse()
            body = answer.read()
        return answer.status, {name.lower(): value for name, value in answer.headers.items()}, body

    def stop(self) -> None:
        self.process.terminate()
        self.process.communicate()


@pytest.fixture
def nginx(tmp_path: Path, site: Site, service: ThreadingHTTPServer) -> Iterator[Nginx]:
    key = issue_api_key(name="nginx", scopes=["gate:check"], at=clock.now()).secret
    started = Nginx(tmp_path / "nginx", billing=site.address, service=f"127.0.0.1:{service.server_address[1]}", gate_key=key)
    yield started
    started.stop()


def test_exhausted_is_refused_and_after_a_top_up_the_next_call_passes_without_a_reload(
    nginx: Nginx, site: Site, acme: Company, service: Any
) -> None:
    before = nginx.workers()
    status, headers, body = nginx.call(**CUSTOMER, X_Account="globex", **{"X-Account": "globex"})
    assert (status, headers["content-type"]) == (402, "application/problem+json")
    assert (headers["x-billing-decision"], headers["x-billing-reason"]) == ("refuse", "balance_exhausted")
    problem = json.loads(body)
    assert (problem["status"], problem["reason"], problem["available"]) == (402, "balance_exhausted", "0.00")
    assert problem["top_up_url"] == "https://pay.example/acme"
    assert service.calls == [], "a refused call never reaches the service"
    top_up(site, acme, "5.00")
    status, headers, body = nginx.call(**CUSTOMER)
    assert (status, json.loads(body)) == (200, {"answer": 42})
    assert headers["x-balance-available"] == "5.00"
    assert service.calls == ["acme"]
    assert nginx.workers() == before
    assert "auth request unexpected status" not in nginx.log.read_text()


def test_throttled_unknown_and_nobody_to_ask(nginx: Nginx, site: Site, acme: Company, service: Any) -> None:
    set_policy(wallet_id=acme.wallet.pk, on_empty="throttle", throttle_per_minute=1, at=clock.now())
    assert nginx.call(**CUSTOMER)[0] == 200
    status, headers, body = nginx.call(**CUSTOMER)
    assert (status, json.loads(body)["reason"]) == (429, "rate_limited")
    assert 0 < int(headers["retry-after"]) <= 60
    assert nginx.call()[0] == 401
    assert nginx.call(Authorization="Bearer sk-nobody")[1]["x-billing-reason"] == "unknown_account"
    assert service.calls == ["acme"]
    site.kill()
    status, headers, body = nginx.call(**CUSTOMER)
    assert (status, json.loads(body)["code"], headers["retry-after"]) == (503, "gate_unreachable", "1")
