"""The handler ahead of Django's middleware says what the view says, only sooner."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from io import BytesIO
from types import SimpleNamespace
from typing import Any

import pytest
from django.test import Client

from billing_site.wsgi import application
from metering.api.gate_wsgi import gate_first
from tests.factories.balances import AT, spend, wallet_of
from tests.metering.api.test_gate_check import key
from wallets import clock
from wallets.accounts.suspend import suspend_account
from wallets.api_keys import verify
from wallets.api_keys.models import ApiKey
from wallets.balances.freeze import freeze_wallet
from wallets.balances.policy import set_policy
from wallets.credit.grant import grant_allowance
from wallets.redis_client import redis_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]
SAID = (
    "X-Billing-Decision",
    "X-Billing-Top-Up",
    "X-Billing-Reason",
    "X-Balance-Available",
    "X-Balance-Version",
    "Retry-After",
    "Content-Type",
)


@pytest.fixture(autouse=True)
def _now() -> Iterable[None]:
    with clock.set_to(AT):
        yield


def at_the_door(
    query: str = "", *, site: Any = application, path: str = "/gate/check", method: str = "GET", **headers: str
) -> tuple[Any, ...]:
    started: list[Any] = []
    environ = {
        "REQUEST_METHOD": method,
        "PATH_INFO": path,
        "QUERY_STRING": query.removeprefix("?"),
        "SERVER_NAME": "no.such.host",
        "SERVER_PORT": "80",
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        **{f"HTTP_{name.upper().replace('-', '_')}": text for name, text in headers.items()},
    }
    body = b"".join(application(environ, lambda status, lines: started.append((status, lines))))
    ((status, lines),) = started
    told = dict(lines)
    assert told.get("Content-Length", "0") == str(len(body))
    return int(status[:3]), [told.get(name) for name in SAID], body


def through_django(query: str = "", **headers: str) -> tuple[Any, ...]:
    answer = Client(headers=headers).get(f"/gate/check{query}")
    return answer.status_code, [answer.headers.get(name) for name in SAID], answer.content


QUESTIONS: list[tuple[str, dict[str, str], int]] = [
    ("?account=rich", {}, 204),
    ("", {"X-Account": "rich"}, 204),
    ("?account=rich", {"X-Account": "poor"}, 204),
    ("?account=poor&account=rich", {}, 204),
    ("?account=rich&amount=41.2", {}, 204),
    ("?account=rich&amount=41.200000000001", {}, 402),
    ("?account=rich&amount=1&currency=USD", {}, 204),
    ("?account=rich&amount=1&currency=EUR", {}, 402),
    ("?account=rich&amount=", {}, 204),
    ("?account=rich&amount=-1", {}, 422),
    ("?account=rich&amount=1e400", {}, 422),
    ("?account=rich&currency=usd", {}, 422),
    ("?account=rich&unheard=of", {}, 204),
    ("?account=ri%63h", {}, 204),
    ("?account=rich&allowed=200", {}, 200),
    ("?account=rich&allowed=204&refused=403", {}, 204),
    ("?account=poor&refused=403", {}, 403),
    ("?account=nobody&refused=403", {}, 403),
    ("?account=poor&refused=402", {}, 422),
    ("?account=poor&allowed=500", {}, 422),
    ("?account=%00", {}, 400),
    ("?account=rich%0d%0aX-Evil:1", {}, 404),
    ("?account=" + "r" * 1_000, {}, 404),
    ("?account=poor", {}, 402),
    ("?account=suspended", {}, 402),
    ("?account=frozen", {}, 402),
    ("?account=nobody", {}, 404),
    ("?&&&=", {}, 400),
    ("", {}, 400),
]


def test_it_answers_as_the_view_does() -> None:
    wallet_of("rich", credit="41.2")
    spend(wallet_of("poor", credit="1"), "1.5")
    suspend_account(account=wallet_of("suspended", credit="1").account, at=AT)
    freeze_wallet(wallet_id=wallet_of("frozen", credit="1").pk, at=AT)
    credentials = key()
    for query, headers, status in QUESTIONS:
        verify.forget()
        first = at_the_door(query, **headers, **credentials)
        assert first == through_django(query, **headers, **credentials), query
        assert first[0] == status, query
        assert at_the_door(query, **headers, **credentials) == first, f"{query}, once the key is remembered"


def test_the_usual_question_costs_no_query(django_assert_num_queries: Any) -> None:
    wallet_of("acme", credit="1")
    credentials = key()
    assert at_the_door("?account=acme", **credentials)[0] == 204
    with django_assert_num_queries(0):
        for method in ("GET", "HEAD", "POST", "DELETE"):
            assert at_the_door("?account=acme", method=method, **credentials)[0] == 204


def test_envoy_gets_200_and_the_customer_s_query_counts_for_nothing() -> None:
    wallet_of("rich", credit="1")
    wallet_of("poor")
    told = {"X-Account": "poor", **key()}
    for _ in range(2):  # the second time the key is remembered
        for method in ("GET", "POST"):
            asked = {"path": "/gate/envoy/v1/chat/completions", "method": method, **told}
            assert at_the_door("?account=rich&allowed=500", **asked)[0] == 402
            assert at_the_door("?account=poor", **asked | {"X-Account": "rich"})[0] == 200
    assert Client(headers=told).get("/gate/envoy/v1/chat?account=rich").status_code == 402
    assert Client(headers=told | {"X-Account": "rich"}).post("/gate/envoy/").status_code == 200


def test_a_gateway_that_passes_the_customer_s_authorization_on_names_its_own_key() -> None:
    wallet_of("acme", credit="1")
    ours = key()["Authorization"].removeprefix("Bearer ")
    for _ in range(2):
        assert at_the_door("?account=acme", **{"X-Gate-Key": ours, "Authorization": "Bearer theirs"})[0] == 204
        assert at_the_door("?account=acme", **{"X-Gate-Key": "no", "Authorization": f"Bearer {ours}"})[0] == 401


def test_head_has_no_body() -> None:
    wallet_of("poor")
    credentials = key()
    lines: list[Any] = []
    environ = {
        "REQUEST_METHOD": "HEAD", "PATH_INFO": "/gate/check", "QUERY_STRING": "account=poor", "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "wsgi.input": BytesIO(), "HTTP_AUTHORIZATION": credentials["Authorization"],
    }  # fmt: skip
    assert list(application(environ, lambda status, headers: lines.extend([status, dict(headers)]))) == []
    assert lines[0].startswith("402")
    assert int(lines[1]["Content-Length"]) > 0


def test_a_throttled_account_waits_at_either_door() -> None:
    set_policy(wallet_id=wallet_of("acme").pk, on_empty="throttle", throttle_per_minute=2, at=AT)
    credentials = key()
    assert [at_the_door("?account=acme", **credentials)[0] for _ in range(3)] == [204, 204, 429]
    status, told, _ = through_django("?account=acme", **credentials)
    assert (status, told[SAID.index("Retry-After")]) == (429, "30")


def test_keys_are_checked_like_everywhere() -> None:
    acme = wallet_of("acme", credit="1").account
    wallet_of("globex", credit="1")
    confined = key(account=acme)
    assert at_the_door("?account=acme", **confined)[0] == 204
    assert at_the_door("?account=globex", **confined) == through_django("?account=globex", **confined)
    assert at_the_door("?account=globex", **confined)[0] == 404
    for headers in ({}, {"Authorization": "Bearer no"}, {"Authorization": "Basic eA=="}):
        assert at_the_door("?account=acme", **headers)[0] == 401
    other = key("events:write")
    assert [at_the_door("?account=acme", **other)[0] for _ in range(2)] == [403, 403]


def test_a_key_revoked_elsewhere_is_refused_within_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    wallet_of("acme", credit="1")
    credentials = key()
    assert at_the_door("?account=acme", **credentials)[0] == 204
    ApiKey.objects.update(revoked_at=AT)
    passed = verify.time.monotonic() + 4.9
    monkeypatch.setattr(verify, "time", SimpleNamespace(monotonic=lambda: passed))
    assert at_the_door("?account=acme", **credentials)[0] == 401


def test_what_redis_forgot_is_answered_from_postgresql() -> None:
    wallet_of("acme", credit="1")
    credentials = key()
    assert at_the_door("?account=acme", **credentials)[0] == 204
    redis_client().flushdb()
    assert at_the_door("?account=acme", **credentials)[0] == 204
    assert redis_client().exists("gate:account:acme")


def test_everything_else_is_handed_on() -> None:
    handed_on: list[str] = []

    def django(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        handed_on.append(environ["PATH_INFO"])
        start_response("200 OK", [])
        return ()

    for path in ("/", "/gate/check/", "/gate/chec", "/api/v1/events"):
        list(gate_first(django)({"PATH_INFO": path}, lambda *_: None))
    assert handed_on == ["/", "/gate/check/", "/gate/chec", "/api/v1/events"]


@pytest.mark.parametrize(("query", "status"), [("", 204), ("&meter=calls", 204), ("&meter=calls,tokens", 402)])
def test_units_without_money_answer_for_their_meters(query: str, status: int) -> None:
    grant_allowance(wallet_id=wallet_of("acme").pk, meter="calls", quantity=Decimal(3), at=AT)
    bearer = key()
    said = [at_the_door(f"?account=acme{query}", **bearer), Client(headers=bearer).get(f"/gate/check?account=acme{query}")]
    assert str(status) in str(said[0])
    assert said[1].status_code == status
