"""What the gate has been deciding, from the counters and lists the decision keeps in Redis: for the pages. Empty after Redis
was lost, and while it is away."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from metering.gate.client.redis_decision import MINUTE_PREFIX, REFUSED_PREFIX
from wallets.balances.reserved import LEASES_PREFIX
from wallets.money import ZERO
from wallets.redis_client import RedisAway, ask_redis

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE: Final = timedelta(minutes=1)
HALF: Final = 10**15
MINUTES_SHOWN: Final = 15
MOST_ACCOUNTS: Final = 10
REASONS: Final = ("allow", "balance_exhausted", "spend_cap", "rate_limited", "wallet_frozen", "account_suspended")


@dataclass(frozen=True, slots=True)
class Minute:
    """Decisions of one minute, in the order of REASONS."""

    at: datetime
    decisions: Sequence[int]

    @property
    def total(self) -> int:
        """All of them."""
        return sum(self.decisions)


@dataclass(frozen=True, slots=True)
class RefusedAccount:
    """What refused calls of an account would have cost in the minutes shown, and its live leases now."""

    key: str
    currency: str
    amount: Decimal
    leases: int


@dataclass(frozen=True, slots=True)
class Live:
    """The gate now; away: Redis cannot be asked."""

    minutes: Sequence[Minute]
    refused: Sequence[RefusedAccount]
    away: bool = False


@dataclass(frozen=True, slots=True)
class RefusedCall:
    """A call that was refused or throttled, and what that was decided on. amount: None when it was not known."""

    at: datetime
    verdict: str
    reason: str
    amount: Decimal | None
    currency: str
    available: Decimal
    reserved: Decimal
    version: str
    policy: str
    cap: str
    call: str


def live_gate(*, at: datetime) -> Live:
    """Decisions by minute and reason, the latest first, and the accounts whose refused calls would have cost most."""
    latest = (at - EPOCH) // MINUTE
    numbers = range(latest, latest - MINUTES_SHOWN, -1)

    def read(redis: Any) -> list[dict[bytes, bytes]]:
        pipe = redis.pipeline(transaction=False)
        for number in numbers:
            pipe.hgetall(f"{MINUTE_PREFIX}{number}")
        found: list[dict[bytes, bytes]] = pipe.execute()
        return found

    try:
        hashes = ask_redis(read)
        minutes, values = [], dict[tuple[str, str], Decimal]()
        for number, fields in zip(numbers, hashes, strict=True):
            text = {name.decode(): value.decode() for name, value in fields.items()}
            minutes.append(Minute(EPOCH + number * MINUTE, [int(text.get(reason, 0)) for reason in REASONS]))
            for name, value in text.items():
                word, _, of = name.partition(" ")
                if word == "value":
                    key, _, currency = of.rpartition(" ")
                    values[key, currency] = values.get((key, currency), ZERO) + _amount(value)
        dearest = sorted(values.items(), key=lambda one: -one[1])[:MOST_ACCOUNTS]
        leases = [live_leases(account_key=key, at=at) for (key, _), _ in dearest]
    except RedisAway:
        return Live((), (), away=True)
    refused = [
        RefusedAccount(key, currency, amount, count) for ((key, currency), amount), count in zip(dearest, leases, strict=True)
    ]
    return Live(minutes, refused)


def live_leases(*, account_key: str, at: datetime) -> int:
    """How many calls of an account are reserved for. Raises RedisAway."""
    now_us = (at - EPOCH) // timedelta(microseconds=1)
    return int(ask_redis(lambda redis: redis.zcount(f"{LEASES_PREFIX}{account_key}", f"({now_us}", "+inf")))


def why_refused(*, account_key: str) -> list[RefusedCall]:
    """The last refusals of an account, latest first. Raises RedisAway."""
    rows: Any = ask_redis(lambda redis: redis.lrange(f"{REFUSED_PREFIX}{account_key}", 0, -1))
    return [_refused(json.loads(row)) for row in rows]


def _refused(row: dict[str, str]) -> RefusedCall:
    return RefusedCall(
        at=EPOCH + timedelta(microseconds=int(row["at"])),
        verdict=row["verdict"],
        reason=row["reason"],
        amount=Decimal(row["amount"]) if row["amount"] else None,
        currency=row["currency"],
        available=Decimal(row["available"]),
        reserved=Decimal(row["reserved"]),
        version=row["version"],
        policy=row["policy"],
        cap=row["cap"],
        call=_words(row["call"]),
    )


def _words(call: str) -> str:
    """Who called, and what for, as far as it was said."""
    said = json.loads(call) if call else {}
    parts = [*said.get("scopes", {}).items(), *said.get("quantities", {}).items()]
    return ", ".join(f"{name} {value}" for name, value in parts)


def _amount(text: str) -> Decimal:
    """A sum as the scripts keep it (`wallets/balances/reserved.py`)."""
    high, low = text.split(" ")
    return Decimal(int(high) * HALF + int(low)).scaleb(-12)
