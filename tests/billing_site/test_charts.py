"""Charts are geometry: checked as numbers, drawn by templates."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.bar_chart import Bar, bar_chart
from billing_site.scale import Scale, round_scale, scale_text
from billing_site.step_chart import step_chart

START = datetime(2026, 11, 1, tzinfo=UTC)


def texts_of(scale: Scale) -> list[str]:
    return [scale_text(value, step=scale.step) for value in scale.values()]


amounts = st.decimals(min_value="-1000000", max_value="1000000", places=6)


@pytest.mark.parametrize(
    ("highest", "texts"),
    [
        ("15", ["0", "5", "10", "15"]),
        ("0.9", ["0", "0.25", "0.50", "0.75", "1.00"]),
        ("1204", ["0", "500", "1,000", "1,500"]),
        ("0", ["0", "1"]),
        ("1.7", ["0", "0.50", "1.00", "1.50", "2.00"]),
    ],
)
def test_a_scale_has_round_numbers(highest: str, texts: list[str]) -> None:
    assert texts_of(round_scale(Decimal(0), Decimal(highest))) == texts


def test_a_scale_below_zero_keeps_zero_on_it() -> None:
    assert texts_of(round_scale(Decimal(-78), Decimal(20))) == [
        "−100", "−75", "−50", "−25", "0", "25",
    ]  # fmt: skip


@given(low=amounts, high=amounts)
def test_every_value_is_on_its_scale(low: Decimal, high: Decimal) -> None:
    low, high = min(low, high), max(low, high)
    scale = round_scale(low, high)
    assert scale.low <= min(low, Decimal(0)) <= max(high, Decimal(0)) <= scale.high
    assert 2 <= len(scale.values()) <= 8
    assert Decimal(0) in scale.values()


def test_bars_stand_on_the_base_and_the_highest_is_below_the_top() -> None:
    chart = bar_chart([Bar(str(number), Decimal(number), "") for number in range(5)])
    assert all(bar.y + bar.height == chart.base for bar in chart.bars)
    assert [bar.height for bar in chart.bars] == sorted(bar.height for bar in chart.bars)
    assert not chart.empty
    assert bar_chart([Bar("a", Decimal(0), "")]).empty


def test_labels_do_not_crowd_and_the_last_is_there() -> None:
    chart = bar_chart([Bar(str(number), Decimal(1), "") for number in range(30)])
    shown = [bar.label for bar in chart.bars if bar.show_label]
    assert len(shown) <= 7
    assert shown[-1] == "29"


def test_a_stepped_line_keeps_each_level_until_the_next() -> None:
    steps = [(START, Decimal(100)), (START + timedelta(days=5), Decimal(50))]
    chart = step_chart(steps, until=START + timedelta(days=10), label=lambda moment: f"{moment:%d}")
    assert chart is not None
    assert chart.line == "M48.0 10.0H234.0V79.0H420"
    assert [mark.text for mark in chart.ends] == ["01", "11"]


def test_fewer_than_two_levels_are_no_line() -> None:
    assert step_chart([(START, Decimal(1))], until=START + timedelta(1), label=str) is None
    assert step_chart([], until=START, label=str) is None
