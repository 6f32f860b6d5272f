"""Publish a drafted version: from then on it never changes."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.price_terms import PriceTerms
from pricing.books.stored_terms import percentage_terms, tier_terms
from pricing.books.validate import check_prices
from wallets.errors import Conflict
from wallets.input import Input

Status = PriceVersion.Status


class VersionAlreadyPublished(Conflict):
    """The version was published before; a change is a new version."""

    code = "version_already_published"


class EffectiveAtTaken(Conflict):
    """Another version of the book takes effect at this very time."""

    code = "effective_at_taken"


def publish_version(*, version: PriceVersion, effective_at: datetime, at: datetime) -> PriceVersion:
    """Make a draft the prices in force from `effective_at` on.

    effective_at: not before `at`, since prices do not move under anyone (I8); the first version of a book may reach back,
    as nothing was ever rated with that book. Raises VersionAlreadyPublished, EffectiveAtTaken, PricesRefused, InvalidInput.
    """
    check = Input()
    check.moment("effective_at", effective_at)
    check.refuse("The version cannot be published like this.")
    with transaction.atomic():
        PriceBook.objects.select_for_update().get(pk=version.book_id)
        drafted = PriceVersion.objects.select_related("book").get(pk=version.pk)
        if drafted.status == Status.PUBLISHED:
            raise VersionAlreadyPublished(f"Version {drafted.number} of {drafted.book.name} is published already.")
        published = PriceVersion.objects.filter(book_id=drafted.book_id, status=Status.PUBLISHED)
        if effective_at < at and published.exists():
            check.expect("effective_at", False, f"now ({at.isoformat()}) or later: prices do not move under anyone")
            check.refuse("Only the first version of a book can take effect in the past.")
        if published.filter(effective_at=effective_at).exists():
            raise EffectiveAtTaken(f"Another version of {drafted.book.name} takes effect at {effective_at.isoformat()}.")
        prices = list(Price.objects.filter(version=drafted).select_related("meter").order_by("id"))
        check_prices(
            [terms_of_draft(price) for price in prices],
            currency=drafted.book.currency,
            meters={price.meter.code: price.meter.archived_at is None for price in prices},
        )
        drafted.status, drafted.effective_at, drafted.published_at = Status.PUBLISHED, effective_at, at
        drafted.save(update_fields=["status", "effective_at", "published_at"])
    return drafted


def terms_of_draft(price: Price) -> PriceTerms:
    """A drafted price as it was put forward."""
    return PriceTerms(
        meter=price.meter.code,
        match=price.match,
        model=price.model,
        unit_price=price.unit_price if price.model == Price.Model.PER_UNIT else None,
        unit_cost=price.unit_cost,
        minimum_charge=price.minimum_charge,
        free_units=price.free_units,
        package_size=price.package_size,
        package_price=price.package_price,
        tiers=tier_terms(price.tiers),
        percentage=percentage_terms(price.percentage),
        price_property=price.price_property,
    )
