"""Publish a drafted version: from then on it never changes. What was published for later can still be replaced or withdrawn,
by another version that takes effect at the same time."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from pricing.books.derive import derive_negotiated
from pricing.books.draft import draft_version
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.put_in_force import put_in_force
from pricing.books.queries import version_before
from pricing.books.rows import terms_of_row
from pricing.books.validate import check_prices
from wallets.errors import Conflict
from wallets.input import Input

Status = PriceVersion.Status


class VersionAlreadyPublished(Conflict):
    """The version was published before; a change is a new version."""

    code = "version_already_published"


class EffectiveAtTaken(Conflict):
    """Another version of the book has taken effect at this very time."""

    code = "effective_at_taken"


class VersionInForce(Conflict):
    """The version has taken effect, or was never published: there is nothing to withdraw."""

    code = "version_not_scheduled"


def publish_version(*, version: PriceVersion, effective_at: datetime, at: datetime) -> PriceVersion:
    """Make a draft the prices in force from `effective_at` on, and with it the negotiated prices made of it.

    effective_at: not before `at`, since prices do not move under anyone (I8); the first version of a book may reach back,
    as nothing was ever rated with that book. A version published for the same time that lies ahead is replaced. Raises
    VersionAlreadyPublished, EffectiveAtTaken, PricesRefused, InvalidInput.
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
        if effective_at <= at and published.filter(effective_at=effective_at).exists():
            raise EffectiveAtTaken(f"Another version of {drafted.book.name} took effect at {effective_at.isoformat()}.")
        prices = list(Price.objects.filter(version=drafted).select_related("meter").order_by("id"))
        check_prices(
            [terms_of_row(price) for price in prices],
            currency=drafted.book.currency,
            meters={price.meter.code: price.meter.archived_at is None for price in prices},
        )
        put_in_force(drafted, effective_at=effective_at, at=at)
        derive_negotiated(drafted, at=at)
    return drafted


def withdraw_version(*, version: PriceVersion, at: datetime, reason: str = "") -> PriceVersion:
    """Keep a version that is published for later from ever taking effect: the prices before it are published for its time.
    The answer is the version that does so.

    Raises VersionInForce when it is too late or too early, and when no version stands before it.
    """
    with transaction.atomic():
        book = PriceBook.objects.select_for_update().get(pk=version.book_id)
        scheduled = PriceVersion.objects.get(pk=version.pk)
        effective_at = scheduled.effective_at
        if effective_at is None or effective_at <= at or scheduled.status != Status.PUBLISHED:
            raise VersionInForce("Only a version that is published and has not taken effect yet can be withdrawn.")
        before = version_before(book=book, effective_at=effective_at)
        if before is None:
            raise VersionInForce("No version stands before it: publish another for the same time instead.")
        prices = Price.objects.filter(version=before, meter__archived_at__isnull=True).select_related("meter").order_by("id")
        note = f"Withdraws version {scheduled.number}: {reason}" if reason else f"Withdraws version {scheduled.number}"
        draft = draft_version(book=book, prices=[terms_of_row(price) for price in prices], at=at, note=note[:500])
        return publish_version(version=draft, effective_at=effective_at, at=at)
