"""Drafting versions, publishing them, assigning books. A published version never changes (I8)."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import Error, transaction

from pricing.books.assign import AssignmentTimeTaken, assign_price_book
from pricing.books.draft import DefaultBookExists, PriceBookExists, create_price_book, draft_version
from pricing.books.fit import PriceBookUnfit
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.open_customer import change_customer, open_customer
from pricing.books.publish import EffectiveAtTaken, VersionAlreadyPublished, VersionInForce, publish_version, withdraw_version
from pricing.books.queries import books_used, live_version
from pricing.books.validate import PricesRefused, PriceTerms
from pricing.meters.define import archive_meter, define_meter
from pricing.meters.models import Meter
from tests.cast import Company, days_after_opening
from wallets.accounts.change import AccountChanges
from wallets.accounts.models import Account
from wallets.errors import InvalidInput

AT = days_after_opening(1)
DAY = timedelta(days=1)


@pytest.fixture
def meter(db: None) -> Meter:
    return define_meter(code="out", event_type="llm.request", aggregation="sum", property="out", at=AT)


@pytest.fixture
def book(meter: Meter) -> PriceBook:
    return create_price_book(name="List prices", currency="USD", at=AT)


def draft(book: PriceBook, unit_price: str = "0.01") -> PriceVersion:
    return draft_version(book=book, prices=[PriceTerms(meter="out", unit_price=D(unit_price))], at=AT)


def test_versions_are_numbered_within_their_book(book: PriceBook) -> None:
    other = create_price_book(name="Others", currency="USD", at=AT)
    assert [draft(book).number, draft(book).number, draft(other).number] == [1, 2, 1]


def test_a_refused_draft_leaves_nothing(book: PriceBook) -> None:
    with pytest.raises(PricesRefused):
        draft(book, "-1")
    assert not PriceVersion.objects.exists()


def test_book_names_are_given_once_and_one_book_is_the_default(book: PriceBook) -> None:
    with pytest.raises(PriceBookExists):
        create_price_book(name="List prices", currency="EUR", at=AT)
    create_price_book(name="Default", currency="USD", at=AT, is_default=True)
    with pytest.raises(DefaultBookExists):
        create_price_book(name="Also", currency="USD", at=AT, is_default=True)


def test_a_version_is_published_once(book: PriceBook) -> None:
    version = publish_version(version=draft(book), effective_at=AT + DAY, at=AT)
    assert (version.status, version.effective_at, version.published_at) == ("PUBLISHED", AT + DAY, AT)
    with pytest.raises(VersionAlreadyPublished):
        publish_version(version=version, effective_at=AT + 2 * DAY, at=AT)


def test_prices_do_not_move_under_anyone(book: PriceBook) -> None:
    first = publish_version(version=draft(book), effective_at=AT - 30 * DAY, at=AT)
    assert first.effective_at == AT - 30 * DAY
    second = draft(book)
    with pytest.raises(InvalidInput) as refused:
        publish_version(version=second, effective_at=AT - timedelta(microseconds=1), at=AT)
    assert list(refused.value.fields) == ["effective_at"]
    assert publish_version(version=second, effective_at=AT, at=AT).status == "PUBLISHED"


def test_two_versions_of_a_book_do_not_take_effect_at_a_moment_that_has_come(book: PriceBook) -> None:
    publish_version(version=draft(book), effective_at=AT + DAY, at=AT)
    with pytest.raises(EffectiveAtTaken):
        publish_version(version=draft(book), effective_at=AT + DAY, at=AT + DAY)


def test_of_versions_published_for_one_time_ahead_the_last_one_counts(book: PriceBook) -> None:
    early, late = draft(book), draft(book)
    publish_version(version=late, effective_at=AT + DAY, at=AT)
    publish_version(version=early, effective_at=AT + DAY, at=AT + DAY / 2)  # drafted first, published last
    assert live_version(book=book, at=AT + DAY) == early
    assert live_version(book=book, at=AT) is None


def test_a_scheduled_version_is_withdrawn_by_the_prices_before_it(book: PriceBook) -> None:
    first = publish_version(version=draft(book, "0.01"), effective_at=AT, at=AT)
    dearer = publish_version(version=draft(book, "0.02"), effective_at=AT + DAY, at=AT)
    stands = withdraw_version(version=dearer, at=AT + DAY / 2, reason="Too dear")
    assert (stands.effective_at, stands.note) == (AT + DAY, "Withdraws version 2: Too dear")
    assert live_version(book=book, at=AT + DAY) == stands
    (price,) = Price.objects.filter(version=stands)
    assert (price.unit_price, price.continues) == (D("0.01"), Price.objects.get(version=first))
    for late in (first, stands, draft(book)):
        with pytest.raises(VersionInForce):
            withdraw_version(version=late, at=AT + DAY)


def test_a_version_whose_meter_was_archived_since_is_not_published(book: PriceBook, meter: Meter) -> None:
    version = draft(book)
    archive_meter(meter=meter, at=AT)
    with pytest.raises(PricesRefused) as refused:
        publish_version(version=version, effective_at=AT, at=AT)
    assert list(refused.value.fields) == ["prices.0.meter"]


def test_sql_cannot_change_a_published_version_or_its_prices(book: PriceBook) -> None:
    version = publish_version(version=draft(book), effective_at=AT, at=AT)
    attempts = [
        lambda: PriceVersion.objects.filter(pk=version.pk).update(note="changed"),
        lambda: PriceVersion.objects.filter(pk=version.pk).delete(),
        lambda: Price.objects.filter(version=version).update(unit_price=1),
        lambda: Price.objects.filter(version=version).delete(),
        lambda: Price.objects.create(version=version, meter=Meter.objects.get(), match={"a": "b"}, unit_price=1),
    ]
    for attempt in attempts:
        with pytest.raises(Error), transaction.atomic():
            attempt()


def test_an_account_uses_the_book_assigned_last_else_the_default(book: PriceBook, acme: Company) -> None:
    default = create_price_book(name="Default", currency="USD", at=AT, is_default=True)
    assign_price_book(account=acme.account, book=book, effective_at=AT, at=AT)
    used = [books_used(account_ids=[acme.account.pk], at=AT + days)[acme.account.pk] for days in (-DAY, 0 * DAY, DAY)]
    assert used == [default, book, book]


def test_a_book_is_assigned_for_the_future_only(book: PriceBook, acme: Company) -> None:
    assign_price_book(account=acme.account, book=book, effective_at=AT, at=AT)
    with pytest.raises(AssignmentTimeTaken):
        assign_price_book(account=acme.account, book=book, effective_at=AT, at=AT)
    with pytest.raises(InvalidInput):
        assign_price_book(account=acme.account, book=book, effective_at=AT - DAY, at=AT)


def test_a_customer_is_opened_with_its_wallet_and_book_or_not_at_all(book: PriceBook) -> None:
    opened = open_customer(key="initech", name="Initech", at=AT, price_book=book.public_id)
    assert (opened.wallet.currency, opened.wallet.is_default) == ("USD", True)
    assert books_used(account_ids=[opened.account.pk], at=AT) == {opened.account.pk: book}
    for currency, price_book in (("EUR", book.public_id), ("USD", "pbk_nothing")):
        with pytest.raises(PriceBookUnfit):
            open_customer(key="hooli", name="Hooli", at=AT, currency=currency, price_book=price_book)
    assert not Account.objects.filter(key="hooli").exists()


def test_a_book_in_a_currency_the_account_has_no_wallet_in_is_refused(book: PriceBook, acme: Company) -> None:
    euros = create_price_book(name="Euro prices", currency="EUR", at=AT)
    with pytest.raises(PriceBookUnfit):
        change_customer(account=acme.account, changes=AccountChanges(name="New"), price_book=euros.public_id, at=AT)
    acme.account.refresh_from_db()
    assert acme.account.name == "Acme"
