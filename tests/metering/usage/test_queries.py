"""Usage summed from the roll-ups, for pages and for GET /usage."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from metering.usage import queries
from metering.usage.queries import events_named, latest_charges, spend_by_day, spend_by_meter, usage_by
from metering.usage.void import void_event
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk, send
from tests.factories.prices import llm_prices
from wallets.balances.models import Wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

START = datetime(2026, 11, 20, tzinfo=UTC)
END = datetime(2026, 11, 24, tzinfo=UTC)


@pytest.fixture
def wallet() -> Wallet:
    """Usage on three days, one event late in the evening."""
    llm_prices(input_tokens="0.00001", output_tokens="0.0001", at=START)
    wallet = wallet_of("acme", credit="10", at=START)
    send(wallet, ("early", {"input_tokens": 1000}), at=datetime(2026, 11, 20, 9, tzinfo=UTC))
    send(wallet, ("evening", {"input_tokens": 2000}), at=datetime(2026, 11, 20, 23, 30, tzinfo=UTC))
    send(wallet, ("later", {"input_tokens": 500, "output_tokens": 100}), at=datetime(2026, 11, 22, 12, tzinfo=UTC))
    return wallet


def test_usage_by_day_and_meter(wallet: Wallet) -> None:
    rows = usage_by(account_id=wallet.account_id, start=START, end=END, granularity="day")
    assert [(row.period, row.meter, row.events, row.quantity, row.amount) for row in rows] == [
        (datetime(2026, 11, 20, tzinfo=UTC), "llm.input_tokens", 2, Decimal(3000), Decimal("0.03")),
        (datetime(2026, 11, 22, tzinfo=UTC), "llm.input_tokens", 1, Decimal(500), Decimal("0.005")),
        (datetime(2026, 11, 22, tzinfo=UTC), "llm.output_tokens", 1, Decimal(100), Decimal("0.01")),
    ]


def test_usage_by_hour_month_meter_and_dimension(wallet: Wallet) -> None:
    about = {"account_id": wallet.account_id, "start": START, "end": END}
    hours = usage_by(**about, granularity="hour", meter="llm.output_tokens")
    assert [(row.period, row.quantity) for row in hours] == [(datetime(2026, 11, 22, 12, tzinfo=UTC), Decimal(100))]
    months = usage_by(**about, granularity="month", meter="llm.input_tokens", group_by=["model", "endpoint"])
    assert [(row.period, row.dimensions, row.quantity) for row in months] == [
        (datetime(2026, 11, 1, tzinfo=UTC), {"model": "gpt-5", "endpoint": None}, Decimal(3500))
    ]


def test_the_end_is_not_part_of_the_span(wallet: Wallet) -> None:
    rows = usage_by(account_id=wallet.account_id, start=START, end=datetime(2026, 11, 20, 23, tzinfo=UTC), granularity="day")
    assert [row.quantity for row in rows] == [Decimal(1000)]


def test_a_day_begins_at_midnight_of_the_zone_asked_for(wallet: Wallet) -> None:
    rows = usage_by(
        account_id=wallet.account_id, start=START, end=END, granularity="day", zone=ZoneInfo("Europe/Berlin"),
        meter="llm.input_tokens",
    )  # fmt: skip
    assert [(row.period.date(), row.quantity) for row in rows] == [
        (date(2026, 11, 20), Decimal(1000)),
        (date(2026, 11, 21), Decimal(2000)),
        (date(2026, 11, 22), Decimal(500)),
    ]


def test_what_was_taken_back_is_not_used(wallet: Wallet) -> None:
    void_event(event_pk=event_pk("evening"), at=AT)
    rows = usage_by(account_id=wallet.account_id, start=START, end=END, granularity="month", meter="llm.input_tokens")
    assert [(row.quantity, row.amount) for row in rows] == [(Decimal(1500), Decimal("0.015"))]


def test_every_day_is_there_also_those_without_usage(wallet: Wallet) -> None:
    days = spend_by_day(account_id=wallet.account_id, currency="USD", last_day=date(2026, 11, 23), days=5, zone=UTC)
    assert [(day.day.day, day.amount, day.events) for day in days] == [
        (19, Decimal(0), 0),
        (20, Decimal("0.03"), 2),
        (21, Decimal(0), 0),
        (22, Decimal("0.015"), 2),
        (23, Decimal(0), 0),
    ]


def test_the_day_the_clocks_change_has_its_25_hours(wallet: Wallet) -> None:
    berlin = ZoneInfo("Europe/Berlin")
    (day,) = spend_by_day(account_id=wallet.account_id, currency="USD", last_day=date(2026, 10, 25), days=1, zone=berlin)
    assert (day.day, day.amount) == (date(2026, 10, 25), Decimal(0))


def test_meters_are_ranked_by_what_they_cost(wallet: Wallet) -> None:
    meters = spend_by_meter(account_id=wallet.account_id, currency="USD", start=START, end=END)
    assert [(one.meter, one.amount) for one in meters] == [
        ("llm.input_tokens", Decimal("0.035")),
        ("llm.output_tokens", Decimal("0.01")),
    ]
    assert sum(one.share for one in meters).quantize(Decimal("0.000001")) == 1


def test_another_account_sees_nothing_of_it(wallet: Wallet) -> None:
    stranger = wallet_of("globex", credit="1")
    assert usage_by(account_id=stranger.account_id, start=START, end=END, granularity="day") == []
    assert spend_by_meter(account_id=stranger.account_id, currency="USD", start=START, end=END) == []
    assert latest_charges(account_id=stranger.account_id, wallet_id=wallet.pk, since=START, limit=10) == []


def test_the_latest_charges_come_first_with_what_they_cost_now(wallet: Wallet) -> None:
    void_event(event_pk=event_pk("evening"), at=AT)
    latest = latest_charges(account_id=wallet.account_id, wallet_id=wallet.pk, since=START, limit=2)
    assert [(one.event_id, one.amount, one.voided, one.matched) for one in latest] == [
        ("later", Decimal("0.015"), False, ("gpt-5",)),
        ("evening", Decimal(0), True, ("gpt-5",)),
    ]
    assert [(one.code, one.quantity) for one in latest[0].meters] == [
        ("llm.input_tokens", Decimal(500)),
        ("llm.output_tokens", Decimal(100)),
    ]


def test_the_latest_charges_take_four_queries_however_many(wallet: Wallet, django_assert_num_queries: Any) -> None:
    send(wallet, *[(f"req_{number}", {"input_tokens": number}) for number in range(30)])
    with django_assert_num_queries(4):
        latest = latest_charges(account_id=wallet.account_id, wallet_id=wallet.pk, since=AT - timedelta(1), limit=20)
    assert len(latest) == 20


def test_an_event_is_found_by_its_id_whoever_sent_it(wallet: Wallet) -> None:
    send(wallet_of("globex", credit="1"), ("later", {"input_tokens": 1}))
    assert [(one.event_id, one.account) for one in events_named(event_id="later", limit=5)] == [
        ("later", "acme"),
        ("later", "globex"),
    ]


def test_the_charges_of_a_wallet_that_is_used_less_are_found_behind_the_others(
    wallet: Wallet, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(queries, "SEARCHED", (1, 1, 1))
    latest = latest_charges(account_id=wallet.account_id, wallet_id=wallet.pk, since=START, limit=2)
    assert [one.event_id for one in latest] == ["later", "evening"]
    assert latest_charges(account_id=wallet.account_id, wallet_id=wallet.pk + 1, since=START, limit=2) == []
