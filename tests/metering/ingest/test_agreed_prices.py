"""Prices by the time of day, in several currencies, negotiated and pinned, as ingest charges them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from zoneinfo import ZoneInfo

import pytest

from metering.ingest.batch import IngestResult, ingest_batch
from metering.ingest.decode import usage_input
from metering.ingest.models import DeadLetter
from metering.usage.explain import explain_event
from metering.usage.models import Charge
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import Price, PriceBook
from pricing.books.negotiate import negotiate_prices
from pricing.books.open_customer import open_customer
from pricing.books.pin import pin_version
from pricing.books.price_terms import PriceTerms, TierTerms
from pricing.books.publish import publish_version
from pricing.meters.define import define_meter
from tests.cast import OPENED_AT, Company

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
DAY = timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)
WEEK = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


@pytest.fixture
def book(db: None) -> PriceBook:
    define_meter(code="calls", event_type="call", aggregation="count", dimensions=["region"], at=OPENED_AT)
    return create_price_book(name="List", currency="USD", at=OPENED_AT, is_default=True)


def price(unit_price: str, **values: object) -> PriceTerms:
    return PriceTerms(**{"meter": "calls", "unit_price": D(unit_price)} | values)


def publish(book: PriceBook, *prices: PriceTerms, at: datetime = OPENED_AT) -> None:
    publish_version(version=draft_version(book=book, prices=prices, at=OPENED_AT), effective_at=at, at=OPENED_AT)


def send(account: str, *times: datetime, prefix: str = "e", **properties: object) -> IngestResult:
    events = [
        usage_input(event_id=f"{prefix}{number}", event_type="call", account=account, time=time, properties=properties)
        for number, time in enumerate(times)
    ]
    return ingest_batch(events=events, at=max(times))


def nightly(zone: str) -> dict[str, object]:
    return {"time_zone": zone, "windows": [{"days": WEEK, "from": "22:30", "to": "02:30"}]}


# Both changes of daylight saving of 2027 in each zone: the local day, and the half hours of the two nights around it. A
# night is eight by the clock. In spring the half hour 02:00 to 02:30 is not there. In autumn what is there twice is 02:00 to
# 02:30 of it in Berlin, all of 01:00 to 02:00 in New York, 01:30 to 02:00 on Lord Howe, whose clocks move by half an hour.
CHANGES = {
    "Europe/Berlin": [((2027, 3, 28), 15), ((2027, 10, 31), 17)],
    "America/New_York": [((2027, 3, 14), 15), ((2027, 11, 7), 18)],
    "Australia/Lord_Howe": [((2027, 4, 4), 17), ((2027, 10, 3), 15)],
}


@pytest.mark.parametrize("zone", CHANGES)
def test_a_night_is_a_night_on_the_wall_clock_when_the_clocks_change(book: PriceBook, acme: Company, zone: str) -> None:
    publish(book, price("1"), price("0.25", schedule=nightly(zone)))
    clock = ZoneInfo(zone)
    around = {
        day: [datetime(*day, 12, tzinfo=clock).astimezone(UTC) - DAY + HALF_HOUR * half for half in range(96)]
        for day, _ in CHANGES[zone]
    }
    send("acme", *(time for times in around.values() for time in times))
    charged = dict(Charge.objects.values_list("event__time", "amount"))
    for day, halves in CHANGES[zone]:
        for time in around[day]:
            local = time.astimezone(clock)
            night = (local.hour, local.minute) >= (22, 30) or (local.hour, local.minute) < (2, 30)
            assert charged[time] == (D("0.25") if night else D(1)), local
        assert sum(charged[time] == D("0.25") for time in around[day]) == halves


def test_the_most_specific_match_wins_before_the_schedule(book: PriceBook, acme: Company) -> None:
    always = {"time_zone": "UTC", "windows": [{"days": WEEK, "from": "00:00", "to": "24:00"}]}
    publish(book, price("1"), price("2", schedule=always), price("3", match={"region": "eu"}))
    send("acme", OPENED_AT, region="eu")
    send("acme", OPENED_AT, prefix="f", region="us")
    assert list(Charge.objects.order_by("amount").values_list("amount", flat=True)) == [D(2), D(3)]


def test_an_account_pays_in_its_main_currency_where_there_are_prices_in_it(book: PriceBook, acme: Company) -> None:
    publish(book, price("1"), price("0.9", currency="EUR"), price("0.5", currency="EUR", match={"region": "eu"}))
    open_customer(key="euro", name="Euro", currency="EUR", at=OPENED_AT)
    open_customer(key="pound", name="Pound", currency="GBP", at=OPENED_AT)
    assert send("acme", OPENED_AT).charged[0][1:] == ("USD", D(1))
    assert send("euro", OPENED_AT).charged[0][1:] == ("EUR", D("0.9"))
    assert send("euro", OPENED_AT, prefix="f", region="eu").charged[0][1:] == ("EUR", D("0.5"))
    assert send("pound", OPENED_AT).unrated == 1  # the book's currency, in which it has no wallet
    assert DeadLetter.objects.get().reason == DeadLetter.Reason.NO_WALLET


def test_a_negotiated_charge_names_its_price_and_that_the_list_price(book: PriceBook, acme: Company, globex: Company) -> None:
    publish(book, price("0.00001"))
    negotiate_prices(account=acme.account, percent_off=D(20), prices=[], effective_at=OPENED_AT + DAY, at=OPENED_AT)
    for company in (acme, globex):
        send(company.account.key, OPENED_AT, OPENED_AT + DAY)
    listed = Price.objects.get(version__book=book)
    charges = {
        (one.event.event_id, one.event.account.key): one for one in Charge.objects.select_related("event__account", "price")
    }
    assert {key: charge.amount for key, charge in charges.items()} == {
        ("e0", "acme"): D("0.00001"), ("e1", "acme"): D("0.000008"),
        ("e0", "globex"): D("0.00001"), ("e1", "globex"): D("0.00001"),
    }  # fmt: skip
    assert charges["e1", "acme"].price.derived_from == listed
    assert charges["e1", "globex"].price == listed
    (explained,) = explain_event(event_pk=charges["e1", "acme"].event_id).charges
    assert (explained.price.unit_price, explained.price.origin) == (D("0.000008"), "20 % off 10.00 USD per million")


def test_an_override_wins_over_a_list_price_that_fits_as_well(book: PriceBook, acme: Company) -> None:
    publish(book, price("1"), price("2", match={"region": "eu"}))
    negotiate_prices(
        account=acme.account, percent_off=D(0), prices=[price("0.5", match={"kind": "a"})], effective_at=OPENED_AT, at=OPENED_AT
    )
    send("acme", OPENED_AT, region="eu", kind="a")
    assert Charge.objects.get().amount == D("0.5")


def test_tiers_go_on_over_versions_that_leave_them_and_over_negotiations_that_do(book: PriceBook, acme: Company) -> None:
    """Two calls at 1, all others at 0.1: four versions and a negotiation in one month make no third call at 1."""
    tiers = (TierTerms(up_to=D(2), unit_price=D(1)), TierTerms(unit_price=D("0.1")))
    define_meter(code="other", event_type="other", aggregation="count", at=OPENED_AT)
    tiered = PriceTerms(meter="calls", model="graduated", tiers=tiers)
    for day in range(4):
        publish(book, tiered, PriceTerms(meter="other", unit_price=D(day)), at=OPENED_AT + day * DAY)
    single = PriceTerms(meter="other", unit_price=D(9))
    negotiate_prices(account=acme.account, percent_off=D(0), prices=[single], effective_at=OPENED_AT + 4 * DAY, at=OPENED_AT)
    send("acme", *(OPENED_AT + day * DAY for day in range(6)))
    by_day = Charge.objects.order_by("event__time").values_list("amount", flat=True)
    assert list(by_day) == [D(1), D(1), D("0.1"), D("0.1"), D("0.1"), D("0.1")]
    assert Charge.objects.values("price").distinct().count() == 5


def test_a_pinned_account_pays_the_old_price_until_its_date(book: PriceBook, acme: Company) -> None:
    publish(book, price("1"))
    old = book.versions.get()
    publish(book, price("3"), at=OPENED_AT + DAY)
    pin_version(account=acme.account, version=old, effective_at=OPENED_AT, until=OPENED_AT + 2 * DAY, at=OPENED_AT)
    send("acme", *(OPENED_AT + day * DAY for day in range(3)))
    assert list(Charge.objects.order_by("event__time").values_list("amount", flat=True)) == [D(1), D(1), D(3)]
