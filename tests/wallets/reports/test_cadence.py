"""How a trend is read from gaps between top-ups."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from wallets.reports.cadence import trend_of


@pytest.mark.parametrize(
    ("top_ups", "mean", "spread", "last", "since", "trend"),
    [
        (1, None, None, None, "3", "too few to say"),
        (2, "30", "0", "30", "3", "too few to say"),
        (6, "30", "1", "30", "10", "steady"),
        (6, "30", "20", "35", "10", "irregular"),
        (6, "30", "20", "50", "10", "slowing"),
        (6, "30", "1", "30", "46", "slowing"),
        (6, "30", "1", "30", "91", "stopped"),
        (6, "30", "10", "15", "5", "quickening"),
    ],
)
def test_trends(top_ups: int, mean: str | None, spread: str | None, last: str | None, since: str, trend: str) -> None:
    numbers = {
        name: None if value is None else D(value) for name, value in (("mean", mean), ("spread", spread), ("last", last))
    }
    assert trend_of(top_ups=top_ups, since=D(since), **numbers) == trend
