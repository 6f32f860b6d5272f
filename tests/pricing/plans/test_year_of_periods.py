"""A year of subscription periods over leap day, month ends and both daylight-saving changes in three time zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from pricing.plans.models import SubscriptionPeriod
from pricing.plans.prepare import prepare_due
from pricing.plans.renew import renew_due
from pricing.plans.subscribe import subscribe
from tests.factories.plans import balance, customer, plan_of, units
from wallets.ledger.models import JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

MINUTE: Final = timedelta(minutes=1)
MOMENT: Final = timedelta(microseconds=1)
# Wall clock starts of the periods of a year, by hand. 2028 is a leap year.
YEAR: Final = {
    # Summer time from 12 March 02:00 (02:30 does not exist: it starts an hour later) to 5 November.
    "America/New_York": [
        "2027-12-12 02:30", "2028-01-12 02:30", "2028-02-12 02:30", "2028-03-12 03:30", "2028-04-12 02:30", "2028-05-12 02:30",
        "2028-06-12 02:30", "2028-07-12 02:30", "2028-08-12 02:30", "2028-09-12 02:30", "2028-10-12 02:30", "2028-11-12 02:30",
        "2028-12-12 02:30",
    ],
    # Summer time from 26 March to 29 October 03:00 (02:30 is there twice: it starts the first time). The 29th is the leap day.
    "Europe/Berlin": [
        "2027-11-29 02:30", "2027-12-29 02:30", "2028-01-29 02:30", "2028-02-29 02:30", "2028-03-29 02:30", "2028-04-29 02:30",
        "2028-05-29 02:30", "2028-06-29 02:30", "2028-07-29 02:30", "2028-08-29 02:30", "2028-09-29 02:30", "2028-10-29 02:30",
        "2028-11-29 02:30", "2028-12-29 02:30",
    ],
    # Half an hour of summer time, until 2 April and from 1 October. The 31st: every month's last day.
    "Australia/Lord_Howe": [
        "2027-12-31 00:00", "2028-01-31 00:00", "2028-02-29 00:00", "2028-03-31 00:00", "2028-04-30 00:00", "2028-05-31 00:00",
        "2028-06-30 00:00", "2028-07-31 00:00", "2028-08-31 00:00", "2028-09-30 00:00", "2028-10-31 00:00", "2028-11-30 00:00",
        "2028-12-31 00:00",
    ],
}  # fmt: skip
# What UTC says of the starts after a change, and of the one that is there twice.
IN_UTC: Final = {
    ("America/New_York", 2): "2028-02-12 07:30",  # UTC-5
    ("America/New_York", 3): "2028-03-12 07:30",  # UTC-4, an hour later on the wall
    ("America/New_York", 4): "2028-04-12 06:30",
    ("America/New_York", 11): "2028-11-12 07:30",
    ("Europe/Berlin", 3): "2028-02-29 01:30",  # UTC+1
    ("Europe/Berlin", 4): "2028-03-29 00:30",  # UTC+2
    ("Europe/Berlin", 11): "2028-10-29 00:30",  # the first of the two
    ("Europe/Berlin", 12): "2028-11-29 01:30",
    ("Australia/Lord_Howe", 3): "2028-03-30 13:00",  # UTC+11
    ("Australia/Lord_Howe", 4): "2028-04-29 13:30",  # UTC+10:30
    ("Australia/Lord_Howe", 10): "2028-10-30 13:00",
}


def utc(wall: str, zone: str) -> datetime:
    return datetime.fromisoformat(wall).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def test_a_year_of_periods_by_the_clock() -> None:
    starts = {zone: [utc(wall, zone) for wall in walls] for zone, walls in YEAR.items()}
    for (zone, number), expected in IN_UTC.items():
        assert f"{starts[zone][number]:%Y-%m-%d %H:%M}" == expected
    first = min(moments[0] for moments in starts.values())
    plan = plan_of("pro", fee="10", calls="100", at=first)
    wallets, subscriptions = {}, {}
    clock = sorted((moment, zone) for zone, moments in starts.items() for moment in moments)
    for at, zone in clock:
        if zone not in subscriptions:
            wallets[zone] = customer(zone.replace("/", "."), at=at, zone=zone)
            subscriptions[zone] = subscribe(account=wallets[zone].account, plan=plan, at=at)
            continue
        assert prepare_due(at=at - MINUTE) == 1, (zone, at)
        assert renew_due(at=at - MOMENT).begun == 0, (zone, at)
        assert renew_due(at=at).begun == 1, (zone, at)
        assert renew_due(at=at).begun == 0, (zone, at)
        assert units(wallets[zone]) == [100]
    for zone, moments in starts.items():
        rows = SubscriptionPeriod.objects.filter(subscription=subscriptions[zone]).order_by("index")
        periods = [(row.index, row.starts_at, row.ends_at) for row in rows]
        assert [(index, start) for index, start, _ in periods] == list(enumerate(moments, 1))
        assert [end for _, _, end in periods[:-1]] == moments[1:]
        assert balance(wallets[zone]) == 1000 - len(moments) * 10
        assert JournalEntry.objects.filter(wallet=wallets[zone], kind="FEE").count() == len(moments)
