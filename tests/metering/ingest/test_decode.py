"""Bytes -> events: what is taken, what is refused, and by which name. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec import Raw

from metering.ingest.decode import (
    DECODE_ERRORS,
    MAX_DEPTH,
    MAX_EVENTS,
    MAX_ID,
    MAX_PROPERTIES_BYTES,
    Decoded,
    TooManyEvents,
    UnreadableBody,
    decode_events,
    decode_properties,
    encode_properties,
    only_of_account,
    sentence,
    usage_input,
)

EVENT = {"id": "1", "type": "llm.request", "account": "acme"}
GOOD = json.dumps(EVENT).encode()
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def event(**changes: Any) -> bytes:
    return json.dumps({**EVENT, **changes}).encode()


def listed(*elements: bytes) -> bytes:
    return b"[" + b",".join(elements) + b"]"


def outcome(decoded: Decoded) -> list[tuple[int, str | None, str]]:
    """Every event by its place: (index, id, "taken" or the code it is refused with)."""
    taken = [(index, one.id, "taken") for index, one in zip(decoded.indexes, decoded.events, strict=True)]
    return sorted([*taken, *((one.index, one.id, one.code) for one in decoded.rejected)], key=lambda row: row[0])


def test_one_event_has_all_that_was_sent() -> None:
    sent = event(time="2026-11-23T10:00:00.123Z", properties={"n": 1}, authorization="auth_1", unknown=[1])
    (one,) = decode_events(b" \n" + sent + b"\t").events
    assert (one.id, one.type, one.account, one.authorization) == ("1", "llm.request", "acme", "auth_1")
    assert one.time == datetime(2026, 11, 23, 10, 0, 0, 123_000, tzinfo=UTC)
    assert decode_properties(one.properties) == ({"n": 1}, b'{"n": 1}')


def test_time_and_properties_may_be_left_out() -> None:
    (one,) = decode_events(GOOD).events
    assert (one.time, decode_properties(one.properties)) == (None, ({}, b"{}"))


def test_a_time_keeps_its_moment_whatever_its_offset() -> None:
    (one,) = decode_events(event(time="2026-11-23T10:00:00+05:30")).events
    assert one.time == datetime(2026, 11, 23, 10, tzinfo=timezone(timedelta(hours=5, minutes=30)))


def test_a_list_keeps_its_order() -> None:
    decoded = decode_events(listed(*(event(id=str(number)) for number in range(3))))
    assert outcome(decoded) == [(0, "0", "taken"), (1, "1", "taken"), (2, "2", "taken")]
    assert decode_events(b" [ ] ") == Decoded([], range(0), [])


@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"{}", id="empty"),
        pytest.param(b"1", id="number"),
        pytest.param(b"null", id="null"),
        pytest.param(b'["id"]', id="list"),
        pytest.param(event(id=1), id="id is a number"),
        pytest.param(event(id=None), id="id is null"),
        pytest.param(event(id=""), id="id is empty"),
        pytest.param(event(id="x" * (MAX_ID + 1)), id="id is too long"),
        pytest.param(event(account=["acme"]), id="account is a list"),
        pytest.param(event(type={}), id="type is an object"),
        pytest.param(event(time="2026-11-23T10:00:00"), id="time is naive"),
        pytest.param(event(time="yesterday"), id="time is no time"),
        pytest.param(event(time=1_795_428_000), id="time is a number"),
        pytest.param(event(time="2026-02-30T10:00:00Z"), id="there is no such day"),
        pytest.param(event(authorization=1), id="authorization is a number"),
        pytest.param(GOOD.replace(b'"1"', b'"\xff"'), id="id is not UTF-8"),
        pytest.param(event(id="\ud83d"), id="id is half a surrogate pair"),
        pytest.param(event(properties={"cut": "\ud83d and more"}), id="half a surrogate pair"),
        pytest.param(event(properties={}).replace(b"{}", b'{"a":' * 5_000 + b"1" + b"}" * 5_000), id="5,000 levels deep"),
    ],
)
def test_one_bad_event_is_refused_and_its_neighbours_are_taken(bad: bytes) -> None:
    before, after = event(id="before"), event(id="after")
    rows = outcome(decode_events(listed(before, bad, after)))
    assert [rows[0], rows[2]] == [(0, "before", "taken"), (2, "after", "taken")]
    assert rows[1][2] == "invalid"
    if bad.startswith(b"{"):
        assert [code for _, _, code in outcome(decode_events(bad))] == ["invalid"]


def test_a_refusal_names_the_event_and_what_is_wrong() -> None:
    (refused,) = decode_events(event(id="req_1", time="2026-11-23T10:00:00")).rejected
    assert (refused.index, refused.id, refused.code) == (0, "req_1", "invalid")
    assert "timezone" in refused.detail


@pytest.mark.parametrize(
    "body",
    [
        b"", b" ", b"1", b'"x"', b"nul", b"{", b"[", b"[}", b"[1,]", b"[,]", b'[{"id":', GOOD + b"x", GOOD[:-1],
        listed(GOOD)[:-1],
        listed(GOOD) + b"1", listed(GOOD, b"NaN"), listed(GOOD, b"-Infinity"), listed(GOOD, b"{'id': 1}"),
        b"\xff\xfe[\x00]\x00",
        b"\xef\xbb\xbf[]", event(properties={"n": float("nan")}), listed(event(properties={"n": 1}).replace(b"1}", b"01}")),
        b'{"a":' * 100_000, b"[" * 100_000, b'["' + b'\\"' * 100_000,
    ],
)  # fmt: skip
def test_a_body_that_is_not_json_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode_events(body)


def test_ten_thousand_events_are_taken_and_not_one_more() -> None:
    assert len(decode_events(listed(*[GOOD] * MAX_EVENTS)).events) == MAX_EVENTS
    for one_too_many in ([GOOD] * (MAX_EVENTS + 1), [GOOD] * MAX_EVENTS + [b"{}"], [b"1"] * 600_000):
        with pytest.raises(TooManyEvents):
            decode_events(listed(*one_too_many))


def test_one_bad_event_among_ten_thousand_is_the_only_one_refused() -> None:
    elements = [event(id=str(number)) for number in range(MAX_EVENTS)]
    elements[4_321] = event(id="bad", properties={"cut": "\ud83d"})
    decoded = decode_events(listed(*elements))
    assert [row.index for row in decoded.rejected] == [4_321]
    assert [one.id for one in decoded.events] == [str(number) for number in range(MAX_EVENTS) if number != 4_321]


def test_events_of_other_accounts_are_refused_as_if_those_did_not_exist() -> None:
    decoded = decode_events(listed(event(id="a"), b"1", event(id="b", account="globex"), event(id="c")))
    assert outcome(only_of_account(decoded, "acme")) == [
        (0, "a", "taken"), (1, None, "invalid"), (2, "b", "unknown_account"), (3, "c", "taken"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("sent", "value"),
    [
        (b"0.1", D("0.1")), (b"1e3", D("1e3")), (b"1E-12", D("1e-12")), (b"-0.0", D("-0.0")), (b"7", 7),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"0.1234567890123456789", D("0.1234567890123456789")),
        (b"9" * 1_000, int("9" * 1_000)), (b"1e1000", D("1e1000")),
    ],
)  # fmt: skip
def test_numbers_in_properties_are_exact(sent: bytes, value: D | int) -> None:
    ((name, found),) = decode_properties(Raw(b'{"n":' + sent + b"}"))[0].items()
    assert (name, found, type(found)) == ("n", value, type(value))


@pytest.mark.parametrize(
    "properties",
    [
        b"[]", b"1", b"null", b'"x"', b'{"n":NaN}', b'{"n":Infinity}', b'{"n":1e1001}', b'{"n":1e-1001}',
        b'{"n":1e99999999999999999999}',
        b'{"n":0.' + b"1" * 1_000 + b"}", b'{"n":' + b"9" * 1_300 + b"}", b'{"n":' + b"9" * 60_000 + b"}",
        b'{"n":' + b"9" * 1_000_000 + b"}",
        b'{"n":"\\u0000"}', b'{"\\u0000":1}', b'{"n":["\\u0000"]}', b'{"n":"\x00"}', b'{"n":"\xff"}', b'{"n":"\\ud800"}',
        b'{"n":' + b"[" * (MAX_DEPTH + 1) + b"]" * (MAX_DEPTH + 1) + b"}",
        b'{"n":' * (MAX_DEPTH + 2) + b"1" + b"}" * (MAX_DEPTH + 2),
        b'{"n":"' + b"x" * MAX_PROPERTIES_BYTES + b'"}',
    ],
)  # fmt: skip
def test_properties_that_cannot_be_kept_are_refused_with_a_sentence(properties: bytes) -> None:
    with pytest.raises(DECODE_ERRORS) as refused:
        decode_properties(Raw(properties))
    assert 0 < len(sentence(refused.value)) <= 301


def test_properties_may_be_as_large_and_as_deep_as_is_promised() -> None:
    padding = b'{"n":"' + b"x" * (MAX_PROPERTIES_BYTES - 8) + b'"}'
    assert decode_properties(Raw(padding))[1] == padding
    deep = b'{"n":' + b"[" * MAX_DEPTH + b"]" * MAX_DEPTH + b"}"
    assert decode_properties(Raw(deep))[1] == deep


def test_an_event_from_python_is_the_event_from_json() -> None:
    made = usage_input(
        event_id="1",
        event_type="llm.request",
        account="acme",
        time=None,
        properties={"n": D("0.10"), "deep": {"a": [1, True, None]}},
    )
    assert decode_properties(made.properties) == (
        {"n": D("0.10"), "deep": {"a": [1, True, None]}},
        b'{"n":0.10,"deep":{"a":[1,true,null]}}',
    )


@pytest.mark.parametrize("value", [0.1, D("NaN"), D("1e1001"), "\x00", "\ud800", {"\x00": 1}, [[0.5]], 10**1_300])
def test_python_values_that_cannot_be_kept_are_refused(value: Any) -> None:
    with pytest.raises(ValueError, match="properties contains"):
        encode_properties({"n": value})


@given(st.binary(max_size=200) | st.text(alphabet='[]{},:"\\u0dEe1.-tn ', max_size=60).map(str.encode))
@example(b'[{"id":"\\ud800"},{}]')
@example(b'[{"a":"\\')
def test_arbitrary_bytes_are_events_or_refused_by_name(body: bytes) -> None:
    try:
        decoded = decode_events(body)
    except (UnreadableBody, TooManyEvents):
        return
    assert [index for index, _, _ in outcome(decoded)] == list(range(len(outcome(decoded))))


@given(
    st.lists(
        JSON_VALUES | st.dictionaries(st.sampled_from(["id", "type", "account", "time", "properties"]), JSON_VALUES), max_size=6
    )
)
def test_every_element_of_a_json_list_has_its_answer(elements: list[Any]) -> None:
    decoded = decode_events(json.dumps(elements).encode())
    assert [index for index, _, _ in outcome(decoded)] == list(range(len(elements)))


@given(st.lists(JSON_VALUES, max_size=5), st.integers(0, 5))
def test_a_list_that_only_one_element_spoils_is_cut_where_json_cuts_it(elements: list[Any], place: int) -> None:
    """The elements are cut apart by hand here: half a surrogate pair makes the compiled decoder give up."""
    spoilt = [*elements[:place], {"cut": "\ud800"}, *elements[place:]]
    good = [{**EVENT, "id": str(number), "properties": {"value": value}} for number, value in enumerate(spoilt)]
    decoded = decode_events(json.dumps(good).encode())
    at = min(place, len(elements))
    assert [row.index for row in decoded.rejected] == [at]
    for index, one in zip(decoded.indexes, decoded.events, strict=True):
        assert json.loads(bytes(one.properties)) == {"value": spoilt[index]}


@given(JSON_VALUES | st.dictionaries(st.text(), JSON_VALUES))
def test_json_properties_are_kept_as_they_are_or_refused_by_name(properties: Any) -> None:
    raw = json.dumps(properties).encode()
    try:
        values, kept = decode_properties(Raw(raw))
    except DECODE_ERRORS:
        return
    assert kept == raw
    assert values == json.loads(raw, parse_float=D)
