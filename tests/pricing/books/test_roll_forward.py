"""A new version begins with the prices of an old one; what stays as it was goes on with its counter."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from pricing.books.diff import diff_prices
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.price_terms import PriceTerms, TierTerms
from pricing.books.publish import VersionAlreadyPublished, publish_version
from pricing.books.queries import terms_of_version
from pricing.books.roll_forward import replace_prices, roll_forward
from pricing.books.validate import PricesRefused
from pricing.meters.define import archive_meter, define_meter
from pricing.meters.models import Meter
from tests.cast import days_after_opening

pytestmark = pytest.mark.django_db
AT = days_after_opening(1)
DAY = timedelta(days=1)
TIERS = (TierTerms(up_to=D(1000), unit_price=D("0.02")), TierTerms(unit_price=D("0.01")))


@pytest.fixture
def book(db: None) -> PriceBook:
    for code in ("calls", "tokens"):
        define_meter(code=code, event_type=code, aggregation="count", at=AT)
    return create_price_book(name="List", currency="USD", at=AT)


def tiered(**values: object) -> PriceTerms:
    return PriceTerms(**{"meter": "calls", "model": "graduated", "tiers": TIERS} | values)


def flat(**values: object) -> PriceTerms:
    return PriceTerms(**{"meter": "tokens", "unit_price": D("0.001")} | values)


def publish(book: PriceBook, *prices: PriceTerms, day: int = 0) -> PriceVersion:
    version = draft_version(book=book, prices=prices, at=AT)
    return publish_version(version=version, effective_at=AT + day * DAY, at=AT)


def price_of(version: PriceVersion, meter: str, **values: object) -> Price:
    return Price.objects.get(version=version, meter__code=meter, **values)


def test_a_rolled_forward_version_has_the_same_prices(book: PriceBook) -> None:
    first = publish(book, tiered(match={"model": "a"}), flat(currency="EUR"), flat(minimum_charge=D(0)))
    draft = roll_forward(book=book, version=first, at=AT, note="Next")
    assert (draft.number, draft.status, draft.note) == (2, "DRAFT", "Next")
    assert diff_prices(terms_of_version(first), terms_of_version(draft)).is_empty


def test_prices_of_meters_archived_since_stay_behind(book: PriceBook) -> None:
    first = publish(book, tiered(), flat())
    archive_meter(meter=Meter.objects.get(code="tokens"), at=AT)
    draft = roll_forward(book=book, version=first, at=AT)
    assert [price.meter for price in terms_of_version(draft)] == ["calls"]


def test_unchanged_terms_keep_their_counter_over_many_versions(book: PriceBook) -> None:
    first = publish(book, tiered(), flat())
    second = publish(book, tiered(unit_cost=D("0.001")), flat(unit_price=D("0.002")), day=1)
    third = publish(book, tiered(), flat(unit_price=D("0.002")), day=2)
    root = price_of(first, "calls")
    assert price_of(second, "calls").continues == root  # what it costs us is no term of the customer's
    assert price_of(third, "calls").continues == root
    assert price_of(second, "tokens").continues is None
    assert price_of(third, "tokens").continues == price_of(second, "tokens")


def test_other_matches_currencies_and_schedules_have_their_own_counter(book: PriceBook) -> None:
    publish(book, tiered())
    night = {"time_zone": "UTC", "windows": [{"days": ["mon"], "from": "22:00", "to": "06:00"}]}
    other = publish(book, tiered(match={"a": "b"}), tiered(currency="EUR"), tiered(schedule=night), day=1)
    assert not Price.objects.filter(version=other, continues__isnull=False).exists()


def test_a_replacement_goes_on_with_what_was_in_force_and_not_with_what_it_replaces(book: PriceBook) -> None:
    first = publish(book, tiered())
    publish(book, tiered(tiers=TIERS[1:]), day=1)
    again = publish(book, tiered(), day=1)
    assert price_of(again, "calls").continues == price_of(first, "calls")


def test_a_draft_is_changed_until_it_is_published(book: PriceBook) -> None:
    draft = draft_version(book=book, prices=[flat()], at=AT, note="One")
    replace_prices(version=draft, prices=[tiered(), flat(unit_price=D(2))], note="Two")
    draft.refresh_from_db()
    assert ([price.meter for price in terms_of_version(draft)], draft.note) == (["calls", "tokens"], "Two")
    with pytest.raises(PricesRefused):
        replace_prices(version=draft, prices=[flat(unit_price=D(-1))])
    assert len(terms_of_version(draft)) == 2
    publish_version(version=draft, effective_at=AT, at=AT)
    with pytest.raises(VersionAlreadyPublished):
        replace_prices(version=draft, prices=[flat()])
