"""What the gate has been deciding, for the pages: the last minutes from Redis and from what is kept of them (`keep.py`), days
from what is kept, leases and the last refusals of an account from Redis alone."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from decimal import Decimal
from itertools import islice
from typing import Any, Final

from django.db.models import QuerySet, Sum
from django.db.models.functions import TruncDate

from metering.gate.client.redis_decision import REFUSED_PREFIX
from metering.gate.counted import EPOCH, MINUTE, CountedMinute, minutes_in_redis, sum_in_words
from metering.gate.models import CopyCheck, GateDecisions, RefusedRevenue
from wallets.balances.models import Wallet
from wallets.balances.reserved import LEASES_PREFIX, RESERVED_PREFIX
from wallets.money import ZERO
from wallets.redis_client import RedisAway, ask_redis

MINUTES_SHOWN: Final = 15
MOST_ACCOUNTS: Final = 10
MOST_LOOKED_AT: Final = 2_000  # accounts with leases
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
    """What refused calls of an account would have cost."""

    key: str
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LeasingAccount:
    """An account with calls in flight: how many leases live, and what they reserve, by currency."""

    key: str
    leases: int
    reserved: Sequence[tuple[str, Decimal]]


@dataclass(frozen=True, slots=True)
class Live:
    """The gate now; away: Redis cannot be asked, so leases are not known and the minutes are those that were kept."""

    minutes: Sequence[Minute]
    refused: Sequence[RefusedAccount]
    leasing: Sequence[LeasingAccount] = ()
    away: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """A day's decisions, and what refused calls would have cost in one currency."""

    day: date
    allowed: int
    refused: int
    amount: Decimal


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
    """Decisions by minute and reason, the latest first, the accounts whose refused calls would have cost most, and those with
    most calls in flight."""
    since = EPOCH + ((at - EPOCH) // MINUTE - MINUTES_SHOWN + 1) * MINUTE
    kept = _kept_minutes(since, at)
    try:
        counted = minutes_in_redis(at=at, minutes=MINUTES_SHOWN)
        leasing = leasing_accounts(at=at)
        away = False
    except RedisAway:
        counted = [CountedMinute(since + number * MINUTE, {}, {}) for number in reversed(range(MINUTES_SHOWN))]
        leasing, away = [], True
    minutes, amounts = [], defaultdict[tuple[str, str], Decimal](Decimal)
    for minute in counted:
        before = kept.get(minute.at, CountedMinute(minute.at, {}, {}))
        decisions = [max(minute.decisions.get(reason, 0), before.decisions.get(reason, 0)) for reason in REASONS]
        minutes.append(Minute(minute.at, decisions))
        for whose in minute.refused.keys() | before.refused.keys():
            amounts[whose] += max(minute.refused.get(whose, ZERO), before.refused.get(whose, ZERO))
    dearest = sorted(amounts.items(), key=lambda one: (-one[1], one[0]))[:MOST_ACCOUNTS]
    return Live(minutes, [RefusedAccount(key, currency, amount) for (key, currency), amount in dearest], leasing, away)


def _kept_minutes(since: datetime, until: datetime) -> Mapping[datetime, CountedMinute]:
    decisions: dict[datetime, dict[str, int]] = defaultdict(dict)
    refused: dict[datetime, dict[tuple[str, str], Decimal]] = defaultdict(dict)
    rows = GateDecisions.objects.filter(length="minute", start__gte=since, start__lte=until)
    for start, reason, count in rows.values_list("start", "reason", "decisions"):
        decisions[start][reason] = count
    amounts = RefusedRevenue.objects.filter(length="minute", start__gte=since, start__lte=until)
    for start, key, currency, amount in amounts.values_list("start", "account__key", "currency", "amount"):
        refused[start][key, currency] = amount
    return {start: CountedMinute(start, decisions[start], refused[start]) for start in decisions.keys() | refused.keys()}


def gate_by_day(*, last_day: date, days: int, zone: tzinfo, currency: str) -> list[Day]:
    """Each of the `days` days up to and including `last_day`, oldest first; empty ones too."""
    first_day = last_day - timedelta(days=days - 1)
    start = datetime(first_day.year, first_day.month, first_day.day, tzinfo=zone)
    end = datetime(last_day.year, last_day.month, last_day.day, tzinfo=zone) + timedelta(days=1)
    found: dict[date, dict[str, int]] = defaultdict(dict)
    rows = _by_day(GateDecisions.objects.filter(start__gte=start, start__lt=end), zone)
    for day, reason, count in rows.values("day", "reason").annotate(sum=Sum("decisions")).values_list("day", "reason", "sum"):
        found[day][reason] = count
    amounts = _by_day(RefusedRevenue.objects.filter(start__gte=start, start__lt=end, currency=currency), zone)
    refused = dict(amounts.values("day").annotate(sum=Sum("amount")).values_list("day", "sum"))
    every_day = (first_day + timedelta(days=number) for number in range(days))
    return [
        Day(day, found[day].get("allow", 0), sum(found[day].values()) - found[day].get("allow", 0), refused.get(day, ZERO))
        for day in every_day
    ]


def refused_most(*, since: datetime) -> list[RefusedAccount]:
    """Whose refused calls would have cost most since then."""
    rows = RefusedRevenue.objects.filter(start__gte=since).values("account__key", "currency").annotate(sum=Sum("amount"))
    most = rows.order_by("-sum", "account__key").values_list("account__key", "currency", "sum")
    return [RefusedAccount(*one) for one in most[:MOST_ACCOUNTS]]


def refused_currencies(*, since: datetime) -> list[tuple[str, Decimal]]:
    """What refused calls would have cost since then, by currency, the most first."""
    rows = RefusedRevenue.objects.filter(start__gte=since).values("currency").annotate(sum=Sum("amount"))
    return list(rows.order_by("-sum", "currency").values_list("currency", "sum"))


def last_check() -> CopyCheck | None:
    """The last comparison of Redis with PostgreSQL."""
    return CopyCheck.objects.order_by("-checked_at", "-id").first()


def drifts(*, since: datetime, limit: int) -> list[CopyCheck]:
    """The comparisons since then that found something, latest first."""
    checks = CopyCheck.objects.filter(checked_at__gte=since).exclude(missing=0, behind=0, different=0, settings=0)
    return list(checks.order_by("-checked_at", "-id")[:limit])


def _by_day(rows: QuerySet[Any], zone: tzinfo) -> QuerySet[Any]:
    by_day: QuerySet[Any] = rows.annotate(day=TruncDate("start", tzinfo=zone)).order_by()
    return by_day


def leasing_accounts(*, at: datetime) -> list[LeasingAccount]:
    """The accounts with most calls in flight, most first; of MOST_LOOKED_AT. Raises RedisAway."""
    now_us = (at - EPOCH) // timedelta(microseconds=1)

    def read(redis: Any) -> list[tuple[str, int, dict[bytes, bytes]]]:
        names = [name.decode() for name in islice(redis.scan_iter(match=f"{LEASES_PREFIX}*", count=500), MOST_LOOKED_AT)]
        pipe = redis.pipeline(transaction=False)
        for name in names:
            pipe.zcount(name, f"({now_us}", "+inf")
        counted = zip(names, pipe.execute(), strict=True)
        most = sorted(((name.removeprefix(LEASES_PREFIX), count) for name, count in counted), key=lambda one: (-one[1], one[0]))
        return [(key, count, redis.hgetall(f"{RESERVED_PREFIX}{key}")) for key, count in most[:MOST_ACCOUNTS] if count]

    found = ask_redis(read)
    sums = {
        (key, int(name.decode().removeprefix("wallet:"))): sum_in_words(text.decode())
        for key, _, fields in found
        for name, text in fields.items()
        if name.startswith(b"wallet:")
    }
    currencies = dict(Wallet.objects.filter(pk__in={wallet for _, wallet in sums}).values_list("pk", "currency"))
    return [
        LeasingAccount(
            key, count, [(currencies.get(wallet, ""), amount) for (of, wallet), amount in sorted(sums.items()) if of == key]
        )
        for key, count, _ in found
    ]


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
