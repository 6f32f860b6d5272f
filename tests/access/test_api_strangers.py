"""Every endpoint, found by walking the URLs, refuses a stranger: globex's key at acme's things is 403 or 404, no key is 401,
a key without scopes for it is 403 (I12). A new endpoint is in the walk as soon as it has a URL."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import transaction
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django.fixtures import Settings

from billing_site.api.scopes import is_vendor_only, required_scope
from metering.caps.set_cap import CapTerms, set_cap
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import usage_input
from metering.usage.close_periods import close_periods
from notifications.alerts.models import Delivery
from notifications.alerts.send_test import send_test
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from notifications.channels.webhook.models import WebhookEndpoint
from pricing.books.draft import create_price_book, draft_version
from pricing.books.pin import pin_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from tests.cast import OPENED_AT, Api, Company
from tests.factories.approvals import asked
from tests.factories.holds import hold_on
from tests.factories.payments import provider_in_memory, saved_card, topped_up
from tests.factories.plans import sold_to
from tests.factories.refunds import withdrawal_of
from wallets import clock
from wallets.api_keys.issue import issue_api_key
from wallets.credit.grant import grant_credit
from wallets.refunds.refund import Why, refund_top_up
from wallets.statements.models import Statement

HOOK = EndpointTerms(url="https://acme.example/hook")
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")


@dataclass(frozen=True)
class Endpoint:
    """A method at an address below /api/v1, with its view."""

    method: str
    path: str
    view: Any

    def __str__(self) -> str:
        return f"{self.method} {self.path}"


def endpoints() -> Iterator[Endpoint]:
    def walk(resolver: URLResolver, prefix: str) -> Iterator[Endpoint]:
        for pattern in resolver.url_patterns:
            path = prefix + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern, path)
            elif isinstance(pattern, URLPattern) and path.startswith("api/v1/"):
                view = pattern.callback.cls  # type: ignore[attr-defined]
                address = re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", path.removeprefix("api/v1"))
                yield from (Endpoint(method, address, view) for method in METHODS if hasattr(view, method.lower()))

    yield from walk(get_resolver(), "")


ALL = list(endpoints())
EVERY = pytest.mark.parametrize("endpoint", ALL, ids=str)


def in_shares(endpoints: list[Endpoint], shares: int = 4) -> Any:
    """A test for each share of the endpoints, which makes its things once; each endpoint is a subtest."""
    return pytest.mark.parametrize("share", [endpoints[number::shares] for number in range(shares)], ids=range(shares))


@contextmanager
def undone() -> Iterator[None]:
    """Undo what a request did to the test's transaction, as the end of its own would have."""
    before = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(before)


@dataclass(frozen=True)
class Things:
    """What acme has: the values of path parameters, and bodies and parameters that would be fine with acme's own key."""

    path: dict[str, str]
    bodies: dict[str, Any]
    queries: dict[str, str]


# Who may not ask at all need not ask about something that is there.
NOWHERE = Things(
    path={name: "nowhere" for endpoint in ALL for name in re.findall(r"{(\w+)}", endpoint.path)},
    bodies={},
    queries={},
)


def _statement_of(acme: Company) -> str:
    """acme's month has ended."""
    close_periods(at=clock.now() + timedelta(days=40))
    return Statement.objects.filter(wallet=acme.wallet).latest("id").public_id


