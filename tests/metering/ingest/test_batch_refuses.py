"""What a batch refuses, and that nothing else is lost with it. After each test everything is proved."""

from __future__ import annotations

from datetime import datetime, timedelta, timezone
from decimal import Decimal as D
from random import Random

import pytest
from msgspec import Raw

from metering.ingest import batch
from metering.ingest.batch import BEGINNING, MAX_AHEAD, IngestResult, ingest_batch
from metering.ingest.decode import UsageInput
from metering.usage.models import Charge, HourlyUsage, UsageEvent
from pricing.books.assign import assign_price_book
from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from tests.cast import Company
from tests.factories.journal import figures
from tests.factories.usage import AT, LONG_AGO, event, open_prices
from wallets.money import LARGEST

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
MAX_AGE = timedelta(days=35)
INSTANT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def _prices(db: None) -> None:
    open_prices()


def send(*events: UsageInput) -> IngestResult:
    return ingest_batch(events=events, at=AT, max_age=MAX_AGE)


def refusals(result: IngestResult) -> list[tuple[int, str | None, str]]:
    return [(row.index, row.id, row.code) for row in result.rejected]


def raw_event(event_id: str, properties: bytes) -> UsageInput:
    return UsageInput(event_id, "llm.request", "acme", Raw(properties), AT)


def one_dollar_each(company: Company, meter: str) -> None:
    """The company pays one dollar for each of a meter."""
    book = create_price_book(name=f"Only {meter}", currency="USD", at=LONG_AGO)
    version = draft_version(book=book, prices=[PriceTerms(meter=meter, unit_price=D(1))], at=LONG_AGO)
    publish_version(version=version, effective_at=LONG_AGO, at=LONG_AGO)
    assign_price_book(account=company.account, book=book, effective_at=LONG_AGO, at=AT)


BAD = {
    "unknown account": (event("bad", account="nobody"), "unknown_account"),
    "NUL in the account": (event("bad", account="ac\x00me"), "unknown_account"),
    "half a surrogate pair in the account": (event("bad", account="\ud800"), "unknown_account"),
    "unknown type": (event("bad", event_type="teapot"), "unknown_type"),
    "NUL in the type": (event("bad", event_type="llm\x00"), "unknown_type"),
    "a moment too old": (event("bad", time=AT - MAX_AGE - INSTANT), "too_old"),
    "a moment too far ahead": (event("bad", time=AT + MAX_AHEAD + INSTANT), "in_future"),
    "negative quantity": (event("bad", -1), "invalid"),
    "no number": (event("bad", "many"), "invalid"),
    "a list of numbers": (event("bad", [1]), "invalid"),
    "not finite": (event("bad", "NaN"), "invalid"),
    "thirteen decimals": (event("bad", "0.0000000000001"), "invalid"),
    "larger than can be counted": (event("bad", 10**18), "invalid"),
    "NUL in the id": (event("bad\x00"), "invalid"),
    "a line break in the id": (event("bad\n"), "invalid"),
    "an id that does not fit": (event("x" * 513), "invalid"),
    "an exponent without end": (raw_event("bad", b'{"tokens":1e99999999999999999999}'), "invalid"),
    "an exponent without end beside": (raw_event("bad", b'{"tokens":1,"n":1e-99999999999999999999}'), "invalid"),
    "properties that are a list": (raw_event("bad", b"[1]"), "invalid"),
    "properties that are no JSON": (raw_event("bad", b'{"tokens":}'), "invalid"),
    "NUL in a text": (raw_event("bad", b'{"tokens":1,"text":"\\u0000"}'), "invalid"),
    "properties that are not UTF-8": (raw_event("bad", b'{"tokens":1,"text":"\xff"}'), "invalid"),
}


@pytest.mark.parametrize(("bad", "code"), BAD.values(), ids=BAD)
def test_one_bad_event_is_refused_and_its_neighbours_are_charged(acme: Company, bad: UsageInput, code: str) -> None:
    result = send(event("before", 100), bad, event("after", 100))
    assert refusals(result) == [(1, bad.id, code)]
    assert (result.accepted, result.duplicates, result.unrated) == (2, 0, 0)
    assert [row.amount for row in result.charged] == [D("0.0008")]
    assert figures(acme.wallet)[0] == D("-0.0008")
    assert sorted(UsageEvent.objects.values_list("event_id", flat=True)) == ["after", "before"]
    assert Charge.objects.count() == 4


