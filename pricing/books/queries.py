"""Looking price books and versions up, and which book an account uses."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from django.db.models import Count, QuerySet

from pricing.books.models import Assignment, Price, PriceBook, PriceVersion, VersionPin
from pricing.books.price_terms import PriceTerms
from pricing.books.rows import terms_of_row
from wallets.accounts.models import Account
from wallets.errors import NotFound


def all_books() -> QuerySet[PriceBook]:
    """Every price book."""
    return PriceBook.objects.all()


def book_by_id(*, public_id: str) -> PriceBook:
    """The book with this id (`pbk_…`). Raises NotFound."""
    book = PriceBook.objects.filter(public_id=public_id).first()
    if book is None:
        raise NotFound(f"There is no price book {public_id[:40]}.")
    return book


def versions_of(*, book: PriceBook) -> QuerySet[PriceVersion]:
    """A book's versions, each with its number of prices (`price_count`)."""
    versions = PriceVersion.objects.select_related("book", "derived_from").filter(book=book)
    return versions.annotate(price_count=Count("prices"))


def negotiated_versions(*, account: Account) -> QuerySet[PriceVersion]:
    """The versions of an account's negotiated prices, each with its number of prices (`price_count`)."""
    versions = PriceVersion.objects.select_related("book", "derived_from").filter(book__account=account)
    return versions.annotate(price_count=Count("prices"))


def pins_of(*, account: Account) -> QuerySet[VersionPin]:
    """The versions an account is or was pinned to."""
    return VersionPin.objects.select_related("account", "version__book").filter(account=account)


def pin_by_id(*, public_id: str) -> VersionPin:
    """The pin with this id (`pin_…`). Raises NotFound."""
    pin = VersionPin.objects.select_related("account", "version__book").filter(public_id=public_id).first()
    if pin is None:
        raise NotFound(f"There is no pin {public_id[:40]}.")
    return pin


def version_by_id(*, public_id: str) -> PriceVersion:
    """The version with this id (`prv_…`), with its book. Raises NotFound."""
    version = PriceVersion.objects.select_related("book", "derived_from").filter(public_id=public_id).first()
    if version is None:
        raise NotFound(f"There is no price version {public_id[:40]}.")
    return version


def published_of(book_id: int) -> list[PriceVersion]:
    """A book's published versions in the order in which they take effect; of one time, the one that counts last."""
    published = PriceVersion.objects.select_related("book").filter(book_id=book_id, status=PriceVersion.Status.PUBLISHED)
    return list(published.order_by("effective_at", "published_at", "id"))


def times_after(published: Sequence[PriceVersion], at: datetime) -> list[datetime]:
    """Of `published_of`, the times after `at` at which a version takes effect."""
    return sorted({one.effective_at for one in published if one.effective_at is not None and one.effective_at > at})


def version_at(published: Sequence[PriceVersion], at: datetime) -> PriceVersion | None:
    """Of `published_of`, the version in force at a time."""
    return next((one for one in reversed(published) if one.effective_at is not None and one.effective_at <= at), None)


def live_version(*, book: PriceBook, at: datetime) -> PriceVersion | None:
    """The version of a book in force at a time."""
    return version_at(published_of(book.pk), at)


def version_before(*, book: PriceBook, effective_at: datetime) -> PriceVersion | None:
    """The version of a book that is in force until `effective_at`."""
    earlier = [one for one in published_of(book.pk) if one.effective_at is not None and one.effective_at < effective_at]
    return earlier[-1] if earlier else None


def terms_of_version(version: PriceVersion) -> list[PriceTerms]:
    """A version's prices as they were put forward, as drafted."""
    return [terms_of_row(price) for price in prices_of(version=version)]


def prices_of(*, version: PriceVersion) -> list[Price]:
    """A version's prices with their meters, as drafted."""
    return list(Price.objects.filter(version=version).select_related("meter").order_by("id"))


def books_used(*, account_ids: Collection[int], at: datetime) -> dict[int, PriceBook | None]:
    """The book each account uses at `at`: of the version it is pinned to, else the one assigned last, else the default book.
    Three queries."""
    default = PriceBook.objects.filter(is_default=True).first()
    used: dict[int, PriceBook | None] = dict.fromkeys(account_ids, default)
    assigned = Assignment.objects.filter(account_id__in=account_ids, effective_at__lte=at).select_related("book")
    for assignment in assigned.order_by("account_id", "-effective_at").distinct("account_id"):
        used[assignment.account_id] = assignment.book
    pins = VersionPin.objects.filter(account_id__in=account_ids, effective_at__lte=at, until__gt=at)
    for pin in pins.select_related("version__book").order_by("id"):
        used[pin.account_id] = pin.version.book
    return used
