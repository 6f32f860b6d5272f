"""What the decision has counted in Redis, minute by minute (`client/redis_decision.py`)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from metering.gate.client.redis_decision import MINUTE_PREFIX, MINUTES_KEPT_SECONDS
from wallets.redis_client import ask_redis

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
HALF: Final = 10**15
MINUTES_COUNTED: Final = MINUTES_KEPT_SECONDS // 60
"""How far back Redis knows."""


@dataclass(frozen=True, slots=True)
class CountedMinute:
    """A minute: decisions by reason (allow, or why not), what refused calls would have cost by account key and currency."""

    at: datetime
    decisions: Mapping[str, int]
    refused: Mapping[tuple[str, str], Decimal]


def minutes_in_redis(*, at: datetime, minutes: int) -> list[CountedMinute]:
    """The minute of `at` and those before it, the latest first; in one round trip. Raises RedisAway."""
    latest = (at - EPOCH) // MINUTE
    numbers = range(latest, latest - minutes, -1)

    def read(redis: Any) -> list[dict[bytes, bytes]]:
        pipe = redis.pipeline(transaction=False)
        for number in numbers:
            pipe.hgetall(f"{MINUTE_PREFIX}{number}")
        found: list[dict[bytes, bytes]] = pipe.execute()
        return found

    return [_minute(number, fields) for number, fields in zip(numbers, ask_redis(read), strict=True)]


def _minute(number: int, fields: Mapping[bytes, bytes]) -> CountedMinute:
    decisions: dict[str, int] = {}
    refused: dict[tuple[str, str], Decimal] = {}
    for name, value in fields.items():
        word, _, of = name.decode().partition(" ")
        if word == "value":
            key, _, currency = of.rpartition(" ")
            refused[key, currency] = sum_in_words(value.decode())
        else:
            decisions[word] = int(value)
    return CountedMinute(EPOCH + number * MINUTE, decisions, refused)


def sum_in_words(text: str) -> Decimal:
    """A sum as the scripts keep it (`wallets/balances/reserved.py`)."""
    high, low = text.split(" ")
    return Decimal(int(high) * HALF + int(low)).scaleb(-12)
