"""Looking price books and versions up, and which book an account uses."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

from django.db.models import Count, QuerySet

from pricing.books.models import Assignment, Price, PriceBook, PriceVersion
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
    return PriceVersion.objects.select_related("book").filter(book=book).annotate(price_count=Count("prices"))


def version_by_id(*, public_id: str) -> PriceVersion:
    """The version with this id (`prv_…`), with its book. Raises NotFound."""
    version = PriceVersion.objects.select_related("book").filter(public_id=public_id).first()
    if version is None:
        raise NotFound(f"There is no price version {public_id[:40]}.")
    return version


def prices_of(*, version: PriceVersion) -> list[Price]:
    """A version's prices with their meters, as drafted."""
    return list(Price.objects.filter(version=version).select_related("meter").order_by("id"))


def books_used(*, account_ids: Collection[int], at: datetime) -> dict[int, PriceBook | None]:
    """The book each account uses at `at`: the one assigned last, else the default book. Two queries."""
    default = PriceBook.objects.filter(is_default=True).first()
    used: dict[int, PriceBook | None] = dict.fromkeys(account_ids, default)
    assigned = Assignment.objects.filter(account_id__in=account_ids, effective_at__lte=at).select_related("book")
    for assignment in assigned.order_by("account_id", "-effective_at").distinct("account_id"):
        used[assignment.account_id] = assignment.book
    return used