def acme_things(acme: Company) -> Things:
    """Give acme one of each thing."""
    meter = define_meter(code="calls", event_type="call", aggregation="count", at=OPENED_AT)
    book = create_price_book(name="List prices", currency="USD", at=OPENED_AT, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="calls", unit_price=D("0.01"))], at=OPENED_AT)
    version = publish_version(version=version, effective_at=OPENED_AT, at=OPENED_AT)
    year = timedelta(days=365)
    pin = pin_version(
        account=acme.account, version=version, effective_at=OPENED_AT + year, until=OPENED_AT + 2 * year, at=OPENED_AT
    )
    lot = grant_credit(wallet_id=acme.wallet.pk, amount=D(10), kind="paid", at=OPENED_AT)
    now = clock.now()
    ingest_batch(events=[usage_input(event_id="e-1", event_type="call", account="acme", time=now, properties={})], at=now)
    terms = CapTerms(scope="user", window="day", limit=D(5), currency="USD")
    cap = set_cap(account=acme.account, terms=terms, at=now)
    period = f"from={(now - timedelta(days=1)).isoformat()}&to={now.isoformat()}".replace("+00:00", "Z")
    return Things(
        path={
            "key": "acme",
            "wallet_id": acme.wallet.public_id,
            "lot_id": lot.public_id,
            "hold_id": hold_on(acme.wallet, "1", at=now).public_id,
            "code": meter.code,
            "book_id": book.public_id,
            "version_id": version.public_id,
            "event_id": "e-1",
            "cap_id": cap.public_id,
            "pin_id": pin.public_id,
            "card_id": saved_card(acme.account).public_id,
            "endpoint_id": (hook := make_endpoint(account=acme.account, terms=HOOK, at=OPENED_AT)).public_id,
            "delivery_id": _sent_to(hook),
            "statement_id": _statement_of(acme),
            "top_up_id": (top_up := topped_up(acme.wallet, at=now).top_up).public_id,
            "refund_id": refund_top_up(top_up=top_up, credit=D(1), why=Why("duplicate"), at=now).public_id,
            "approval_id": asked(by=acme.owner).public_id,
            "withdrawal_id": withdrawal_of(acme, "1", at=now).public_id,
            **sold_to(acme, at=now),
        },
        bodies={
            "/events": {"id": "e-2", "type": "call", "account": "acme"},
            "/authorize": {"account": "acme", "amount": "1"},
            "/holds": {"account": "acme", "amount": "1"},
            "/spend-caps": {"account": "acme", "scope": "account", "window": "day", "limit": "9", "currency": "USD"},
            "/holds/{hold_id}/capture": {"amount": "1"},
            "/holds/{hold_id}/extend": {"ttl_seconds": 600},
            "/holds/{hold_id}/renew": {"used_units": "1"},
            "/accounts/{key}": {"name": "Taken over"},
            "/accounts/{key}/wallets": {"currency": "EUR"},
            "/wallets/{wallet_id}": {"policy": {"on_empty": "grace", "grace_limit": "1000"}},
            "/wallets/{wallet_id}/credits": {"amount": "1", "kind": "paid"},
            "/wallets/{wallet_id}/vouchers": {"code": "7QXK-91MN-0ZRB-4T5W"},
            "/wallets/{wallet_id}/topups": {"amount": "10"},
            "/topups/{top_up_id}/refunds": {"amount": "1", "reason": "duplicate"},
            "/wallets/{wallet_id}/auto-recharge": {"threshold": "5", "amount": "50", "monthly_cap": "500"},
            "/wallets/{wallet_id}/scheduled-top-up": {"amount": "50", "day": 1},
            "/accounts/{key}/payment-methods": {"set_up": "seti_cus_acme"},
            "/portal-sessions": {"account": "acme", "user": acme.owner.email},
            "/bounces": {"kind": "bounce", "email": "billing@acme.example"},
            "/webhook-endpoints": {"account": "acme", "url": "https://globex.example/hook"},
            "/wallets/{wallet_id}/transfers": {"to": acme.wallet.public_id, "amount": "1"},
        },
        queries={
            "/events": "?account=acme",
            "/holds": "?account=acme",
            "/spend-caps": "?account=acme",
            "/usage": f"?account=acme&{period}",
            "/events/{event_id}": "?account=acme",
        },
    )


def _sent_to(hook: WebhookEndpoint) -> str:
    delivery = send_test(endpoint=hook, at=OPENED_AT)
    Delivery.objects.filter(pk=delivery.pk).update(state="SENT", next_at=None, sent_at=OPENED_AT)
    return delivery.public_id


@pytest.fixture
def things(acme: Company, settings: Settings) -> Iterator[Things]:
    with provider_in_memory(settings):
        yield acme_things(acme)


def call(api: Api, endpoint: Endpoint, things: Things) -> Any:
    query = things.queries.get(endpoint.path, "") if endpoint.method == "GET" else ""
    body = None if endpoint.method in {"GET", "DELETE"} else things.bodies.get(endpoint.path, {})
    return api.send(endpoint.method, endpoint.path.format(**things.path) + query, body)


def test_the_walk_finds_the_endpoints() -> None:
    assert len(ALL) > 25
    assert {"GET /accounts", "POST /events", "POST /wallets/{wallet_id}/credits"} <= {str(endpoint) for endpoint in ALL}


