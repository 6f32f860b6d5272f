"""Which prices are in force (I8): by account and by the time of the event, and known at once wherever they change."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext

from pricing.books.assign import assign_price_book
from pricing.books.draft import create_price_book, draft_version
from pricing.books.in_force import Catalogue, catalogue_in_force
from pricing.books.models import PriceBook, PriceVersion
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import archive_meter, define_meter
from pricing.meters.models import Meter
from tests.cast import OPENED_AT
from tests.child import Child
from wallets.accounts.models import Account
from wallets.accounts.open import open_account

pytestmark = pytest.mark.django_db
AT = OPENED_AT
DAY = timedelta(days=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture
def meter(db: None) -> Meter:
    return define_meter(code="calls", event_type="call", aggregation="count", dimensions=["region"], at=AT)


@pytest.fixture
def account(db: None) -> Account:
    return open_account(key="acme", name="Acme", at=AT)


def book(name: str, *, is_default: bool = False, currency: str = "USD") -> PriceBook:
    return create_price_book(name=name, currency=currency, at=AT, is_default=is_default)


def publish(of: PriceBook, effective_at: datetime, unit_price: str = "1", *more: PriceTerms) -> PriceVersion:
    version = draft_version(book=of, prices=[PriceTerms(meter="calls", unit_price=D(unit_price)), *more], at=AT)
    return publish_version(version=version, effective_at=effective_at, at=min(AT, effective_at))


def number_in_force(account: Account, at: datetime) -> tuple[str, int] | None:
    """(currency, number) of the version in force."""
    catalogue = catalogue_in_force()
    catalogue.read_assignments([account.pk])
    version = catalogue.version_in_force(account.pk, at)
    return None if version is None else (version.currency, version.number)


def price_of(properties: dict[str, Any], at: datetime = AT) -> D | None:
    """What one call costs an account of the default book."""
    catalogue = catalogue_in_force()
    catalogue.read_assignments([0])
    version = catalogue.version_in_force(0, at)
    assert version is not None
    plan = version.plan("call", catalogue.meters)
    (line,) = version.lines(plan, plan.values(properties, at))
    return None if line.rate is None else line.rate(1, 0)[0]


def test_nothing_is_in_force_without_a_book_a_version_or_before_the_first(account: Account, meter: Meter) -> None:
    assert number_in_force(account, AT) is None
    default = book("Default", is_default=True)
    assert number_in_force(account, AT) is None
    publish(default, AT)
    assert number_in_force(account, AT - INSTANT) is None
    assert number_in_force(account, AT) == ("USD", 1)


def test_a_draft_is_never_in_force(account: Account, meter: Meter) -> None:
    default = book("Default", is_default=True)
    publish(default, AT)
    draft_version(book=default, prices=[PriceTerms(meter="calls", unit_price=D(2))], at=AT)
    assert number_in_force(account, AT + 900 * DAY) == ("USD", 1)


def test_the_version_in_force_is_the_latest_that_was_effective_at_the_time_of_the_event(account: Account, meter: Meter) -> None:
    default = book("Default", is_default=True)
    publish(default, AT)
    publish(default, AT + 2 * DAY)  # published in another order than they take effect
    publish(default, AT + DAY)
    found = [
        number_in_force(account, AT + offset) for offset in (0 * DAY, DAY - INSTANT, DAY, 2 * DAY - INSTANT, 2 * DAY, 9 * DAY)
    ]
    assert found == [("USD", 1), ("USD", 1), ("USD", 3), ("USD", 3), ("USD", 2), ("USD", 2)]


def test_an_account_changes_books_at_the_time_it_is_assigned_and_not_before(account: Account, meter: Meter) -> None:
    other = open_account(key="globex", name="Globex", at=AT)
    publish(book("Default", is_default=True), AT)
    euro = book("Euro", currency="EUR")
    publish(euro, AT)
    late = book("Late", currency="GBP")
    publish(late, AT + 5 * DAY)
    assign_price_book(account=account, book=euro, effective_at=AT + DAY, at=AT)
    assign_price_book(account=account, book=late, effective_at=AT + 3 * DAY, at=AT)
    times = [AT, AT + DAY - INSTANT, AT + DAY, AT + 3 * DAY - INSTANT, AT + 3 * DAY, AT + 5 * DAY]
    assert [number_in_force(account, at) for at in times] == [
        ("USD", 1), ("USD", 1), ("EUR", 1), ("EUR", 1), None, ("GBP", 1),
    ]  # fmt: skip
    assert {number_in_force(other, at) for at in times} == {("USD", 1)}


def test_a_span_ends_where_the_version_or_the_book_changes(account: Account, meter: Meter) -> None:
    default, euro = book("Default", is_default=True), book("Euro", currency="EUR")
    publish(default, AT)
    publish(default, AT + 2 * DAY)
    publish(euro, AT)
    assign_price_book(account=account, book=euro, effective_at=AT + DAY, at=AT)
    catalogue = catalogue_in_force()
    catalogue.read_assignments([account.pk])
    edges = [AT - DAY, AT - INSTANT, AT, AT + DAY - INSTANT, AT + DAY, AT + 2 * DAY, AT + 9 * DAY]
    for at in edges:
        since, until, version = catalogue.span_in_force(account.pk, at)
        assert since <= at < until
        assert all(catalogue.version_in_force(account.pk, other) is version for other in edges if since <= other < until)


def test_the_most_specific_match_wins_whatever_the_order_of_the_prices(meter: Meter) -> None:
    default = book("Default", is_default=True)
    eu = PriceTerms(meter="calls", match={"region": "eu"}, unit_price=D(2))
    eu_fast = PriceTerms(meter="calls", match={"region": "eu", "fast": True}, unit_price=D(3))
    publish(default, AT, "1", eu_fast, eu)
    publish(default, AT + DAY, "1", eu, eu_fast)
    for at in (AT, AT + DAY):
        assert price_of({}, at) == 1
        assert price_of({"region": "us", "fast": True}, at) == 1
        assert price_of({"region": "eu"}, at) == price_of({"region": "eu", "fast": False}, at) == 2
        assert price_of({"region": "eu", "fast": True}, at) == price_of({"region": "eu", "fast": "true"}, at) == 3


def test_values_match_as_texts_and_a_truth_is_not_a_one(meter: Meter) -> None:
    publish(book("Default", is_default=True), AT, "1", PriceTerms(meter="calls", match={"size": 1}, unit_price=D(5)))
    assert {price_of({"size": size}) for size in (1, "1", D("1.0"))} == {D(5)}
    assert {price_of({"size": size}) for size in (True, "true", "1.0", [1], {"size": 1}, None)} == {D(1)}


def test_an_event_that_no_price_fits_has_a_line_without_a_price(meter: Meter) -> None:
    default = book("Default", is_default=True)
    version = draft_version(book=default, prices=[PriceTerms(meter="calls", match={"region": "eu"}, unit_price=D(2))], at=AT)
    publish_version(version=version, effective_at=AT, at=AT)
    assert (price_of({"region": "eu"}), price_of({"region": "us"}), price_of({})) == (D(2), None, None)


def test_an_archived_meter_measures_nothing_from_then_on(meter: Meter) -> None:
    publish(book("Default", is_default=True), AT)
    assert "call" in catalogue_in_force().meters
    archive_meter(meter=meter, at=AT)
    assert "call" not in catalogue_in_force().meters


def test_nothing_is_read_again_while_nothing_changes(account: Account, meter: Meter) -> None:
    publish(book("Default", is_default=True), AT)
    first = catalogue_in_force()
    first.read_assignments([account.pk])
    with CaptureQueriesContext(connection) as queries:
        again = catalogue_in_force()
        again.read_assignments([account.pk])
    assert again is first
    assert [query["sql"] for query in queries] == ["SELECT token FROM pricing_cataloguetoken WHERE id = 1"]


def test_every_change_of_the_catalogue_changes_its_token(account: Account, meter: Meter) -> None:
    tokens = [catalogue_in_force().token]

    def changed() -> bool:
        tokens.append(catalogue_in_force().token)
        return tokens[-1] not in tokens[:-1]

    default = book("Default", is_default=True)
    assert changed()
    version = draft_version(book=default, prices=[PriceTerms(meter="calls", unit_price=D(1))], at=AT)
    assert changed()
    publish_version(version=version, effective_at=AT, at=AT)
    assert changed()
    assign_price_book(account=account, book=default, effective_at=AT, at=AT)
    assert changed()
    archive_meter(meter=meter, at=AT)
    assert changed()
    with transaction.atomic():
        PriceBook.objects.filter(pk=default.pk).update(is_default=False)
    assert changed()
    assert number_in_force(account, AT) == ("USD", 1)  # assigned, so whether it is the default matters no more


def test_a_version_published_while_the_catalogue_is_read_is_never_seen_without_its_prices(
    account: Account, meter: Meter
) -> None:
    """Before each of the queries that read the catalogue, somebody publishes one more version."""
    default = book("Default", is_default=True)
    publish(default, AT)
    drafts = [draft_version(book=default, prices=[PriceTerms(meter="calls", unit_price=D(2))], at=AT) for _ in range(8)]
    at_work = [False]

    def publish_before(execute: Any, sql: str, params: Any, many: Any, context: Any) -> Any:
        if not at_work[0]:
            at_work[0] = True
            version = drafts.pop()
            publish_version(version=version, effective_at=AT + DAY * version.number, at=AT)
            at_work[0] = False
        return execute(sql, params, many, context)

    with connection.execute_wrapper(publish_before):
        seen: Catalogue = catalogue_in_force()
    assert 0 < len(drafts) < 6, "queries were made, and versions published before them"
    (versions,) = seen.books.values()
    assert len(versions) > 1
    assert all(version.prices for version in versions)


@pytest.mark.django_db(transaction=True)
def test_a_new_version_is_in_force_at_once_in_this_process_and_in_another(account: Account, meter: Meter) -> None:
    default = book("Default", is_default=True)
    publish(default, AT)
    with Child() as other:
        assert other.call(number_for, account=account.pk, at=AT.isoformat()) == 1
        assert number_in_force(account, AT) == ("USD", 1)
        publish(default, AT + INSTANT)
        assert number_in_force(account, AT + INSTANT) == ("USD", 2)
        assert other.call(number_for, account=account.pk, at=(AT + INSTANT).isoformat()) == 2
        special = book("Special")
        publish(special, AT - 9 * DAY)
        assign_price_book(account=account, book=special, effective_at=AT + DAY, at=AT)
        assert other.call(number_for, account=account.pk, at=(AT + DAY).isoformat()) == 1


def number_for(account: int, at: str) -> int | None:
    """In the other process."""
    catalogue = catalogue_in_force()
    catalogue.read_assignments([account])
    version = catalogue.version_in_force(account, datetime.fromisoformat(at))
    return None if version is None else version.number


def test_a_line_knows_its_price_its_meter_and_what_it_is_reported_by(meter: Meter) -> None:
    publish(book("Default", is_default=True), AT)
    catalogue = catalogue_in_force()
    catalogue.read_assignments([0])
    version = catalogue.version_in_force(0, AT)
    assert version is not None
    (line,) = version.lines(version.plan("call", catalogue.meters), ("eu",))
    assert line.price is not None
    assert (line.meter_id, line.meter, line.property) == (meter.pk, "calls", None)
    assert (line.usage, line.ids) == (f'{meter.pk}\t{{"region":"eu"}}', f"{meter.pk}\t{line.price.id}")