def test_one_bad_event_of_ten_thousand_is_all_that_is_lost(acme: Company) -> None:
    events = [event(f"{number:05}", 1) for number in range(10_000)]
    events[6_789] = event("bad", -1)
    result = send(*events)
    assert refusals(result) == [(6_789, "bad", "invalid")]
    assert (result.accepted, UsageEvent.objects.count()) == (9_999, 9_999)
    assert figures(acme.wallet)[0] == -9_999 * D("0.000103")


def test_a_refused_event_can_be_sent_again_when_it_is_right(acme: Company) -> None:
    send(event("a", -1))
    assert send(event("a", 1)).accepted == 1


def test_the_oldest_and_the_latest_moment_are_taken(acme: Company) -> None:
    result = send(event("oldest", time=AT - MAX_AGE), event("latest", time=AT + MAX_AHEAD))
    assert (result.accepted, result.rejected) == (2, [])


def test_without_a_limit_of_age_everything_since_1970_is_taken_and_can_be_read_back(acme: Company) -> None:
    """An offset makes a year 0 of a year 1, which PostgreSQL could keep and nobody could read."""
    year_0 = datetime(1, 1, 1, tzinfo=timezone(timedelta(hours=14)))
    events = [
        event("first", None, event_type="ping", time=BEGINNING),
        event("before", time=BEGINNING - INSTANT),
        event("0", time=year_0),
    ]
    result = ingest_batch(events=events, at=AT)
    assert refusals(result) == [(1, "before", "too_old"), (2, "0", "too_old")]
    assert UsageEvent.objects.get().time == BEGINNING


def test_a_refusal_says_which_and_why(acme: Company) -> None:
    result = send(event("a", account="nobody"), event("b", "many"), event("c", time=AT - 99 * MAX_AGE))
    assert [row.detail for row in result.rejected] == [
        "There is no account 'nobody'.",
        "properties.tokens must be a number, not 'many'",
        f"time is before {(AT - MAX_AGE).isoformat()}, the oldest that is taken now.",
    ]


def test_an_event_that_only_the_database_refuses_is_found_by_halves(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the decoder let a NUL through, which jsonb cannot hold: two such among 100, everything else is taken."""
    monkeypatch.setattr(batch, "decode_properties", lambda properties: ({"tokens": 1}, bytes(properties)))
    events = [event(f"{number:03}", 1) for number in range(100)]
    for place in (0, 61):
        events[place] = raw_event(f"bad {place}", b'{"tokens":1,"text":"\\u0000"}')
    result = send(*events)
    assert refusals(result) == [(0, "bad 0", "invalid"), (61, "bad 61", "invalid")]
    assert all(row.detail.startswith("The event cannot be stored: ") for row in result.rejected)
    assert (result.accepted, figures(acme.wallet)[0]) == (98, -98 * D("0.000103"))
    assert [row.amount for row in result.charged] == [98 * D("0.000103")]


def test_an_event_that_would_overflow_the_wallet_is_refused_and_the_others_are_charged(acme: Company) -> None:
    """A wallet holds 18 digits before the point: 6 x 10^17 can be charged once, not twice."""
    define_meter(code="fee", event_type="fee", aggregation="sum", property="fee", at=LONG_AGO)
    one_dollar_each(acme, "fee")
    huge = {"fee": 6 * 10**17}
    result = send(
        event("a", None, event_type="fee", properties=huge), event("b", None, event_type="fee", properties=huge),
        event("c", None, event_type="fee", properties={"fee": 1}),
    )  # fmt: skip
    assert refusals(result) == [(1, "b", "invalid")]
    assert figures(acme.wallet)[0] == -(6 * 10**17 + 1)
    assert LARGEST < 2 * 6 * 10**17


def test_dimensions_of_any_length_are_reported(acme: Company) -> None:
    """Ten values of 120 characters that do not compress would not fit one entry of the index."""
    names = [f"d{number}" for number in range(10)]
    define_meter(code="long", event_type="long", aggregation="count", dimensions=names, at=LONG_AGO)
    one_dollar_each(acme, "long")
    letters = Random(1)
    values = {name: "".join(chr(letters.randrange(0x4E00, 0x9FA0)) for _ in range(200)) for name in names}
    result = send(event("a", None, event_type="long", properties=values), event("b", None, event_type="long"))
    assert (result.accepted, result.rejected, result.unrated) == (2, [], 0)
    shown = HourlyUsage.objects.get(dimensions__has_key="d0").dimensions
    assert all(values[name].startswith(text) and text for name, text in shown.items())
    assert set(shown) == set(names)
