"""Negotiated prices are made of list prices: so much percent off, some of them replaced. They are made when either is
published, in its transaction, so that ingest looks them up like any others and a charge names a price that never changes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db.models import Max

from pricing.books.diff import key_of
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.price_terms import PriceTerms
from pricing.books.put_in_force import put_in_force
from pricing.books.queries import published_of, times_after, version_at
from pricing.books.rows import terms_of_row
from pricing.books.stored_terms import price_columns, stored_form
from pricing.meters.models import Meter
from wallets.money import to_scale

HUNDRED: Final = Decimal(100)
WRITTEN_AT_ONCE: Final = 2_000


def derive_negotiated(version: PriceVersion, *, at: datetime) -> None:
    """Make the negotiated prices of every account that go with a list version just published: for its time, and for later
    times at which negotiated terms change while it will be in force. Its book is locked."""
    effective_at = version.effective_at
    assert effective_at is not None, "a published version has its time"
    books = list(PriceBook.objects.select_for_update().filter(base_id=version.book_id).order_by("id"))
    if not books:
        return
    until = min(times_after(published_of(version.book_id), effective_at), default=None)
    for book in books:
        negotiated = published_of(book.pk)
        changes = times_after(negotiated, effective_at)
        for time in (effective_at, *(change for change in changes if until is None or change < until)):
            terms = version_at(negotiated, time)
            if terms is not None:
                overrides = Price.objects.filter(version=terms, is_override=True).select_related("meter").order_by("id")
                derive_version(
                    book=book, base=version, percent_off=terms.percent_off, note=terms.note, effective_at=time, at=at,
                    overrides=[terms_of_row(price) for price in overrides],
                )  # fmt: skip


def derive_version(
    *,
    book: PriceBook,
    base: PriceVersion,
    percent_off: Decimal,
    overrides: Sequence[PriceTerms],
    effective_at: datetime,
    at: datetime,
    note: str = "",
) -> PriceVersion:
    """Publish the version of a negotiated book that is made of a list version. The books are locked, the terms acceptable.

    overrides: prices that stand for the list price of the same meter, currency, match and schedule, or beside the list.
    """
    last = PriceVersion.objects.filter(book=book).aggregate(last=Max("number"))["last"] or 0
    version = PriceVersion.objects.create(
        book=book, number=last + 1, note=note, derived_from=base, percent_off=percent_off, created_at=at
    )
    listed = list(Price.objects.filter(version=base).select_related("meter").order_by("id"))
    list_terms = {key_of(terms): terms for terms in map(terms_of_row, listed)}
    list_rows = dict(zip(list_terms, listed, strict=True))
    single = {key_of(terms): terms for terms in (stored_form(one, currency=book.currency) for one in overrides)}
    terms = {key: discounted(one, percent_off) for key, one in list_terms.items() if key not in single} | single
    meters = {meter.code: meter for meter in Meter.objects.filter(code__in={one.meter for one in terms.values()})}
    Price.objects.bulk_create(
        [
            Price(
                version=version,
                meter=meters[one.meter],
                derived_from=list_rows.get(key),
                is_override=key in single,
                **price_columns(one, currency=book.currency),
            )
            for key, one in terms.items()
        ],
        batch_size=WRITTEN_AT_ONCE,
    )
    put_in_force(version, effective_at=effective_at, at=at)
    return version


def discounted(terms: PriceTerms, percent_off: Decimal) -> PriceTerms:
    """What is left of a price, each of its amounts to 12 decimals. Our cost, what is free, and a dynamic price (each event
    carries its own) stay as they are."""
    if not percent_off:
        return terms

    def less(amount: Decimal | None) -> Decimal | None:
        return None if amount is None else to_scale(amount * (HUNDRED - percent_off) / HUNDRED)

    percentage = terms.percentage and replace(
        terms.percentage,
        rate=less(terms.percentage.rate),
        fixed=less(terms.percentage.fixed),
        minimum=less(terms.percentage.minimum),
        maximum=less(terms.percentage.maximum),
    )
    tiers = tuple(
        replace(tier, unit_price=less(tier.unit_price), flat_price=less(tier.flat_price), rate=less(tier.rate))
        for tier in terms.tiers
    )
    return replace(
        terms,
        unit_price=less(terms.unit_price),
        package_price=less(terms.package_price),
        minimum_charge=less(terms.minimum_charge),
        tiers=tiers,
        percentage=percentage,
    )
