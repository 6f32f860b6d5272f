"""Which column of a file is what of an event. Pure.

A map is a list of `TARGET=SOURCE`. Targets are `id`, `type`, `account`, `time`, or the name of a property (written
`properties.NAME` when it is one of these four words). Sources:

    COLUMN                  the value of this column; in JSONL a member, `usage.prompt_tokens` for one inside another
    column:COLUMN           the same, for a column whose name looks like another source
    const:TEXT              the same text for every row
    pick:A,B,C              one of these texts, chosen by the row's number
    minus:COLUMN:COLUMN     the first less the second, exact (an empty second counts as 0)
    *                       alone, without a target: every column not named otherwise is a property of its own name

Times: `iso` (the default; without an offset it is taken in the time zone given), `epoch`, `epoch-ms`, `relative` and
`relative-ms` (since the start given), or a pattern of strptime (`%d/%b/%Y:%H:%M:%S %z`).
"""

from __future__ import annotations

import zlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from metering.ingest.decode import MAX_ID, UsageInput, usage_input
from metering.ingest.replay_rows import Record, Shape
from wallets.errors import InvalidInput

FIELDS: Final = ("id", "type", "account", "time")
TIME_FORMATS: Final = ("iso", "epoch", "epoch-ms", "relative", "relative-ms")
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECONDS: Final = {"epoch": 1_000_000, "epoch-ms": 1_000, "relative": 1_000_000, "relative-ms": 1_000}
LARGEST_TIME: Final = Decimal(10) ** 15  # in the unit of the column: far beyond year 9999
MOST_ACCOUNTS: Final = 100_000
MAX_FILE_NAME: Final = 200
WHOLE_DIGITS: Final = 18

Getter = Callable[[Record], Any]


class BadMap(InvalidInput):
    """The map does not fit together, or does not fit the file."""

    code = "invalid_map"


class BadValue(ValueError):
    """A record that cannot become an event; the message names the field."""


@dataclass(frozen=True, slots=True)
class Source:
    """Where a value comes from: its kind (`column`, `const`, `pick`, `minus`) and what the kind needs."""

    kind: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Spread:
    """Rows go to `count` accounts called `prefix-1` and so on (zero-padded), chosen by the row's number."""

    count: int
    prefix: str

    def accounts(self) -> list[str]:
        """All the account keys."""
        return [self._key(number) for number in range(self.count)]

    def key_of(self, row: int) -> str:
        """The account key of a row."""
        return self._key(zlib.crc32(f"account {row}".encode()) % self.count)

    def _key(self, number: int) -> str:
        return f"{self.prefix}-{number + 1:0{len(str(self.count))}d}"


@dataclass(frozen=True, slots=True)
class EventMap:
    """How records become events. fields: by `FIELDS`; without `id` it is the file's name and the row's number.

    spread: accounts for a file that names none.  zone: of times without an offset.  time_start: of relative times.
    """

    fields: Mapping[str, Source]
    properties: Mapping[str, Source] = field(default_factory=dict)
    keep_rest: bool = False
    spread: Spread | None = None
    time_format: str = "iso"
    zone: tzinfo = UTC
    time_start: datetime | None = None
    id_prefix: str = ""


def parse_map(
    entries: Sequence[str],
    *,
    spread: Spread | None = None,
    time_format: str = "iso",
    zone: tzinfo = UTC,
    time_start: datetime | None = None,
    id_prefix: str = "",
) -> EventMap:
    """The map written as `TARGET=SOURCE` entries. Raises BadMap naming the entry that is wrong."""
    fields: dict[str, Source] = {}
    properties: dict[str, Source] = {}
    keep_rest = False
    for entry in entries:
        if entry in {"*", "*=*"}:
            keep_rest = True
            continue
        target, equals, written = entry.partition("=")
        target = target.strip()
        if not (equals and target and written):
            raise BadMap(f"{entry!r} is not TARGET=SOURCE.", fields={"map": "TARGET=SOURCE"})
        known, name = (fields, target) if target in FIELDS else (properties, target.removeprefix("properties."))
        if name in known:
            raise BadMap(f"{target} is mapped twice.", fields={"map": "each target once"})
        known[name] = _source(entry, written)
    if "type" not in fields:
        raise BadMap("The map does not say what type the events are.", fields={"map": "type=const:llm.request, or a column"})
    if "time" not in fields:
        raise BadMap("The map does not say when the events happened.", fields={"map": "time=COLUMN"})
    if ("account" in fields) == (spread is not None):
        raise BadMap("Either a column names the account, or rows are spread over accounts.", fields={"map": "account=COLUMN"})
    _check_times(time_format, time_start)
    return EventMap(fields, properties, keep_rest, spread, time_format, zone, time_start, id_prefix)


