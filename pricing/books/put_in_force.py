"""Turn a draft into prices in force, inside the transaction of the verb that decided it."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

import msgspec
from django.db import connection

from pricing.books.models import Price, PriceVersion

# As the trigger price_continues_the_same_terms has it: what the customer pays is the same, whatever it costs us.
_SAME: Final = (
    "meter_id", "currency", "match", "schedule", "model", "unit_price", "free_units", "tiers", "package_size", "package_price",
    "percentage", "price_property", "minimum_charge",
)  # fmt: skip
_CONTINUE: Final = """
    UPDATE pricing_price SET continues_id = found.root
      FROM unnest(%s::bigint[], %s::bigint[]) AS found (id, root)
     WHERE pricing_price.id = found.id
"""


def put_in_force(version: PriceVersion, *, effective_at: datetime, at: datetime) -> None:
    """Publish a draft: it never changes again. Prices whose terms are those of the version before go on with its counters, so
    that tiers do not begin again in mid-period. The caller has locked the book and checked the prices."""
    before = before_it(version, effective_at)
    if before is not None:
        roots = {terms: continues or pk for pk, continues, terms in _terms(before)}
        found = [(pk, roots[terms]) for pk, _, terms in _terms(version.pk) if terms in roots]
        with connection.cursor() as cursor:
            cursor.execute(_CONTINUE, [[pk for pk, _ in found], [root for _, root in found]])
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


def _terms(version_id: int) -> list[tuple[int, int | None, bytes]]:
    """A version's prices: row id, the price it continues, and its terms in a form that compares."""
    rows: Any = Price.objects.filter(version_id=version_id).values_list("id", "continues_id", *_SAME)
    return [(pk, continues, msgspec.json.encode(terms, order="deterministic")) for pk, continues, *terms in rows]
