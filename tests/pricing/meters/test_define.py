"""Defining meters, archiving them."""

from __future__ import annotations

from typing import Any

import pytest

from pricing.meters.define import MeterArchived, MeterExists, archive_meter, define_meter
from pricing.meters.models import Meter
from tests.cast import days_after_opening
from wallets.errors import InvalidInput

AT = days_after_opening(0)
OUTPUT: dict[str, Any] = {
    "code": "llm.output_tokens",
    "event_type": "llm.request",
    "aggregation": "sum",
    "property": "output_tokens",
}


def test_a_meter_sums_a_property_of_events_that_pass_its_filters(db: None) -> None:
    define_meter(**OUTPUT, at=AT, filters={"tier": ["a", 2, True], "model": "gpt-5"}, dimensions=["model"], unit="token")
    meter = Meter.objects.get()
    assert (meter.code, meter.event_type, meter.aggregation, meter.property) == tuple(OUTPUT.values())
    assert meter.filters == {"tier": ["a", "2", "true"], "model": "gpt-5"}
    assert (meter.dimensions, meter.unit, meter.created_at) == (["model"], "token", AT)


@pytest.mark.parametrize("aggregation", ["sum", "max", "latest"])
def test_a_meter_measures_what_an_expression_computes(db: None, aggregation: str) -> None:
    computed = OUTPUT | {
        "property": "",
        "expression": " input_tokens - coalesce(cached_tokens, 0) ",
        "aggregation": aggregation,
    }
    define_meter(**computed, at=AT)
    meter = Meter.objects.get()
    assert (meter.property, meter.expression) == ("", "input_tokens - coalesce(cached_tokens, 0)")


def test_a_code_is_given_once(db: None) -> None:
    define_meter(**OUTPUT, at=AT)
    with pytest.raises(MeterExists):
        define_meter(**OUTPUT, at=AT)


def test_a_meter_is_archived_once(db: None) -> None:
    meter = define_meter(**OUTPUT, at=AT)
    assert archive_meter(meter=meter, at=AT).archived_at == AT
    with pytest.raises(MeterArchived):
        archive_meter(meter=meter, at=AT)


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("code", {"code": "out put"}),
        ("code", {"code": ""}),
        ("event_type", {"event_type": ""}),
        ("event_type", {"event_type": "a\x00"}),
        ("aggregation", {"aggregation": "median", "property": ""}),
        ("property", {"property": ""}),
        ("property", {"aggregation": "count"}),
        ("property", {"aggregation": "unique", "property": ""}),
        ("property", {"aggregation": "max", "property": ""}),
        ("property", {"expression": "input_tokens"}),
        ("expression", {"property": "", "aggregation": "count", "expression": "input_tokens"}),
        ("expression", {"aggregation": "unique", "expression": "input_tokens"}),
        ("expression", {"property": "", "expression": "input_tokens -"}),
        ("expression", {"property": "", "expression": "7"}),
        ("expression", {"property": "", "expression": "x" * 501}),
        ("filters.tier", {"filters": {"tier": None}}),
        ("filters.tier", {"filters": {"tier": []}}),
        ("filters.tier", {"filters": {"tier": [{}]}}),
        ("filters.tier", {"filters": {"tier": "x" * 256}}),
        ("filters", {"filters": {"": "x"}}),
        ("filters", {"filters": {str(number): "x" for number in range(11)}}),
        ("dimensions", {"dimensions": ["model", "model"]}),
        ("dimensions", {"dimensions": [str(number) for number in range(11)]}),
        ("dimensions", {"dimensions": [""]}),
        ("dimensions", {"dimensions": "model"}),
    ],
)
def test_what_is_not_acceptable_is_refused_by_name(db: None, field: str, values: dict[str, Any]) -> None:
    with pytest.raises(InvalidInput) as refused:
        define_meter(**(OUTPUT | values), at=AT)
    assert list(refused.value.fields) == [field]
    assert not Meter.objects.exists()
