"""Public traces that replay without a map: told by their header, with the map, accounts and prices they are shown with.

The prices are what a demonstration charges (USD for one unit); a vendor who has accounts and prices of his own maps the
file onto them instead.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final


@dataclass(frozen=True, slots=True)
class DemoPrice:
    """A meter of a demonstration (`property` summed; empty: events counted) and what one unit costs."""

    meter: str
    property: str
    unit_price: Decimal


@dataclass(frozen=True, slots=True)
class Preset:
    """A trace we know. columns: its header exactly.  accounts: demo accounts to spread it over; 0: a column names them."""

    name: str
    title: str
    columns: tuple[str, ...]
    entries: tuple[str, ...]
    prices: tuple[DemoPrice, ...]
    accounts: int = 0
    time_format: str = "iso"
    time_start: datetime | None = None


LLM_PRICES: Final = (
    DemoPrice("llm.input_tokens", "input_tokens", Decimal("0.00000015")),
    DemoPrice("llm.output_tokens", "output_tokens", Decimal("0.0000006")),
)

PRESETS: Final = (
    Preset(
        name="azure-llm",
        title="Azure LLM inference trace 2023 (times are UTC; models and customers are made up from the row number)",
        columns=("TIMESTAMP", "ContextTokens", "GeneratedTokens"),
        entries=(
            "type=const:llm.request",
            "time=TIMESTAMP",
            "input_tokens=ContextTokens",
            "output_tokens=GeneratedTokens",
            "model=pick:gpt-4o-mini,gpt-4o-mini-2024-07-18",
        ),
        prices=LLM_PRICES,
        accounts=10,
    ),
    Preset(
        name="mooncake",
        title="Mooncake conversation trace, FAST 2025 (start made up; customers made up from the row number)",
        columns=("timestamp_ms", "input_tokens", "output_tokens", "prefix_blocks", "cached_prefix_tokens_derived"),
        entries=(
            "type=const:llm.request",
            "time=timestamp_ms",
            "input_tokens=minus:input_tokens:cached_prefix_tokens_derived",
            "cached_input_tokens=cached_prefix_tokens_derived",
            "output_tokens=output_tokens",
            "model=const:kimi",
        ),
        prices=(*LLM_PRICES, DemoPrice("llm.cached_input_tokens", "cached_input_tokens", Decimal("0.000000075"))),
        accounts=10,
        time_format="relative-ms",
        time_start=datetime(2025, 1, 1, tzinfo=UTC),
    ),
    Preset(
        name="web-log",
        title="web server access log: requests and bytes by client (a client is an account)",
        columns=("timestamp", "client", "method", "path", "status", "bytes"),
        entries=(
            "type=const:http.request",
            "time=timestamp",
            "account=client",
            "bytes=bytes",
            "method=method",
            "status=status",
        ),
        prices=(DemoPrice("http.requests", "", Decimal("0.0001")), DemoPrice("http.bytes", "bytes", Decimal("0.00000000009"))),
    ),
)


def preset_for(columns: Sequence[str]) -> Preset | None:
    """The preset whose header this is, if there is one."""
    return next((preset for preset in PRESETS if preset.columns == tuple(columns)), None)


def preset_named(name: str) -> Preset | None:
    """The preset of this name, if there is one."""
    return next((preset for preset in PRESETS if preset.name == name), None)
