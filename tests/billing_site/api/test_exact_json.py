"""Bodies are read exactly, and what cannot be stored is malformed before a view sees it."""

from __future__ import annotations

import json
import time
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rest_framework.exceptions import ParseError

from billing_site.api.exact_json import MAX_DEPTH, ExactJSONEncoder, read_json
from tests.cast import OPENED_AT, Api, Company
from wallets.api.fields import moment_text, read_moment


def test_numbers_are_read_exactly() -> None:
    value = read_json(b'{"a": 0.1, "b": 123456789012345678.123456789012, "c": 7, "d": -1e2, "e": 10000000000000000000000001}')
    assert value == {"a": D("0.1"), "b": D("123456789012345678.123456789012"), "c": 7, "d": D("-100"), "e": 10**25 + 1}
    assert {name: type(number) for name, number in value.items()} == {"a": D, "b": D, "c": int, "d": D, "e": int}


@given(st.decimals(allow_nan=False, allow_infinity=False, min_value=D(-(10**18)), max_value=D(10**18), places=12))
def test_every_storable_number_survives(number: D) -> None:
    assert read_json(f"{number:f}".encode()) == number


MALFORMED = {
    "nothing": b"",
    "half an object": b'{"a": 1',
    "two values": b"1 2",
    "not a number": b'{"a": NaN}',
    "infinity": b'{"a": -Infinity}',
    "a million digits": b'{"a": ' + b"9" * 1_000_000 + b"}",
    "a million decimals": b'{"a": 0.' + b"9" * 1_000_000 + b"}",
    "a huge exponent": b'{"a": 1e999999999}',
    "a tiny exponent": b'{"a": 1e-999999999}',
    "an escaped NUL": b'{"a": "x\\u0000"}',
    "a NUL": b'{"a": "x\x00"}',
    "a NUL in a name": b'{"a\\u0000": 1}',
    "half a surrogate pair": b'{"a": "\\ud800"}',
    "not UTF-8": b'{"a": "\xff"}',
    "UTF-16": '{"a": 1}'.encode("utf-16"),
    "a byte order mark": '\ufeff{"a": 1}'.encode(),
    "one level too deep": b"[" * (MAX_DEPTH + 2) + b"]" * (MAX_DEPTH + 2),
    "a hundred thousand levels": b"[" * 100_000,
    "a name twice": b'{"amount": 1, "amount": 1000}',
}


@pytest.mark.parametrize("body", MALFORMED.values(), ids=MALFORMED.keys())
def test_what_cannot_be_stored_is_malformed_and_quickly_so(body: bytes) -> None:
    began = time.monotonic()
    with pytest.raises(ParseError):
        read_json(body)
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("kind", [kind for kind in MALFORMED if kind != "nothing"])
def test_a_malformed_body_is_answered_400(vendor: Api, kind: str) -> None:
    body = MALFORMED[kind]
    response = vendor.post("/meters", raw=body)
    assert (response.status_code, response["Content-Type"]) == (400, "application/problem+json")
    assert response.json()["code"] == "malformed"


def test_answers_hold_no_float_and_no_exponent() -> None:
    text = json.dumps([D("0E-12"), D("1E+3"), D("0.084210000000"), OPENED_AT], cls=ExactJSONEncoder)
    assert json.loads(text) == ["0.00", "1000.00", "0.08421", "2026-11-01T00:00:00Z"]


@pytest.mark.parametrize(
    ("amount", "kept"),
    [(12.5, "12.50"), (7, "7.00"), ("7", "7.00"), ("0.000000000001", "0.000000000001"), (1e-7, "0.0000001")],
)
def test_amounts_are_taken_as_strings_or_numbers(vendor: Api, acme: Company, amount: object, kept: str) -> None:
    answer = vendor.patch(f"/wallets/{acme.wallet.public_id}", {"policy": {"grace_limit": amount}})
    assert (answer.status_code, answer.json()["policy"]["grace_limit"]) == (200, kept)


@pytest.mark.parametrize(
    "amount",
    [
        "",
        " 1",
        "1,5",
        "1e3",
        "NaN",
        "Infinity",
        "0x1",
        "\u0661",
        True,
        None,
        [],
        {},
        "-1",
        "1" * 41,
        10**18,
        "0.0000000000001",
    ],
)
def test_what_is_no_amount_is_refused_by_name(vendor: Api, acme: Company, amount: object) -> None:
    answer = vendor.patch(f"/wallets/{acme.wallet.public_id}", {"policy": {"grace_limit": amount}})
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["policy.grace_limit"]


@pytest.mark.parametrize("text", ["2026-11-23T10:00:00Z", "2026-11-23T11:00:00+01:00", "2026-11-23t10:00:00.000000999z"])
def test_times_are_read_with_their_offset_and_written_in_utc(text: str) -> None:
    moment = read_moment(text)
    assert moment is not None
    assert moment_text(moment) == "2026-11-23T10:00:00Z"


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-23",
        "2026-11-23T10:00:00",
        "2026-11-23T25:00:00Z",
        "2026-02-30T00:00:00Z",
        "tomorrow",
        1,
        None,
        "2" * 99,
    ],
)
def test_what_is_no_time_is_none(text: object) -> None:
    assert read_moment(text) is None
