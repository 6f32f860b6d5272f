"""Turn a draft into prices in force, inside the transaction of the verb that decided it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection

from pricing.books.models import PriceVersion

# As the trigger price_continues_the_same_terms has it: what the customer pays is the same, whatever it costs us.
_CONTINUE: Final = """
    UPDATE pricing_price price SET continues_id = COALESCE(before.continues_id, before.id)
      FROM pricing_price before
     WHERE price.version_id = %s AND before.version_id = %s
       AND (before.meter_id, before.currency, before.match, before.schedule)
         = (price.meter_id, price.currency, price.match, price.schedule)
       AND (before.model, before.unit_price, before.free_units, before.tiers, before.price_property)
         = (price.model, price.unit_price, price.free_units, price.tiers, price.price_property)
       AND before.package_size IS NOT DISTINCT FROM price.package_size
       AND before.package_price IS NOT DISTINCT FROM price.package_price
       AND before.percentage IS NOT DISTINCT FROM price.percentage
       AND before.minimum_charge IS NOT DISTINCT FROM price.minimum_charge
"""


def put_in_force(version: PriceVersion, *, effective_at: datetime, at: datetime) -> None:
    """Publish a draft: it never changes again. Prices whose terms are those of the version before go on with its counters, so
    that tiers do not begin again in mid-period. The caller has locked the book and checked the prices."""
    before = before_it(version, effective_at)
    if before is not None:
        with connection.cursor() as cursor:
            cursor.execute(_CONTINUE, [version.pk, before])
    version.status, version.effective_at, version.published_at = PriceVersion.Status.PUBLISHED, effective_at, at
    version.save(update_fields=["status", "effective_at", "published_at"])


def before_it(version: PriceVersion, effective_at: datetime) -> int | None:
    """The version whose counters this one goes on with: its book's before `effective_at`; for the first of a negotiated book,
    the list prices it is made of, which its account paid until then."""
    earlier = PriceVersion.objects.filter(
        book_id=version.book_id, status=PriceVersion.Status.PUBLISHED, effective_at__lt=effective_at
    )
    found = earlier.order_by("-effective_at", "-published_at", "-id").values_list("id", flat=True).first()
    return found if found is not None else version.derived_from_id
