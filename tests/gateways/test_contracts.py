"""What docs/gateways/envoy.yaml and traefik.yaml make those ask, asked of the endpoint in every way. They themselves are run
in `test_envoy_and_traefik.py`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from tests.factories.balances import AT, wallet_of
from tests.metering.api.test_gate_wsgi import at_the_door
from tests.processes import PROJECT
from wallets import clock
from wallets.api_keys.issue import issue_api_key

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]
PLACEHOLDER = "key_REPLACE_ME"


@pytest.fixture(autouse=True)
def _now() -> Iterator[None]:
    with clock.set_to(AT):
        yield


@pytest.fixture
def gate_key() -> str:
    wallet_of("rich", credit="5")
    wallet_of("poor")
    return issue_api_key(name="gateway", scopes=["gate:check"], at=AT).secret


def configuration(name: str) -> Any:
    return yaml.safe_load((PROJECT / "docs" / "gateways" / name).read_text())


def found(document: Any, key: str) -> Any:
    """The value of this key, wherever it is; it must be there once."""

    def values(of: Any) -> Iterator[Any]:
        inner = of.values() if isinstance(of, dict) else of if isinstance(of, list) else ()
        if isinstance(of, dict) and key in of:
            yield of[key]
        for one in inner:
            yield from values(one)

    (value,) = values(document)
    return value


def test_envoy(gate_key: str) -> None:
    """Its HTTP service asks with the customer's method, host, path and Authorization, and with the headers it is allowed; what
    is added replaces. 200 is yes; anything else goes to the customer, with the headers that are allowed."""
    envoy = configuration("envoy.yaml")
    service = found(envoy, "http_service")
    assert found(envoy, "failure_mode_allow") is False
    allowed = {pattern["exact"] for pattern in found(envoy, "allowed_headers")["patterns"]}
    assert allowed == {"x-account"}
    assert found(envoy, "claim_to_headers") == [{"header_name": "x-account", "claim_name": "sub"}]
    added = {header["key"]: header["value"] for header in service["authorization_request"]["headers_to_add"]}
    clusters = {cluster["name"] for cluster in envoy["static_resources"]["clusters"]}
    assert service["server_uri"]["cluster"] in clusters

    def ask(account: str, method: str) -> tuple[Any, ...]:
        headers = {"Authorization": "Bearer the-customer-s", "X-Account": account, "Content-Length": "0"}
        headers |= {name.title(): value.replace(PLACEHOLDER, gate_key) for name, value in added.items()}
        path = service["path_prefix"] + "/v1/chat/completions"
        return at_the_door("?account=rich", path=path, method=method, **headers)

    for method in ("GET", "POST", "PUT", "DELETE"):
        assert ask("rich", method)[0] == 200
        status, told, body = ask("poor", method)
        assert (status, told[0]) == (402, "refuse")
        assert b'"top_up_url"' in body
    passed_on = service["authorization_response"]["allowed_client_headers"]["patterns"]
    for name in (
        "x-billing-decision",
        "x-billing-reason",
        "x-billing-top-up",
        "x-balance-available",
        "retry-after",
        "content-type",
    ):
        assert any(name == one.get("exact") or name.startswith(one.get("prefix", "\0")) for one in passed_on), name


def test_traefik(gate_key: str) -> None:
    """It asks with GET at the address, with X-Forwarded-Method, -Proto, -Host, -Uri, -For and the request headers it is told
    of; any 2xx is yes, anything else goes to the customer as it is."""
    http = configuration("traefik.yaml")["http"]
    middlewares = http["middlewares"]
    for router in http["routers"].values():
        assert set(router["middlewares"]) <= middlewares.keys()
        assert router["service"] in http["services"]
        assert router["middlewares"].index("gate") < router["middlewares"].index("forget-the-gate-key")
    forward = middlewares["gate"]["forwardAuth"]
    address = urlsplit(forward["address"])

    def ask(account: str) -> tuple[Any, ...]:
        request = {"Authorization": "Bearer the-customer-s", "X-Account": "rich", "X-Gate-Key": "the-customer-s"}
        request |= middlewares["acme-is-calling"]["headers"]["customRequestHeaders"] | {"X-Account": account}
        headers = {name: request[name].replace(PLACEHOLDER, gate_key) for name in forward["authRequestHeaders"]}
        headers |= {"X-Forwarded-Method": "POST", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "acme.api.example"}
        headers |= {"X-Forwarded-Uri": "/v1/chat?account=rich", "X-Forwarded-For": "192.0.2.7"}
        return at_the_door(f"?{address.query}", path=address.path, **headers)

    assert ask("rich")[0] == 204
    status, told, body = ask("poor")
    assert (status, told[0]) == (402, "refuse")
    assert b'"top_up_url"' in body
    assert set(forward["authResponseHeaders"]) == {"X-Balance-Available", "X-Balance-Version"}
