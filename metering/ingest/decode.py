"""Bytes -> events, or named errors. Pure.

The usual case is one pass of a compiled decoder over the whole list; only when that fails are the events decoded one by
one, so that a bad one is refused by its index and the others are kept. `properties` stay the bytes that were sent until
the event is rated: then they are decoded, numbers exactly (never through a float), and checked for what jsonb cannot hold.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal, InvalidOperation
from itertools import islice
from typing import Annotated, Any, Final, NamedTuple

import msgspec
from msgspec import Meta, Raw, Struct

from metering.ingest.split import NotAList, cut_list, is_json
from wallets.errors import Refusal

MAX_EVENTS: Final = 10_000
MAX_ID: Final = 255
MAX_PROPERTIES_BYTES: Final = 65_536
MAX_EVENT_BYTES: Final = 1_048_576  # no event that can be taken is larger; what cannot be read is looked into up to here
MAX_DEPTH: Final = 32
MAX_EXPONENT: Final = 1_000
MAX_DIGITS: Final = 1_000
MAX_COMMAS: Final = 500_000  # in a list of events that are cut apart by the compiled decoder, which keeps every element

Text = Annotated[str, Meta(min_length=1, max_length=MAX_ID)]
Moment = Annotated[datetime, Meta(tz=True)]


class UnreadableBody(Refusal):
    """The body as a whole is not JSON of the promised shape; nothing was taken."""

    code = "malformed"


class TooManyEvents(Refusal):
    """More than MAX_EVENTS events in one request; nothing was taken."""

    code = "too_many_events"


class Rejected(NamedTuple):
    """An event that was refused: its place in the request, its id if it has one, a stable code and a sentence."""

    index: int  # type: ignore[assignment]  # hides tuple.index, which nobody wants here
    id: str | None
    code: str
    detail: str


class UsageInput(Struct, gc=False):
    """One event as it arrived; `usage_input` makes one from Python values. `properties`: its JSON, untouched; `time` None
    means on arrival; `authorization` names the reservation the event settles."""

    id: Text
    type: Text
    account: Text
    properties: Raw = Raw(b"{}")
    time: Moment | None = None
    authorization: Text | None = None


class Decoded(NamedTuple):
    """Events, each with its place in the request, and those refused."""

    events: list[UsageInput]
    indexes: Sequence[int]
    rejected: list[Rejected]


class _NotStorable(ValueError):
    """Valid JSON that the database's JSON type cannot hold."""


def _exact(text: str) -> Decimal:
    try:
        number = Decimal(text) if len(text) <= MAX_DIGITS else None
    except InvalidOperation:  # an exponent beyond any that Decimal can hold
        number = None
    if number is None or abs(number.adjusted()) > MAX_EXPONENT:
        raise ValueError(f"number out of range (at most {MAX_DIGITS} digits, exponents up to {MAX_EXPONENT})")
    return number


_list = msgspec.json.Decoder(list[UsageInput])
_one = msgspec.json.Decoder(UsageInput)
_raws = msgspec.json.Decoder(list[Raw])
_properties = msgspec.json.Decoder(dict[str, Any], float_hook=_exact)
_stored = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal)
_number_encoder = msgspec.json.Encoder(decimal_format="number")
DECODE_ERRORS: Final = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, _NotStorable, ValueError)


def decode_events(body: bytes) -> Decoded:
    """The events of a request body: one JSON object or a list of up to MAX_EVENTS. Properties are not looked into yet.

    Raises UnreadableBody when it is not JSON of that shape, TooManyEvents when the list is too long.
    """
    start = body.lstrip()[:1]
    if start == b"{":
        return _each([Raw(body)])
    if start != b"[":
        raise UnreadableBody("The body must be a JSON object (one event) or a list of events.")
    try:
        events = _list.decode(body)
    except DECODE_ERRORS:
        return _each(split_list(body))
    if len(events) > MAX_EVENTS:
        raise TooManyEvents(f"At most {MAX_EVENTS} events a request; this one has {len(events)}.")
    return Decoded(events, range(len(events)), [])


def split_list(body: bytes) -> list[Raw]:
    """The elements of a JSON list, not decoded; `refusal_of` tells those that are no JSON.

    Raises UnreadableBody, TooManyEvents.
    """
    raws: list[Raw] = []
    if body.count(b",") <= MAX_COMMAS:
        try:
            raws = _raws.decode(body)
        except DECODE_ERRORS:
            raws = []
    try:
        raws = raws or [Raw(element) for element in islice(cut_list(body.strip()), MAX_EVENTS + 1)]
    except NotAList as error:
        raise UnreadableBody(f"The body is not valid JSON: {error}.") from error
    if len(raws) > MAX_EVENTS:
        raise TooManyEvents(f"At most {MAX_EVENTS} events a request; this one has more.")
    return raws


