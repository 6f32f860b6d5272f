"""CloudEvents 1.0: `subject` is the account, `data` the properties, `source` and `id` together the id. Pure."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.ingest.cloudevents import decode_batch, decode_binary, decode_structured
from metering.ingest.decode import (
    MAX_EVENTS,
    MAX_PROPERTIES_BYTES,
    Decoded,
    TooManyEvents,
    UnreadableBody,
    UsageInput,
    decode_properties,
)

ATTRIBUTES = {
    "specversion": "1.0",
    "id": "7",
    "source": "https://gateway.example/eu-1",
    "type": "llm.request",
    "subject": "acme",
    "time": "2026-11-23T10:00:00Z",
}
DATA = {"model": "gpt-5", "input_tokens": 812}
HEADERS = {f"ce-{name}": value for name, value in ATTRIBUTES.items()} | {
    "content-type": "application/json",
    "host": "localhost",
}


def structured(**changes: Any) -> bytes:
    return json.dumps({**ATTRIBUTES, "datacontenttype": "application/json", "data": DATA, **changes}).encode()


def only(decoded: Decoded) -> UsageInput:
    assert (len(decoded.events), list(decoded.indexes), decoded.rejected) == (1, [0], [])
    return decoded.events[0]


def assert_is_the_event(event: UsageInput) -> None:
    assert (event.id, event.type, event.account) == ("https://gateway.example/eu-1 7", "llm.request", "acme")
    assert event.time == datetime(2026, 11, 23, 10, tzinfo=UTC)
    assert decode_properties(event.properties)[0] == DATA


def test_a_structured_event_is_read() -> None:
    assert_is_the_event(only(decode_structured(structured())))


def test_a_binary_event_is_read_from_headers_and_body() -> None:
    assert_is_the_event(only(decode_binary(json.dumps(DATA).encode(), HEADERS)))


def test_a_batch_is_read_and_a_bad_element_is_refused_by_its_place() -> None:
    decoded = decode_batch(b"[" + b",".join([structured(), b"{}", structured(id="8")]) + b"]")
    assert [event.id.rpartition(" ")[2] for event in decoded.events] == ["7", "8"]
    assert (list(decoded.indexes), [(row.index, row.code) for row in decoded.rejected]) == ([0, 2], [(1, "invalid")])


def test_data_and_time_may_be_left_out() -> None:
    bare = {name: value for name, value in ATTRIBUTES.items() if name != "time"}
    for event in (
        only(decode_structured(json.dumps(bare).encode())),
        only(decode_binary(b"", {f"ce-{name}": value for name, value in bare.items()})),
    ):
        assert (event.time, decode_properties(event.properties)[0]) == (None, {})


def test_the_same_id_from_two_sources_is_two_events() -> None:
    one, other = only(decode_structured(structured(source="/a"))), only(decode_structured(structured(source="/b")))
    assert (one.id, other.id) == ("/a 7", "/b 7")


def test_source_and_id_cannot_be_mistaken_for_another_pair() -> None:
    """Joined by a space, which an id may hold and a source may not."""
    assert only(decode_structured(structured(source="/a", id="b 7"))).id == "/a b 7"
    assert decode_structured(structured(source="/a b", id="7")).rejected[0].code == "invalid"


def test_attributes_in_headers_are_percent_decoded() -> None:
    event = only(decode_binary(b"{}", {**HEADERS, "ce-subject": "caf%C3%A9", "ce-id": "100%25"}))
    assert (event.account, event.id) == ("café", "https://gateway.example/eu-1 100%")


def test_an_authorization_is_an_extension_attribute() -> None:
    assert only(decode_structured(structured(authorization="auth_1"))).authorization == "auth_1"
    assert only(decode_binary(b"{}", {**HEADERS, "ce-authorization": "auth_1"})).authorization == "auth_1"


@pytest.mark.parametrize(
    "changes",
    [
        {"specversion": "0.3"}, {"id": ""}, {"source": ""}, {"subject": None}, {"type": 1}, {"time": "2026-11-23T10:00:00"},
        {"source": "a\tb"}, {"id": "x" * 256}, {"authorization": {}},
    ],
)  # fmt: skip
def test_a_wrong_attribute_is_refused(changes: dict[str, Any]) -> None:
    assert [row.code for row in decode_structured(structured(**changes)).rejected] == ["invalid"]


@pytest.mark.parametrize("missing", ["ce-specversion", "ce-source", "ce-subject", "ce-type"])
def test_a_missing_header_is_refused(missing: str) -> None:
    headers = {name: value for name, value in HEADERS.items() if name != missing}
    (refused,) = decode_binary(b"{}", headers).rejected
    assert (refused.index, refused.code) == (0, "invalid")
    assert missing.removeprefix("ce-") in refused.detail


@pytest.mark.parametrize("body", [b"", b"[]", b"1", b'{"specversion":', structured() + b"x", structured()[:-1], b"\xff"])
def test_a_structured_body_that_is_no_json_object_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode_structured(body)


@pytest.mark.parametrize("body", [b"", b"{}", b"[", b"[" + structured(), b"[" + structured() + b"]]", b"[{]}"])
def test_a_batch_that_is_no_json_list_is_refused_as_a_whole(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode_batch(body)


def test_a_batch_has_at_most_ten_thousand_events() -> None:
    with pytest.raises(TooManyEvents):
        decode_batch(b"[" + b",".join([structured()] * (MAX_EVENTS + 1)) + b"]")


@pytest.mark.parametrize("body", [b"{", b"NaN", b'{},"subject":"globex"', b'{}}{"data":{}', b"plain text", b"<xml/>"])
def test_binary_data_that_is_not_json_is_refused_and_adds_no_attributes(body: bytes) -> None:
    with pytest.raises(UnreadableBody):
        decode_binary(body, HEADERS)


def test_binary_data_that_is_too_large_is_refused() -> None:
    body = json.dumps({"n": "x" * MAX_PROPERTIES_BYTES}).encode()
    (refused,) = decode_binary(body, HEADERS).rejected
    assert (refused.code, "at most 65536" in refused.detail) == ("invalid", True)


@given(st.binary(max_size=120) | st.text(alphabet='[]{},:"\\u0dE1 ', max_size=40).map(str.encode))
def test_arbitrary_bytes_are_events_or_refused_by_name(body: bytes) -> None:
    for decode in (decode_structured, decode_batch, lambda raw: decode_binary(raw, HEADERS)):
        try:
            decoded = decode(body)
        except (UnreadableBody, TooManyEvents):
            continue
        assert sorted([*decoded.indexes, *(row.index for row in decoded.rejected)]) == list(
            range(len(decoded.events) + len(decoded.rejected))
        )


@given(st.dictionaries(st.sampled_from(sorted(HEADERS)), st.text(max_size=20)))
def test_arbitrary_headers_are_an_event_or_a_refusal(changes: dict[str, str]) -> None:
    decoded = decode_binary(b"{}", {**HEADERS, **changes})
    assert len(decoded.events) + len(decoded.rejected) == 1