def _source(entry: str, written: str) -> Source:
    kind, colon, rest = written.partition(":")
    if not colon or kind not in {"column", "const", "pick", "minus"}:
        return Source("column", (written,))
    names = tuple(rest.split(",")) if kind == "pick" else tuple(rest.split(":")) if kind == "minus" else (rest,)
    if not all(names) or (kind == "minus" and len(names) != 2):  # noqa: PLR2004 - a difference has two sides
        raise BadMap(f"The source of {entry!r} is incomplete.", fields={"map": "const:TEXT, pick:A,B or minus:COLUMN:COLUMN"})
    return Source(kind, names)


def _check_times(time_format: str, time_start: datetime | None) -> None:
    if time_format not in TIME_FORMATS and "%" not in time_format:
        raise BadMap(
            f"There is no time format {time_format!r}.",
            fields={"time_format": f"{', '.join(TIME_FORMATS)} or a pattern with %"},
        )
    if time_format.startswith("relative") and time_start is None:
        raise BadMap("Relative times need a start.", fields={"time_start": "a time with its offset"})


class EventMaker:
    """Makes events of the records of one file."""

    def __init__(self, event_map: EventMap, shape: Shape, *, file_name: str) -> None:
        """Raises BadMap when the map names a column the file does not have."""
        self._map = event_map
        self._shape = shape
        name = "".join(letter if letter.isprintable() else "?" for letter in file_name)[-MAX_FILE_NAME:]
        self._row_id = f"{event_map.id_prefix}{name}:"
        self._id = self._getter("id") if "id" in event_map.fields else None
        self._type = self._getter("type")
        self._account = self._getter("account") if event_map.spread is None else None
        self._time = self._getter("time")
        self._parse_time = _time_parser(event_map)
        self._properties = [
            (target, self._of_source(source, target), source.kind == "column")
            for target, source in event_map.properties.items()
        ]
        self._named = {
            name
            for source in [*event_map.fields.values(), *event_map.properties.values()]
            if source.kind in {"column", "minus"}
            for name in source.names
        }
        if event_map.keep_rest and shape.format == "csv":
            rest = [name for name in shape.columns if name not in self._named and name]
            self._properties += [(name, self._column(name), True) for name in rest]

    def event(self, record: Record, shift: timedelta) -> UsageInput:
        """The record's event, its time moved by `shift`. Raises BadValue."""
        spread = self._map.spread
        properties: dict[str, Any] = {}
        if self._map.keep_rest and isinstance(record.values, Mapping):
            properties.update({name: value for name, value in record.values.items() if name not in self._named})
        for target, getter, plain in self._properties:
            value = getter(record)
            if value is not None:
                properties[target] = _whole(value) if plain and type(value) is str else value
        try:
            return usage_input(
                event_id=self.event_id(record),
                event_type=_text("type", self._type(record)),
                account=_text("account", self._account(record)) if self._account else spread.key_of(record.row),  # type: ignore[union-attr]
                time=self.time(record) + shift,
                properties=properties,
            )
        except OverflowError:
            raise BadValue("time is beyond the calendar") from None
        except BadValue:
            raise
        except ValueError as error:
            raise BadValue(str(error)) from error

    def event_id(self, record: Record) -> str:
        """The id of the record's event. Raises BadValue."""
        if self._id is None:
            return f"{self._row_id}{record.row}"
        return _text("id", f"{self._map.id_prefix}{_text('id', self._id(record))}")

    def time(self, record: Record) -> datetime:
        """When the record's event happened, before any shift. Raises BadValue."""
        value = self._time(record)
        if value is None:
            raise BadValue("time is missing")
        try:
            return self._parse_time(value)
        except (ValueError, TypeError, ArithmeticError):
            raise BadValue(f"time {str(value)[:60]!r} is not {self._map.time_format}") from None

    def _getter(self, target: str) -> Getter:
        return self._of_source(self._map.fields[target], target)

    def _of_source(self, source: Source, target: str) -> Getter:
        if source.kind == "const":
            text = source.names[0]
            return lambda _: text
        if source.kind == "pick":
            names, salt = source.names, target
            return lambda record: names[zlib.crc32(f"{salt} {record.row}".encode()) % len(names)]
        if source.kind == "minus":
            first, second = (self._column(name) for name in source.names)
            return lambda record: _difference(first(record), second(record), target)
        return self._column(source.names[0])

    def _column(self, name: str) -> Getter:
        if self._shape.format == "jsonl":
            return lambda record: _member(record.values, name)
        if name not in self._shape.columns:
            there = ", ".join(self._shape.columns)
            raise BadMap(f"The file has no column {name!r}; it has {there[:300]}.", fields={"map": "a column of the file"})
        place = self._shape.columns.index(name)
        return lambda record: record.values[place].strip() or None  # type: ignore[index]


