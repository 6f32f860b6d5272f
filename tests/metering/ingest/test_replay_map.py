"""A map says which column is what; it is exact about numbers and times, and says what does not fit."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from metering.ingest.decode import UsageInput
from metering.ingest.replay_map import BadMap, BadValue, EventMaker, Spread, parse_map
from metering.ingest.replay_presets import PRESETS, preset_for
from metering.ingest.replay_rows import START, Record, Shape

COLUMNS = ("id", "when", "customer", "tokens", "cached", "note")
CSV = Shape("csv", COLUMNS)
JSONL = Shape("jsonl")
BASE = ("type=const:llm.request", "time=when", "account=customer")
STILL = timedelta(0)


def csv_record(row: int = 1, **fields: str) -> Record:
    """A CSV record; what is not given is a usual value."""
    usual = {"id": "e1", "when": "2026-11-01T10:00:00Z", "customer": "acme", "tokens": "12", "cached": "", "note": ""}
    return Record(row + 1, row, START, [(usual | fields)[name] for name in COLUMNS])


def event_of(
    entries: tuple[str, ...], record: Record, *, shape: Shape = CSV, shift: timedelta = STILL, **options: Any
) -> UsageInput:
    """The event a record makes by a map."""
    return EventMaker(parse_map(entries, **options), shape, file_name="usage.csv").event(record, shift)


def properties_of(event: UsageInput) -> Any:
    """Its properties, numbers as written."""
    return json.loads(bytes(event.properties), parse_float=Decimal)


def test_columns_become_fields_and_properties() -> None:
    event = event_of((*BASE, "id=id", "input_tokens=tokens", "properties.type=note"), csv_record(note="chat"))
    assert (event.id, event.type, event.account) == ("e1", "llm.request", "acme")
    assert event.time == datetime(2026, 11, 1, 10, tzinfo=UTC)
    assert properties_of(event) == {"input_tokens": 12, "type": "chat"}


def test_without_an_id_it_is_the_files_name_and_the_record_number() -> None:
    assert event_of(BASE, csv_record(row=17)).id == "usage.csv:17"
    assert event_of(BASE, csv_record(row=17), id_prefix="again-").id == "again-usage.csv:17"
    assert event_of((*BASE, "id=id"), csv_record(), id_prefix="again-").id == "again-e1"


def test_empty_values_are_left_out_and_numbers_are_not_changed() -> None:
    entries = (*BASE, "a=tokens", "b=cached", "c=note")
    assert properties_of(event_of(entries, csv_record(tokens="007", note=" 0.10 "))) == {"a": "007", "c": "0.10"}
    assert properties_of(event_of(entries, csv_record(tokens="0"))) == {"a": 0}
    assert properties_of(event_of(entries, csv_record(tokens="123456789012345678901234"))) == {"a": "123456789012345678901234"}


def test_constants_picks_and_differences() -> None:
    entries = (*BASE, "model=const:gpt-5", "fresh=minus:tokens:cached", "region=pick:eu,us")
    event = event_of(entries, csv_record(tokens="10.5", cached="0.25"))
    assert properties_of(event)["model"] == "gpt-5"
    assert properties_of(event)["fresh"] == Decimal("10.25")
    regions = Counter(properties_of(event_of(entries, csv_record(row=row)))["region"] for row in range(1, 1001))
    assert set(regions) == {"eu", "us"}
    assert min(regions.values()) > 400
    assert properties_of(event_of(entries, csv_record(row=5))) == properties_of(event_of(entries, csv_record(row=5)))
    assert properties_of(event_of(entries, csv_record(tokens="7")))["fresh"] == 7
    assert "fresh" not in properties_of(event_of(entries, csv_record(tokens="")))


def test_a_star_keeps_the_columns_that_are_not_named() -> None:
    event = event_of((*BASE, "in=tokens", "*"), csv_record(cached="3", note="x"))
    assert properties_of(event) == {"id": "e1", "in": 12, "cached": 3, "note": "x"}


def test_a_column_named_like_another_source_can_be_named() -> None:
    shape = Shape("csv", ("const:x", "t"))
    event = event_of(
        ("type=const:a", "time=t", "account=const:acme", "p=column:const:x"),
        Record(2, 1, START, ["5", "2026-11-01"]),
        shape=shape,
    )
    assert properties_of(event) == {"p": 5}


def test_json_members_are_found_by_name_and_by_path() -> None:
    record = Record(
        1, 1, START, {"when": "2026-11-01T10:00:00+02:00", "usage": {"in": Decimal("1.50")}, "usage.out": 7, "customer": 42}
    )
    event = event_of((*BASE, "input=usage.in", "output=usage.out", "none=usage.x.y"), record, shape=JSONL)
    assert properties_of(event) == {"input": Decimal("1.50"), "output": 7}
    assert event.account == "42"
    assert event.time == datetime(2026, 11, 1, 8, tzinfo=UTC)
    kept = event_of((*BASE, "*"), record, shape=JSONL)
    assert properties_of(kept) == {"usage": {"in": Decimal("1.50")}, "usage.out": 7}


@pytest.mark.parametrize(
    ("text", "time_format", "options", "expected"),
    [
        ("2023-11-16 18:17:03.9799600", "iso", {}, datetime(2023, 11, 16, 18, 17, 3, 979960, tzinfo=UTC)),
        ("2023-11-16T18:17:03+05:30", "iso", {}, datetime(2023, 11, 16, 12, 47, 3, tzinfo=UTC)),
        ("2023-07-01 12:00", "iso", {"zone": ZoneInfo("Europe/Berlin")}, datetime(2023, 7, 1, 10, tzinfo=UTC)),
        ("1700000000.123456", "epoch", {}, datetime(2023, 11, 14, 22, 13, 20, 123456, tzinfo=UTC)),
        ("1700000000123", "epoch-ms", {}, datetime(2023, 11, 14, 22, 13, 20, 123000, tzinfo=UTC)),
        ("1.5", "relative", {"time_start": datetime(2026, 1, 1, tzinfo=UTC)},
         datetime(2026, 1, 1, 0, 0, 1, 500000, tzinfo=UTC)),
        ("3536999", "relative-ms", {"time_start": datetime(2026, 1, 1, tzinfo=UTC)},
         datetime(2026, 1, 1, 0, 58, 56, 999000, tzinfo=UTC)),
        ("17/May/2015:10:05:03 +0000", "%d/%b/%Y:%H:%M:%S %z", {}, datetime(2015, 5, 17, 10, 5, 3, tzinfo=UTC)),
        ("17.05.2015", "%d.%m.%Y", {}, datetime(2015, 5, 17, tzinfo=UTC)),
    ],
)  # fmt: skip
def test_times_of_every_kind(text: str, time_format: str, options: dict[str, Any], expected: datetime) -> None:
    assert event_of(BASE, csv_record(when=text), time_format=time_format, **options).time == expected


def test_a_shift_moves_the_time_and_nothing_else() -> None:
    event = event_of(BASE, csv_record(), shift=timedelta(days=3, microseconds=1))
    assert event.time == datetime(2026, 11, 4, 10, 0, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"when": "yesterday"}, "time 'yesterday' is not iso"),
        ({"when": ""}, "time is missing"),
        ({"customer": ""}, "account is missing"),
        ({"customer": "x" * 256}, "account is longer than 255"),
        ({"id": ""}, "id is missing"),
        ({"tokens": "many"}, "fresh: 'many' is not a number"),
        ({"tokens": "Infinity"}, "fresh: 'Infinity' is not a number"),
        ({"tokens": "NaN"}, "fresh: 'NaN' is not a number"),
    ],
)
def test_a_record_that_cannot_be_an_event_says_why(fields: dict[str, str], says: str) -> None:
    with pytest.raises(BadValue, match=says):
        event_of((*BASE, "id=id", "fresh=minus:tokens:cached"), csv_record(**fields))


@pytest.mark.parametrize("text", ["NaN", "Infinity", "1e999999", "9999999999999999", "-99999999999999"])
@pytest.mark.parametrize("time_format", ["epoch", "epoch-ms"])
def test_a_time_beyond_the_calendar_is_a_bad_value(text: str, time_format: str) -> None:
    with pytest.raises(BadValue, match="time"):
        event_of(BASE, csv_record(when=text), time_format=time_format)


def test_a_shift_beyond_the_calendar_is_a_bad_value() -> None:
    with pytest.raises(BadValue, match="beyond the calendar"):
        event_of(BASE, csv_record(when="9999-12-31"), shift=timedelta(days=10))


@pytest.mark.parametrize(
    ("entries", "options", "says"),
    [
        (("time=when", "account=customer"), {}, "what type"),
        (("type=const:x", "account=customer"), {}, "when the events happened"),
        (("type=const:x", "time=when"), {}, "Either a column names the account"),
        (BASE, {"spread": Spread(3, "demo")}, "Either a column names the account"),
        ((*BASE, "tokens"), {}, "is not TARGET=SOURCE"),
        ((*BASE, "a=tokens", "a=cached"), {}, "mapped twice"),
        ((*BASE, "a=minus:tokens"), {}, "incomplete"),
        ((*BASE, "a=pick:x,,y"), {}, "incomplete"),
        ((*BASE, "a=const:"), {}, "incomplete"),
        (BASE, {"time_format": "lunar"}, "no time format"),
        (BASE, {"time_format": "relative"}, "need a start"),
        ((*BASE, "a=nothing"), {}, "no column 'nothing'"),
    ],
)
def test_a_map_that_does_not_fit_is_refused_with_the_reason(
    entries: tuple[str, ...], options: dict[str, Any], says: str
) -> None:
    with pytest.raises(BadMap, match=says):
        event_of(entries, csv_record(), **options)


def test_rows_spread_over_demo_accounts_evenly_and_always_alike() -> None:
    spread = Spread(20, "demo")
    counts = Counter(spread.key_of(row) for row in range(1, 20_001))
    assert set(counts) == set(spread.accounts())
    assert spread.accounts()[0] == "demo-01"
    assert min(counts.values()) > 800
    event = event_of(("type=const:x", "time=when"), csv_record(row=17), spread=spread)
    assert event.account == spread.key_of(17)


def test_presets_are_told_by_their_header_and_their_maps_fit_it() -> None:
    for preset in PRESETS:
        assert preset_for(preset.columns) is preset
        spread = Spread(preset.accounts, preset.name) if preset.accounts else None
        event_map = parse_map(preset.entries, spread=spread, time_format=preset.time_format, time_start=preset.time_start)
        EventMaker(event_map, Shape("csv", preset.columns), file_name="trace.csv")
    assert preset_for(("something", "else")) is None