def refusal_of(index: int, raw: Raw, error: Exception) -> Rejected:
    """An element that could not be decoded, refused. Raises UnreadableBody when it is not JSON: then the body is not."""
    if isinstance(error, msgspec.ValidationError):
        return Rejected(index, _id_of(raw), "invalid", sentence(error))
    if len(bytes(raw)) > MAX_EVENT_BYTES or not is_json(bytes(raw)):
        raise UnreadableBody(f"The body is not valid JSON: {sentence(error)}") from error
    if isinstance(error, msgspec.DecodeError):  # valid JSON all the same
        return Rejected(index, None, "invalid", "the event contains half a surrogate pair")
    return Rejected(index, _id_of(raw), "invalid", sentence(error))


def _each(raws: list[Raw]) -> Decoded:
    indexes: list[int] = []
    decoded = Decoded([], indexes, [])
    for index, raw in enumerate(raws):
        try:
            decoded.events.append(_one.decode(raw))
            indexes.append(index)
        except DECODE_ERRORS as error:
            decoded.rejected.append(refusal_of(index, raw, error))
    return decoded


def only_of_account(decoded: Decoded, account: str) -> Decoded:
    """The events of one account; those of any other are refused as if it did not exist."""
    kept: list[UsageInput] = []
    indexes: list[int] = []
    rejected = list(decoded.rejected)
    for index, event in zip(decoded.indexes, decoded.events, strict=True):
        if event.account == account:
            kept.append(event)
            indexes.append(index)
        else:
            rejected.append(Rejected(index, event.id, "unknown_account", f"There is no account {event.account!r}."))
    return Decoded(kept, indexes, rejected)


def decode_properties(properties: Raw) -> tuple[dict[str, Any], bytes]:
    """The properties of an event: their values, numbers exact, and the JSON to store.

    Raises one of DECODE_ERRORS when they are not an object or hold what PostgreSQL's jsonb cannot.
    """
    raw = bytes(properties)
    if len(raw) > MAX_PROPERTIES_BYTES:
        raise _NotStorable(f"properties has {len(raw)} bytes; at most {MAX_PROPERTIES_BYTES}")
    values = _properties.decode(raw)
    # What jsonb refuses hides behind an escape, nesting, many digits or non-ASCII text; look closer only then.
    if b"\\" in raw or b"[" in raw or raw.find(b"{", 1) >= 0 or len(raw) > MAX_DIGITS or not raw.isascii():
        _check_storable(values, 0)
    return values, raw


def decode_stored(properties: Raw) -> dict[str, Any]:
    """The properties of an event as PostgreSQL prints them, numbers exact; they were checked when they came. The same
    number may have more digits now (1e-900), and the whole more bytes."""
    return _stored.decode(properties)


def usage_input(
    *, event_id: str, event_type: str, account: str, time: datetime | None, properties: Mapping[str, Any]
) -> UsageInput:
    """An event from Python values: exact numbers (int, Decimal), texts, booleans, lists and mappings of them.

    time: aware, or None for on arrival. Raises ValueError when something cannot be stored.
    """
    return UsageInput(event_id, event_type, account, Raw(encode_properties(properties)), time)


def encode_properties(properties: Mapping[str, Any]) -> bytes:
    """Properties as JSON, decimals as exact numbers. Raises ValueError when they cannot be stored."""
    _check_storable(properties, 0)
    return _number_encoder.encode(properties)


def _check_storable(value: Any, depth: int) -> None:
    """Raises _NotStorable for what jsonb refuses, however deep it is hidden."""
    if depth > MAX_DEPTH:
        raise _NotStorable(f"properties is nested deeper than {MAX_DEPTH}")
    if isinstance(value, str):
        _check_text(value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            _check_storable(key, depth + 1)
            _check_storable(inner, depth + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            _check_storable(inner, depth + 1)
    elif isinstance(value, Decimal | int | float):
        _check_number(value)


def _check_text(text: str) -> None:
    if "\x00" in text:
        raise _NotStorable("properties contains a NUL character")
    if any("\ud800" <= letter <= "\udfff" for letter in text):
        raise _NotStorable("properties contains half a surrogate pair")


def _check_number(number: Decimal | float) -> None:
    if isinstance(number, float):
        raise _NotStorable("properties contains a binary float; send a decimal")
    if isinstance(number, int):
        if number.bit_length() > 4 * MAX_DIGITS:
            raise _NotStorable(f"properties contains a number of more than {MAX_DIGITS} digits")
    elif not number.is_finite() or abs(number.adjusted()) > MAX_EXPONENT:
        raise _NotStorable("properties contains a number out of range")


def _id_of(raw: Raw) -> str | None:
    try:
        value = msgspec.json.decode(raw, type=dict[str, Raw]).get("id")
        text = None if value is None else msgspec.json.decode(value)
    except DECODE_ERRORS:
        return None
    return text[:MAX_ID] if isinstance(text, str) and text.isprintable() else None


def sentence(error: BaseException) -> str:
    """What is wrong with an event, for whoever sent it."""
    if isinstance(error, RecursionError):
        return f"properties is nested deeper than {MAX_DEPTH}"
    if isinstance(error, UnicodeDecodeError):
        return "not valid UTF-8"
    text = str(error)
    return text if len(text) <= 300 else text[:300] + "…"  # noqa: PLR2004 - a sentence, not a dump
