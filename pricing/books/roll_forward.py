"""Begin a new version with the prices of an old one, and change a draft until it is published."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from django.db import transaction

from pricing.books.draft import checked_meters, draft_version, write_prices
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.price_terms import PriceTerms
from pricing.books.publish import VersionAlreadyPublished
from pricing.books.rows import terms_of_row
from wallets.input import Input


def roll_forward(*, book: PriceBook, version: PriceVersion, at: datetime, note: str = "") -> PriceVersion:
    """Draft the book's next version with all prices of `version`, but those of meters archived since.

    Prices that are left as they are keep their counters when the draft is published: tiers do not begin again. Raises
    PricesRefused, BookIsNegotiated, InvalidInput.
    """
    prices = Price.objects.filter(version=version, meter__archived_at__isnull=True).select_related("meter").order_by("id")
    return draft_version(book=book, prices=[terms_of_row(price) for price in prices], at=at, note=note)


def replace_prices(*, version: PriceVersion, prices: Sequence[PriceTerms], note: str | None = None) -> PriceVersion:
    """Let a draft hold these prices instead of those it holds; note: None leaves it.

    Raises VersionAlreadyPublished, PricesRefused, InvalidInput.
    """
    check = Input()
    note = None if note is None else check.text("note", note, longest=500)
    check.refuse("The version cannot be changed like this.")
    meters = checked_meters(prices, currency=version.book.currency)
    with transaction.atomic():
        PriceBook.objects.select_for_update().get(pk=version.book_id)
        draft = PriceVersion.objects.select_related("book").get(pk=version.pk)
        if draft.status == PriceVersion.Status.PUBLISHED:
            raise VersionAlreadyPublished(f"Version {draft.number} of {draft.book.name} is published: draft another.")
        Price.objects.filter(version=draft).delete()
        write_prices(draft, prices, meters=meters)
        if note is not None:
            draft.note = note
            draft.save(update_fields=["note"])
    return draft
