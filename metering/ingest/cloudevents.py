"""CloudEvents 1.0 (JSON format and HTTP binding): structured, batch and binary mode. Pure.

`subject` is the account, `data` the properties, `source` and `id` together the event's id: joined by a space, which a
source (a URI reference, RFC 3986) cannot contain.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Final, Literal
from urllib.parse import unquote

import msgspec
from msgspec import Meta, Raw, Struct

from metering.ingest.decode import (
    DECODE_ERRORS,
    MAX_PROPERTIES_BYTES,
    Decoded,
    Moment,
    Rejected,
    Text,
    UnreadableBody,
    UsageInput,
    refusal_of,
    split_list,
)
from metering.ingest.split import is_json

STRUCTURED: Final = "application/cloudevents+json"
BATCH: Final = "application/cloudevents-batch+json"

Source = Annotated[str, Meta(min_length=1, max_length=255, pattern=r"^\S+$")]


class _CloudEvent(Struct, gc=False):
    specversion: Literal["1.0"]
    id: Text
    source: Source
    type: Text
    subject: Text
    time: Moment | None = None
    data: Raw = Raw(b"{}")
    authorization: Text | None = None


_one = msgspec.json.Decoder(_CloudEvent)


def decode_structured(body: bytes) -> Decoded:
    """One event whose attributes and data are one JSON object. Raises UnreadableBody when it is none."""
    if body.lstrip()[:1] != b"{":
        raise UnreadableBody("A structured CloudEvent is a JSON object.")
    return _each([Raw(body)])


def decode_batch(body: bytes) -> Decoded:
    """A JSON list of structured events. Raises UnreadableBody, TooManyEvents."""
    if body.lstrip()[:1] != b"[":
        raise UnreadableBody("A CloudEvents batch is a JSON list.")
    return _each(split_list(body))


def decode_binary(body: bytes, headers: Mapping[str, str]) -> Decoded:
    """One event whose attributes are `ce-` headers (names in lower case, values percent-decoded) and whose data is the
    body (a JSON object; empty for none). Raises UnreadableBody when the body is not JSON."""
    data = body.strip() or b"{}"
    if len(data) > MAX_PROPERTIES_BYTES:
        return Decoded([], [], [Rejected(0, None, "invalid", f"data has {len(data)} bytes; at most {MAX_PROPERTIES_BYTES}")])
    if not is_json(data):
        raise UnreadableBody("The body is not valid JSON.")
    attributes = {name: unquote(value) for name, value in headers.items() if name.startswith("ce-")}
    wanted = {name: attributes.get(f"ce-{name}", "") for name in ("specversion", "id", "source", "type", "subject")}
    document: dict[str, object] = {name: value for name, value in wanted.items() if value}
    if "ce-time" in attributes:
        document["time"] = attributes["ce-time"]
    if "ce-authorization" in attributes:
        document["authorization"] = attributes["ce-authorization"]
    document["data"] = Raw(data)
    return _each([Raw(msgspec.json.encode(document))])


def _each(raws: list[Raw]) -> Decoded:
    indexes: list[int] = []
    decoded = Decoded([], indexes, [])
    for index, raw in enumerate(raws):
        try:
            event = _one.decode(raw)
        except DECODE_ERRORS as error:
            decoded.rejected.append(refusal_of(index, raw, error))
            continue
        decoded.events.append(
            UsageInput(f"{event.source} {event.id}", event.type, event.subject, event.data, event.time, event.authorization)
        )
        indexes.append(index)
    return decoded
