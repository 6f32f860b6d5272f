"""What Redis counts is kept within a minute, added up in time, and never counted twice; drift is kept too."""

from __future__ import annotations

from datetime import date, timedelta
from decimal import Decimal as D
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from metering import tasks
from metering.gate.check import check_account, lease_until
from metering.gate.keep import CHECKS_KEPT, HOURS_KEPT, MINUTES_KEPT, check_copy, keep_decisions, roll_up_decisions
from metering.gate.live import drifts, gate_by_day, last_check, live_gate, refused_currencies, refused_most
from metering.gate.models import CopyCheck, GateDecisions, RefusedRevenue
from tests.factories.balances import AT, wallet_of
from wallets import clock
from wallets.redis_client import redis_client

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]

MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
UTC = ZoneInfo("UTC")


def ask(amount: str, *, at: Any = AT, times: int = 1) -> None:
    for _ in range(times):
        check_account(account_key="acme", amount=D(amount), at=at)


def by_day(zone: str = "UTC") -> list[tuple[date, int, int, D]]:
    days = gate_by_day(last_day=(AT + timedelta(days=1)).date(), days=3, zone=ZoneInfo(zone), currency="USD")
    return [(one.day, one.allowed, one.refused, one.amount) for one in days if one.allowed or one.refused]


def test_a_wiped_redis_loses_what_it_counted_since_the_last_copy_and_no_more() -> None:
    wallet_of("acme", credit="5")
    ask("1", times=3)
    ask("5.5", times=2)
    assert keep_decisions(at=AT) == 3
    assert keep_decisions(at=AT + MINUTE) == 0  # again: nothing grows
    redis_client().flushdb()
    ask("1")
    keep_decisions(at=AT + MINUTE)
    assert by_day() == [(AT.date(), 3, 2, D(11))]
    live = live_gate(at=AT)
    assert live.minutes[0].decisions[:2] == [3, 2]
    assert [(one.key, one.amount) for one in live.refused] == [("acme", D(11))]
    ask("1", at=AT + MINUTE)
    keep_decisions(at=AT + MINUTE)
    assert by_day() == [(AT.date(), 4, 2, D(11))]


def test_minutes_become_hours_and_say_the_same_by_day_of_any_zone() -> None:
    wallet_of("acme", credit="5")
    for minutes in (0, 1, 59, 61, 15 * 60):  # the last is tomorrow in Tokyo and in UTC
        ask("6", at=AT + minutes * MINUTE)
        keep_decisions(at=AT + minutes * MINUTE)
    before = [by_day(), by_day("Asia/Tokyo")]
    assert [len(days) for days in before] == [2, 2]
    later = AT + MINUTES_KEPT + 3 * HOUR
    roll_up_decisions(at=later)
    roll_up_decisions(at=later)
    assert [by_day(), by_day("Asia/Tokyo")] == before
    lengths = GateDecisions.objects.order_by("start").values_list("length", "decisions")
    assert list(lengths) == [("hour", 3), ("hour", 1), ("minute", 1)]
    assert refused_currencies(since=AT - HOUR) == [("USD", D(30))]
    assert [(one.key, one.amount) for one in refused_most(since=AT - HOUR)] == [("acme", D(30))]
    roll_up_decisions(at=AT + HOURS_KEPT + timedelta(days=2))
    assert not GateDecisions.objects.exists()
    assert not RefusedRevenue.objects.exists()


def test_a_late_minute_is_added_to_its_hour() -> None:
    wallet_of("acme", credit="5")
    ask("6")
    keep_decisions(at=AT)
    roll_up_decisions(at=AT + MINUTES_KEPT + HOUR)
    GateDecisions.objects.create(length="minute", start=AT + MINUTE, reason="balance_exhausted", decisions=4)
    roll_up_decisions(at=AT + MINUTES_KEPT + HOUR)
    assert list(GateDecisions.objects.values_list("length", "decisions")) == [("hour", 5)]


def test_how_far_redis_was_off_is_kept(settings: Any) -> None:
    wallet_of("acme", credit="5")
    redis_client().flushdb()
    with clock.set_to(AT):
        assert tasks.check_gate_copy()["missing"] == 1
    assert check_copy(at=AT + MINUTE).missing == 0
    last = last_check()
    assert last is not None
    assert (last.checked_at, last.drift, last.accounts) == (AT + MINUTE, 0, 1)
    assert [(one.checked_at, one.missing) for one in drifts(since=AT - HOUR, limit=5)] == [(AT, 1)]
    roll_up_decisions(at=AT + CHECKS_KEPT + MINUTE)
    assert CopyCheck.objects.count() == 1


def test_calls_in_flight_are_seen_with_what_they_reserve() -> None:
    wallet_of("acme", credit="5")
    for _ in range(2):
        check_account(account_key="acme", amount=D("0.75"), at=AT, lease=lease_until(AT + MINUTE))
    ((key, leases, reserved),) = [(one.key, one.leases, one.reserved) for one in live_gate(at=AT).leasing]
    assert (key, leases, reserved) == ("acme", 2, [("USD", D("1.5"))])
    assert not live_gate(at=AT + MINUTE).leasing
