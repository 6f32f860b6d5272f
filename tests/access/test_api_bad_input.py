"""Whatever is sent to whatever endpoint, found by walking the URLs, it is answered below 500."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from typing import Any, Final

import pytest
from pytest_django.fixtures import Settings

from tests.access.test_api_strangers import ALL, Endpoint, Things, acme_things, in_shares, undone
from tests.cast import Api, Company
from tests.factories.payments import provider_in_memory

NASTY: list[Any] = [
    None, True, 0, -1, 1.5, 10**17, 10**18, 10**40, "", " ", "x", "-1", "1e9", "NaN", "Infinity", "0.0000000000001", "9" * 40,
    "x" * 300, "x" * 70_000, "\n", "\u202e", "\U0001f600", "2026-13-01T00:00:00Z", "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-14:00", "2026-11-23T10:00:00", [], [None], [[]], [{}], {}, {"a": {"a": {"a": None}}}, {"": ""},
    {"x" * 300: 1}, ["x"] * 30, "%00", "' OR 1=1 --", "../..", "USD", "acme", "wal_x",
]  # fmt: skip
EVERY: Final = 1 if os.environ.get("NASTY") == "all" else 3  # NASTY=all tries all of them in every place
PLAN: dict[str, Any] = {
    "name": "P", "currency": "USD", "fee": "1", "interval": "month", "price_book": None, "trial_days": 1, "trial_credit": "1",
    "allowances": [{"meter": "calls", "quantity": "1", "roll_over": "capped", "roll_over_cap": "1", "roll_over_periods": 1,
                    "on_exhaustion": "block"}],
}  # fmt: skip
FINE: dict[str, dict[str, Any]] = {
    "/accounts": {"account": "initech", "name": "I", "email": "a@b.example", "currency": "USD", "time_zone": "UTC",
                  "country": "DE", "price_book": "pbk_x"},
    "/accounts/{key}": {"name": "A", "email": "", "time_zone": "UTC", "country": "", "price_book": "pbk_x"},
    "/accounts/{key}/wallets": {"currency": "USD", "name": ""},
    "/wallets/{wallet_id}": {"policy": {"on_empty": "block", "grace_limit": "1", "throttle_per_minute": 1}},
    "/wallets/{wallet_id}/adjustments": {"kind": "goodwill", "amount": "1", "reason": "outage", "note": "n"},
    "/approvals/{approval_id}/approve": {"answer": "a"},
    "/approvals/{approval_id}/decline": {"answer": "a"},
    "/wallets/{wallet_id}/credits": {"amount": "1", "kind": "paid", "price_paid": "1", "priority": 1, "meters": [],
                                     "reason": "", "effective_at": "2026-01-01T00:00:00Z",
                                     "expires_at": "2099-01-01T00:00:00Z"},
    "/wallets/{wallet_id}/thresholds": {"percents": [1], "amounts": ["1"], "reference": "1"},
    "/accounts/{key}/thresholds": {"percents": [1]},
    "/wallets/{wallet_id}/transfers": {"to": "wal_x", "amount": "1", "reason": ""},
    "/credits/{lot_id}/void": {"reason": ""},
    "/credits/preview": {
        "lots": [{"id": "a", "amount": "1", "priority": 1, "kind": "paid", "effective_at": "2026-01-01T00:00:00Z",
                  "expires_at": "2099-01-01T00:00:00Z", "meters": ["calls"]}],
        "charges": [{"time": "2026-11-23T10:00:00Z", "meter": "calls", "amount": "1"}]},
    "/pricing/preview": {
        "price": {"meter": "calls", "currency": "USD", "match": {"model": "a"}, "model": "graduated", "unit_cost": "1",
                  "free_units": "1", "minimum_charge": "1",
                  "tiers": [{"up_to": "1", "unit_price": "1", "flat_price": "1"}, {"up_to": None, "unit_price": "1"}]},
        "usage": [{"quantity": "1", "properties": {"price": "1"}}], "prior_quantity": "1"},
    "/pricing/rerate": {"wrong_version": "prv_x", "price_version": "prv_y", "account": "acme", "meter": "calls",
                        "from": "2026-11-01T00:00:00Z", "to": "2026-11-15T00:00:00Z", "dry_run": True, "reason": ""},
    "/pricing/simulate": {"price_version": "prv_x", "account": "acme", "confirm": True, "from": "2026-11-01T00:00:00Z",
                          "to": "2026-11-24T00:00:00Z"},
    "/meters": {"code": "c", "event_type": "e", "aggregation": "sum", "property": "p", "filters": {}, "dimensions": [],
                "name": "", "unit": ""},
    "/price-books": {"name": "B", "currency": "USD", "is_default": False},
    "/price-books/{book_id}/versions": {"note": "", "prices": [{
        "meter": "calls", "currency": "USD", "match": {"model": "a"}, "unit_cost": "1", "model": "per_unit", "unit_price": "1",
        "free_units": "0", "tiers": None, "minimum_charge": "1"}]},
    "/versions/{version_id}": {"note": "", "prices": [{
        "meter": "calls", "unit_price": "1", "schedule": {"time_zone": "UTC", "windows": [
            {"days": ["mon"], "from": "08:00", "to": "20:00"}]}}]},
    "/versions/{version_id}/withdraw": {"reason": ""},
    "/accounts/{key}/overrides": {"percent_off": "10", "prices": [], "effective_at": "2098-01-01T00:00:00Z",
                                  "until": "2099-01-01T00:00:00Z", "reason": ""},
    "/accounts/{key}/pins": {"version": "prv_x", "effective_at": "2098-01-01T00:00:00Z", "until": "2099-01-01T00:00:00Z",
                             "reason": ""},
    "/versions/{version_id}/publish": {"effective_at": "2099-01-01T00:00:00Z"},
    "/events": {"id": "e", "type": "call", "account": "acme", "time": "2026-11-23T10:00:00Z", "properties": {"n": 1},
                "authorization": "a"},
    "/events/{event_id}/void": {"reason": "", "account": "acme"},
    "/authorize": {"account": "acme", "type": "call", "properties": {"n": 1}, "amount": "1", "currency": "USD",
                   "ttl_seconds": 1},
    "/holds": {"account": "acme", "type": "call", "properties": {"n": 1}, "ttl_seconds": 1, "subject": ""},
    "/holds/{hold_id}/capture": {"event": {"id": "e", "type": "call", "account": "acme", "time": "2026-11-23T10:00:00Z",
                                           "properties": {"n": 1}}, "above": "cap"},
    "/holds/{hold_id}/renew": {"used_units": "1", "units": "1", "slice": 1, "ttl_seconds": 1, "above": "cap"},
    "/holds/{hold_id}/extend": {"ttl_seconds": 1},
    "/plans": {"code": "p"} | PLAN,
    "/plans/{plan_id}/versions": {"name": "P", "currency": "USD", "fee": "1"},
    "/accounts/{key}/subscriptions": {"plan": "pro", "wallet": "wal_x", "pay_by": "wallet"},
    "/subscriptions/{subscription_id}/change": {"plan": "pro", "when": "now", "reason": ""},
    "/subscriptions/{subscription_id}/pause": {"reason": ""},
    "/subscriptions/{subscription_id}/resume": {"reason": ""},
    "/subscriptions/{subscription_id}/cancel": {"now": True, "refund": True, "reason": ""},
    "/credit-products": {"code": "c", "name": "C", "currency": "USD", "price_currency": "USD", "least": "1", "most": "2",
                         "bonus": "0", "slabs": [{"from_amount": "1", "percent": "1"}], "validity_days": 1, "meters": [],
                         "priority": 1},
    "/credit-units/rates": {"unit": "CREDITS", "currency": "USD", "units": "1", "effective_at": "2099-01-01T00:00:00Z"},
    "/wallets/{wallet_id}/purchases": {"product": "start", "payment_reference": "p", "paid": "10", "source": "s"},
    "/wallets/{wallet_id}/sign-up-credit": {"verified_email": "a@b.example", "amount": "1", "validity_days": 1},
    "/wallets/{wallet_id}/vouchers": {"code": "7QXK91MN0ZRB4T5W"},
    "/vouchers": {"name": "V", "currency": "USD", "amount": "1", "kind": "trial", "validity_days": 1, "meters": [],
                  "priority": 1, "redeem_from": "2026-01-01T00:00:00Z", "redeem_until": "2099-01-01T00:00:00Z", "uses": 1,
                  "per_account": 1, "count": 1, "code": "WELCOME"},
    "/accounts/{key}/commitments": {"name": "C", "amount": "1", "interval": "hour", "periods": 1, "discount_percent": "1",
                                    "meters": ["calls"], "wallet": "wal_x", "starts_at": "2099-01-01T00:00:00Z"},
}  # fmt: skip
PARAMETERS = {
    "/versions/{version_id}/diff": ("against",),
    "/events": ("limit", "cursor", "account", "from", "to"),
    "/events/{event_id}": ("account",),
    "/holds": ("limit", "cursor", "account", "state"),
    "/usage": ("account", "meter", "from", "to", "granularity", "group_by"),
}


@pytest.fixture
def things(acme: Company, settings: Settings) -> Iterator[Things]:
    with provider_in_memory(settings):
        yield acme_things(acme)


def spoiled(value: Any, turn: int = 0) -> Iterator[Any]:
    """`value` with each of its parts in turn replaced by nasty ones: by every third, another third for the next part."""
    yield from NASTY[turn % EVERY :: EVERY]
    if isinstance(value, dict):
        for index, (name, inner) in enumerate(value.items()):
            for bad in spoiled(inner, turn + index + 1):
                yield value | {name: bad}
            yield {other: inner for other, inner in value.items() if other != name}
        yield value | {"unknown": 1}
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            for bad in spoiled(inner, turn + index + 1):
                yield [*value[:index], bad, *value[index + 1 :]]


@in_shares([one for one in ALL if one.method in {"POST", "PATCH", "PUT"}], shares=8)
def test_no_body_is_too_bad(share: list[Endpoint], things: Things, vendor: Api, subtests: Any) -> None:
    for endpoint in share:
        path = endpoint.path.format(**things.path)
        with subtests.test(str(endpoint)):
            for body in spoiled(FINE.get(endpoint.path, {})):
                with undone():
                    answer = vendor.send(endpoint.method, path, raw=json.dumps(body).encode())
                assert answer.status_code < 500, str(body)[:300]


@in_shares([one for one in ALL if one.method == "GET"])
def test_no_parameter_is_too_bad(share: list[Endpoint], things: Things, vendor: Api, subtests: Any) -> None:
    texts = [text for text in NASTY if isinstance(text, str) and len(text) < 1_000]
    for turn, endpoint in enumerate(share):
        path = endpoint.path.format(**things.path)
        fine = dict(part.split("=", 1) for part in things.queries.get(endpoint.path, "").lstrip("?").split("&") if part)
        with subtests.test(str(endpoint)):
            for place, name in enumerate(PARAMETERS.get(endpoint.path, ("limit", "cursor"))):
                for bad in texts[(turn + place) % EVERY :: EVERY]:
                    with undone():
                        answer = vendor.get_with(path, fine | {name: bad})
                    assert answer.status_code < 500, (name, bad)


@in_shares([one for one in ALL if "{" in one.path])
def test_no_address_is_too_bad(share: list[Endpoint], vendor: Api, subtests: Any) -> None:
    for endpoint in share:
        with subtests.test(str(endpoint)):
            for name in (
                "%00",
                "%ff",
                "%ED%A0%80",
                "%F0%9F%98%80",
                "a" * 3_000,
                "%0A",
                "%2F",
                "..%2F..",
                "0",
                "-1",
                "9" * 30,
                "'",
            ):
                address = re.sub(r"{\w+}", lambda _, name=name: name, endpoint.path)
                answer = vendor.send(endpoint.method, address, None if endpoint.method == "GET" else {})
                assert answer.status_code < 500, address
