"""docs/gateways/envoy.yaml and traefik.yaml, run: the gateways themselves before the real web processes and a service."""

from __future__ import annotations

import base64
import hashlib
import hmac
import http.client
import json
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any, Final

import pytest

from tests.cast import Company
from tests.gateways.upstream import top_up
from tests.processes import PROJECT, eventually
from tests.web import Site, free_port
from wallets import clock
from wallets.api_keys.issue import issue_api_key

BINARIES: Final = str(Path(sys.executable).parent)
SECRET: Final = b"the customers' sign-in service's secret"

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server"), pytest.mark.slow]


def base64_url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def token_of(account: str) -> str:
    """A customer's token, as their sign-in service gives it."""
    header, claims = {"alg": "HS256", "typ": "JWT"}, {"iss": "https://login.example", "sub": account}
    signed = ".".join(base64_url(json.dumps(part).encode()) for part in (header, claims))
    return f"{signed}.{base64_url(hmac.digest(SECRET, signed.encode(), hashlib.sha256))}"


def written(name: str, replaced: dict[str, str]) -> str:
    """A file of the documentation, with addresses of our own."""
    text = (PROJECT / "docs" / "gateways" / name).read_text()
    for there, here in replaced.items():
        assert there in text, there
        text = text.replace(there, here)
    return text


class Gateway:
    """A running gateway, and how a customer calls through it."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self.port, self.headers = port, headers

    def is_up(self) -> bool:
        """Whether it serves, and has read its routes."""
        try:
            return self.call()[0] != http.client.NOT_FOUND
        except OSError:
            return False

    def call(self, **headers: str) -> tuple[int, dict[str, str], bytes]:
        with closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)) as link:
            link.request("POST", "/v1/answer?account=globex", b"{}", self.headers | headers)
            answer = link.getresponse()
            return answer.status, {name.lower(): value for name, value in answer.headers.items()}, answer.read()


@contextmanager
def running(command: list[str], gateway: Gateway, log: Path) -> Iterator[Gateway]:
    with log.open("wb") as output, subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output) as process:
        try:
            assert eventually(gateway.is_up, within_seconds=30), log.read_text()
            yield gateway
        finally:
            process.terminate()


def installed(name: str) -> str:
    """The program, as it comes with the packages for development (on Linux)."""
    binary = shutil.which(name, path=BINARIES)
    if binary is None:
        pytest.skip(f"{name} is not installed")
    return binary


def envoy(folder: Path, *, billing: str, service: str, key: str) -> Any:
    """Envoy on the file of the documentation."""
    binary = installed("envoy")
    port = free_port()
    keys = {"keys": [{"kty": "oct", "alg": "HS256", "k": base64_url(SECRET)}]}
    (folder / "keys.json").write_text(json.dumps(keys))
    (billing_host, billing_port), (service_host, service_port) = billing.split(":"), service.split(":")
    text = written(
        "envoy.yaml",
        {
            "address: 0.0.0.0, port_value: 8080": f"address: 127.0.0.1, port_value: {port}",
            "/etc/envoy/customers.jwks.json": str(folder / "keys.json"),
            "key_REPLACE_ME": key,
            "address: service, port_value: 9000": f"address: {service_host}, port_value: {service_port}",
            "address: billing, port_value: 8000": f"address: {billing_host}, port_value: {billing_port}",
        },
    )
    (folder / "envoy.yaml").write_text(text)
    command = [binary, "-c", str(folder / "envoy.yaml"), "--disable-hot-restart", "--concurrency", "1", "-l", "error"]
    return running(command, Gateway(port, {"Authorization": f"Bearer {token_of('acme')}"}), folder / "log")


def traefik(folder: Path, *, billing: str, service: str, key: str) -> Any:
    """Traefik on the file of the documentation."""
    binary = installed("traefik")
    port = free_port()
    text = written("traefik.yaml", {"billing:8000": billing, "service:9000": service, "key_REPLACE_ME": key})
    (folder / "traefik.yaml").write_text(text)
    command = [
        binary, f"--entrypoints.web.address=127.0.0.1:{port}", f"--providers.file.filename={folder / 'traefik.yaml'}",
        "--global.checknewversion=false", "--global.sendanonymoususage=false", "--log.level=ERROR",
    ]  # fmt: skip
    return running(command, Gateway(port, {"Host": "acme.api.example"}), folder / "log")


@pytest.mark.parametrize(("gateway", "when_away"), [(envoy, 503), (traefik, 500)])
def test_exhausted_is_refused_and_after_a_top_up_the_next_call_passes(
    tmp_path: Path,
    site: Site,
    acme: Company,
    service: ThreadingHTTPServer,
    gateway: Callable[..., Any],
    when_away: int,
) -> None:
    key = issue_api_key(name="gateway", scopes=["gate:check"], at=clock.now()).secret
    calls: list[str | None] = service.calls  # type: ignore[attr-defined]
    behind = f"127.0.0.1:{service.server_address[1]}"
    with gateway(tmp_path, billing=site.address, service=behind, key=key) as customer:
        status, headers, body = customer.call(**{"X-Account": "globex"})
        assert (status, headers["content-type"]) == (402, "application/problem+json")
        assert (headers["x-billing-decision"], headers["x-billing-reason"]) == ("refuse", "balance_exhausted")
        assert json.loads(body)["top_up_url"] == "https://pay.example/acme"
        assert calls == [], "a refused call never reaches the service"
        top_up(site, acme, "5.00")
        status, _, body = customer.call(**{"X-Account": "globex"})
        assert (status, body) == (200, b'{"answer": 42}')
        assert calls == ["acme"], "the account is not what the customer says"
        site.kill()
        assert customer.call()[0] == when_away
        assert calls == ["acme"]