def _member(values: Any, path: str) -> Any:
    """A member of a JSON object, by its name or by the way to it."""
    if path in values:
        return values[path]
    for name in path.split("."):
        if not isinstance(values, Mapping):
            return None
        values = values.get(name)
    return values


def _whole(text: str) -> str | int:
    """A CSV value that is a whole number, as one; it reads the same as a number or as a text."""
    if text.isdigit() and text.isascii() and len(text) <= WHOLE_DIGITS and (text[0] != "0" or len(text) == 1):
        return int(text)
    return text


def _text(name: str, value: Any) -> str:
    if isinstance(value, int | Decimal) and not isinstance(value, bool):
        value = f"{Decimal(value).normalize():f}"
    if not isinstance(value, str) or not value:
        raise BadValue(f"{name} is missing" if value is None or value == "" else f"{name} is not a text")
    if len(value) > MAX_ID:
        raise BadValue(f"{name} is longer than {MAX_ID} characters")
    return value


def _number(name: str, value: Any) -> Decimal:
    try:
        number = Decimal(value)
    except (InvalidOperation, TypeError, ValueError):
        raise BadValue(f"{name}: {str(value)[:60]!r} is not a number") from None
    if isinstance(value, bool) or not number.is_finite():
        raise BadValue(f"{name}: {str(value)[:60]!r} is not a number")
    return number


def _difference(first: Any, second: Any, target: str) -> Decimal | None:
    if first is None:
        return None
    return _number(target, first) - (_number(target, second) if second is not None else 0)


def _time_parser(event_map: EventMap) -> Callable[[Any], datetime]:
    time_format, zone = event_map.time_format, event_map.zone

    def aware(moment: datetime) -> datetime:
        return moment.replace(tzinfo=zone) if moment.tzinfo is None else moment

    if time_format == "iso":
        return lambda value: aware(datetime.fromisoformat(value))
    if time_format in MICROSECONDS:
        start = event_map.time_start or EPOCH if time_format.startswith("relative") else EPOCH
        unit = MICROSECONDS[time_format]
        return lambda value: start + _span(value, unit)
    return lambda value: aware(datetime.strptime(value, time_format))  # noqa: DTZ007 - made aware here


def _span(value: Any, microseconds: int) -> timedelta:
    number = _number("time", value)
    if abs(number) > LARGEST_TIME:
        raise ValueError("too far")
    return timedelta(microseconds=int((number * microseconds).to_integral_value()))