@EVERY
def test_every_endpoint_declares_its_scope(endpoint: Endpoint) -> None:
    assert required_scope(endpoint.view, endpoint.method)


@in_shares(ALL)
def test_without_a_key_there_is_nothing(db: None, share: list[Endpoint], subtests: Any) -> None:
    for endpoint in share:
        for secret in ("", "key_000000000000_wrong"):
            with subtests.test(str(endpoint)):
                assert call(Api(secret), endpoint, NOWHERE).status_code == 401


@in_shares(ALL)
def test_a_key_without_the_scope_is_refused(db: None, share: list[Endpoint], subtests: Any) -> None:
    keys = {
        scope: Api(issue_api_key(name=scope, scopes=[scope], at=OPENED_AT).secret) for scope in ("events:write", "pricing:read")
    }
    for endpoint in share:
        needed = required_scope(endpoint.view, endpoint.method)
        with subtests.test(str(endpoint)):
            answer = call(next(api for scope, api in keys.items() if scope != needed), endpoint, NOWHERE)
            assert (answer.status_code, answer.json()["code"]) == (403, "missing_scope")


# Lists that a stranger may read show him his own things; ingest answers each event by itself.
OWN = {
    "GET /accounts",
    "POST /events",
    "GET /plans",
    "GET /plans/{plan_id}",
    "GET /credit-products",
    "GET /credit-units/rates",
    "GET /webhook-endpoints",
    "GET /webhook-event-types",
}


@in_shares(ALL)
def test_a_stranger_is_refused_and_changes_nothing(
    share: list[Endpoint], things: Things, acme: Company, globex: Company, vendor: Api, subtests: Any
) -> None:
    before = everything_of(acme, vendor)
    for endpoint in share:
        with subtests.test(str(endpoint)), undone():
            answer = call(globex.api, endpoint, things)
            if str(endpoint) in OWN:
                assert answer.status_code == 200
                assert not re.search(rb'"(account|key)":\s*"acme"', answer.content.replace(b"There is no account", b""))
            else:
                assert answer.status_code in {403, 404}, answer.content
                assert (answer.status_code == 403) == is_vendor_only(endpoint.view, endpoint.method)
                assert acme.account.name not in json.loads(answer.content)["detail"]
            assert everything_of(acme, vendor) == before


def test_an_event_for_another_account_is_rejected_as_unknown(
    things: Things, acme: Company, globex: Company, vendor: Api
) -> None:
    before = everything_of(acme, vendor)
    answer = globex.api.post("/events", [{"id": "x", "type": "call", "account": "acme"}]).json()
    assert (answer["accepted"], [one["code"] for one in answer["rejected"]]) == (0, ["unknown_account"])
    assert everything_of(acme, vendor) == before


def test_what_is_not_there_and_what_is_anothers_are_told_apart_by_nobody(things: Things, globex: Company) -> None:
    for path, name in (
        ("/accounts/{}", "acme"),
        ("/wallets/{}", things.path["wallet_id"]),
        ("/credits/{}/void", things.path["lot_id"]),
        ("/holds/{}", things.path["hold_id"]),
    ):
        method = "POST" if path.endswith("void") else "GET"
        there = globex.api.send(method, path.format(name), {} if method == "POST" else None)
        missing = name[:-1] + ("x" if name[-1] != "x" else "y")
        nowhere = globex.api.send(method, path.format(missing), {} if method == "POST" else None)
        assert there.content.replace(name.encode(), b"?") == nowhere.content.replace(missing.encode(), b"?")


def everything_of(company: Company, vendor: Api) -> Any:
    account = company.account.key
    wallets = vendor.get(f"/accounts/{account}/wallets").json()
    ledgers = [vendor.get(f"/wallets/{wallet['id']}/ledger").json() for wallet in wallets["data"]]
    return vendor.get(f"/accounts/{account}").json(), wallets, ledgers


def test_the_gate_tells_a_stranger_nothing(things: Things, globex: Company) -> None:
    asked = {"authorization": f"Bearer {globex.api.secret}"}
    assert Client().get("/gate/check?account=acme").status_code == 401
    for address, headers in (("?account=acme", asked), ("", asked | {"x-account": "acme"})):
        answer = Client().get(f"/gate/check{address}", headers=headers)
        assert answer.status_code == 404
        assert "X-Balance-Available" not in answer
