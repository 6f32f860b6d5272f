"""Draft prices: a price book, and a version of it that nothing uses until it is published."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from django.db import IntegrityError, transaction
from django.db.models import Max

from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.price_terms import PriceTerms
from pricing.books.stored_terms import price_columns
from pricing.books.validate import check_prices
from pricing.meters.models import Meter
from wallets.errors import Conflict
from wallets.input import Input


class PriceBookExists(Conflict):
    """There is a price book of this name already."""

    code = "price_book_exists"


class BookIsNegotiated(Conflict):
    """The book holds the negotiated prices of one account: they are made of list prices, and change as overrides."""

    code = "price_book_is_negotiated"


class DefaultBookExists(Conflict):
    """Another price book is the default one."""

    code = "default_price_book_exists"


def create_price_book(*, name: str, currency: str, at: datetime, is_default: bool = False) -> PriceBook:
    """Create a price book without prices.

    is_default: whether accounts without a book of their own pay its prices. Raises PriceBookExists, DefaultBookExists,
    InvalidInput.
    """
    check = Input()
    name = check.text("name", name, longest=200, required=True)
    check.currency(currency)
    check.refuse("The price book cannot be created like this.")
    try:
        with transaction.atomic():
            return PriceBook.objects.create(name=name, currency=currency, is_default=is_default, created_at=at)
    except IntegrityError as error:
        if "price_book_one_default" in str(error):
            raise DefaultBookExists("Another price book is the default one already.") from error
        if PriceBook.objects.filter(name=name).exists():
            raise PriceBookExists(f"There is a price book {name} already.", fields={"name": "a name not in use"}) from error
        raise


def draft_version(*, book: PriceBook, prices: Sequence[PriceTerms], at: datetime, note: str = "") -> PriceVersion:
    """Draft the book's next version with these prices.

    Raises PricesRefused naming rows and fields, BookIsNegotiated, InvalidInput.
    """
    check = Input()
    note = check.text("note", note, longest=500)
    check.refuse("The version cannot be drafted like this.")
    meters = checked_meters(prices, currency=book.currency)
    with transaction.atomic():
        locked = PriceBook.objects.select_for_update().get(pk=book.pk)
        if locked.base_id is not None:
            raise BookIsNegotiated(f"{locked.name} is made of list prices: change the account's overrides instead.")
        last = PriceVersion.objects.filter(book=book).aggregate(last=Max("number"))["last"] or 0
        version = PriceVersion.objects.create(book=book, number=last + 1, note=note, created_at=at)
        write_prices(version, prices, meters=meters)
    return version


def checked_meters(prices: Sequence[PriceTerms], *, currency: str) -> dict[str, Meter]:
    """The meters of prices that can stand in one version of a book in `currency`. Raises PricesRefused."""
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in={price.meter for price in prices})}
    check_prices(prices, currency=currency, meters={code: meter.archived_at is None for code, meter in meters.items()})
    return meters


def write_prices(version: PriceVersion, prices: Sequence[PriceTerms], *, meters: Mapping[str, Meter]) -> None:
    """The rows of a draft's prices, in their order."""
    currency = version.book.currency
    Price.objects.bulk_create(
        [Price(version=version, meter=meters[price.meter], **price_columns(price, currency=currency)) for price in prices],
        batch_size=2_000,
    )
