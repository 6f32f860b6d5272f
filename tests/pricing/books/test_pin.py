"""An account held at a version until a date, whatever its book does meanwhile."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import Error, IntegrityError, transaction

from pricing.books.assign import assign_price_book
from pricing.books.draft import create_price_book, draft_version
from pricing.books.fit import PriceBookUnfit
from pricing.books.in_force import catalogue_in_force
from pricing.books.models import PriceBook, PriceVersion, VersionPin
from pricing.books.pin import AccountPinned, PinEnded, end_pin, pin_version
from pricing.books.price_terms import PriceTerms
from pricing.books.publish import publish_version
from pricing.books.queries import books_used
from pricing.meters.define import define_meter
from tests.cast import Company, days_after_opening
from wallets.errors import InvalidInput

pytestmark = pytest.mark.django_db
AT = days_after_opening(1)
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def book(db: None) -> PriceBook:
    define_meter(code="calls", event_type="call", aggregation="count", at=AT)
    return create_price_book(name="List", currency="USD", at=AT, is_default=True)


def publish(book: PriceBook, unit_price: str, day: int = 0) -> PriceVersion:
    version = draft_version(book=book, prices=[PriceTerms(meter="calls", unit_price=D(unit_price))], at=AT)
    return publish_version(version=version, effective_at=AT + day * DAY, at=AT)


def pinned(acme: Company, version: PriceVersion, first: int, last: int) -> VersionPin:
    return pin_version(
        account=acme.account, version=version, effective_at=AT + first * DAY, until=AT + last * DAY, at=AT, reason="Old terms"
    )


def in_force(company: Company, *days: int) -> list[int | None]:
    catalogue = catalogue_in_force()
    catalogue.read_assignments([company.account.pk])
    found = [catalogue.version_in_force(company.account.pk, AT + day * DAY) for day in days]
    return [None if version is None else version.id for version in found]


def test_a_pin_holds_from_its_beginning_until_before_its_end(book: PriceBook, acme: Company, globex: Company) -> None:
    old, new, newest = publish(book, "1"), publish(book, "2", day=2), publish(book, "3", day=6)
    pinned(acme, old, 1, 5)
    assert in_force(acme, 0, 1, 2, 4, 5, 6) == [old.pk, old.pk, old.pk, old.pk, new.pk, newest.pk]
    assert in_force(globex, 0, 2, 6) == [old.pk, new.pk, newest.pk]
    catalogue = catalogue_in_force()
    for day in (1, 2, 4):
        since, until, version = catalogue.span_in_force(acme.account.pk, AT + day * DAY)
        assert (since, until, version.id if version else None) == (AT + DAY, AT + 5 * DAY, old.pk)
    assert catalogue.span_in_force(acme.account.pk, AT + DAY - INSTANT)[1] == AT + DAY
    assert catalogue.span_in_force(acme.account.pk, AT + 5 * DAY)[:2] == (AT + 5 * DAY, AT + 6 * DAY)


def test_pins_of_an_account_do_not_overlap(book: PriceBook, acme: Company, globex: Company) -> None:
    old = publish(book, "1")
    pin = pinned(acme, old, 1, 5)
    pinned(acme, old, 5, 6)
    pinned(globex, old, 1, 5)
    with pytest.raises(AccountPinned):
        pinned(acme, old, 4, 7)
    with pytest.raises(IntegrityError), transaction.atomic():
        VersionPin.objects.create(
            account=acme.account, version=old, effective_at=pin.effective_at, until=pin.until, created_at=AT
        )


def test_a_pin_is_refused_by_field(book: PriceBook, acme: Company) -> None:
    old, new = publish(book, "1"), publish(book, "2", day=2)
    draft = draft_version(book=book, prices=[PriceTerms(meter="calls", unit_price=D(9))], at=AT)
    cases = [(old, -1, 1, "effective_at"), (old, 1, 1, "until"), (new, 1, 5, "effective_at"), (draft, 1, 5, "version")]
    for version, first, last, field in cases:
        with pytest.raises(InvalidInput) as refused:
            pinned(acme, version, first, last)
        assert list(refused.value.fields) == [field]
    euros = publish(create_price_book(name="Euro", currency="EUR", at=AT), "1")
    with pytest.raises(PriceBookUnfit) as refused:
        pinned(acme, euros, 1, 5)
    assert list(refused.value.fields) == ["version"]


def test_an_account_that_is_pinned_is_not_given_another_book_meanwhile(book: PriceBook, acme: Company) -> None:
    pinned(acme, publish(book, "1"), 1, 5)
    other = create_price_book(name="Other", currency="USD", at=AT)
    with pytest.raises(AccountPinned):
        assign_price_book(account=acme.account, book=other, effective_at=AT + 4 * DAY, at=AT)
    assign_price_book(account=acme.account, book=other, effective_at=AT + 5 * DAY, at=AT)
    used = [books_used(account_ids=[acme.account.pk], at=AT + day * DAY)[acme.account.pk] for day in (0, 1, 4, 5)]
    assert used == [book, book, book, other]


def test_a_pin_ends_early_but_never_in_the_past(book: PriceBook, acme: Company) -> None:
    old, new = publish(book, "1"), publish(book, "2", day=2)
    pin = pinned(acme, old, 1, 9)
    end_pin(pin=pin, at=AT + 4 * DAY)
    assert in_force(acme, 3, 4) == [old.pk, new.pk]
    with pytest.raises(PinEnded):
        end_pin(pin=pin, at=AT + 5 * DAY)
    unbegun = pinned(acme, old, 20, 30)
    end_pin(pin=unbegun, at=AT + 10 * DAY)
    assert in_force(acme, 25) == [new.pk]
    for attempt in (
        lambda: VersionPin.objects.filter(pk=pin.pk).delete(),
        lambda: VersionPin.objects.filter(pk=pin.pk).update(version=new),
    ):
        with pytest.raises(Error), transaction.atomic():
            attempt()
