"""Which prices are in force for an account at a time (I8). Published versions never change, so a process keeps them in
memory; one short query a batch compares the catalogue's token. When meters, books, versions, assignments or pins have
changed anywhere it is read anew, but for the prices of versions this process has read before."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from django.db import connection

from pricing.books.models import Assignment, Price, PriceBook, PriceVersion, VersionPin
from pricing.books.stored_terms import percentage_terms, rated_percentage, rated_tiers, tier_terms
from pricing.books.version_view import Candidate, MeterPrices, MeterView, PublishedVersion, VersionView
from pricing.meters.measure import dimension_text
from pricing.meters.models import Meter
from pricing.rating.explanation import PriceTerms
from wallets.accounts.models import Account

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)


class Segment(NamedTuple):
    """From when on an account pays the prices of which book (None: the default one), or of one version it is pinned to."""

    effective_at: datetime
    book_id: int | None
    version_id: int | None = None


class Payer(NamedTuple):
    """What decides which prices an account pays: its main currency, and its segments in order."""

    currency: str
    segments: list[Segment]


@dataclass(slots=True)
class Catalogue:
    """Meters, books and published versions as of one token. What accounts are assigned is read on demand."""

    token: UUID | None
    meters: dict[str, list[MeterView]]
    books: dict[int, list[PublishedVersion]]
    versions: dict[int, PublishedVersion]
    default_book: int | None
    has_pins: bool
    currencies: int  # in how many prices may be
    payers: dict[int, Payer] = field(default_factory=dict)

    def read_assignments(self, account_ids: list[int]) -> None:
        """Make known what these accounts are assigned (one query for those that are not; two more where prices are in several
        currencies, or accounts are pinned)."""
        unknown = [account_id for account_id in account_ids if account_id not in self.payers]
        if not unknown:
            return
        found: dict[int, list[Segment]] = {account_id: [] for account_id in unknown}
        rows = Assignment.objects.filter(account_id__in=unknown).order_by("effective_at", "id")
        for account_id, effective_at, book_id in rows.values_list("account_id", "effective_at", "book_id"):
            found[account_id].append(Segment(effective_at, book_id))
        if self.has_pins:
            pins = VersionPin.objects.filter(account_id__in=unknown).order_by("effective_at", "id")
            for account_id, effective_at, until, version_id in pins.values_list(
                "account_id", "effective_at", "until", "version_id"
            ):
                if version_id in self.versions:  # else it was published and pinned since this catalogue was read
                    found[account_id] = pinned(found[account_id], effective_at, until, version_id)
        main: dict[int, str] = {}
        if self.currencies > 1:
            main = dict(Account.objects.filter(pk__in=unknown).values_list("id", "currency"))
        self.payers.update({account_id: Payer(main.get(account_id, ""), segments) for account_id, segments in found.items()})

    def version_in_force(self, account_id: int, at: datetime) -> VersionView | None:
        """The version that prices usage of this account at `at`: the one it is pinned to; else, of the book assigned then
        (else the default book), the latest that was effective. None when there is none. `read_assignments` must know the
        account."""
        return self.span_in_force(account_id, at)[2]

    def span_in_force(self, account_id: int, at: datetime) -> tuple[datetime, datetime, VersionView | None]:
        """`version_in_force`, and from when until before when it is in force without a change."""
        payer = self.payers[account_id]
        since, until, book_id, version_id = BEGINNING, END, self.default_book, None
        for segment in payer.segments:
            if segment.effective_at > at:
                until = segment.effective_at
                break
            since, version_id = segment.effective_at, segment.version_id
            book_id = self.default_book if segment.book_id is None else segment.book_id
        if version_id is not None:
            return since, until, self.versions[version_id].in_currency(payer.currency)
        versions = [] if book_id is None else self.books.get(book_id, [])
        index = bisect_right(versions, at, key=lambda version: version.effective_at)
        if index < len(versions):
            until = min(until, versions[index].effective_at)
        if index == 0:
            return since, until, None
        version = versions[index - 1]
        return max(since, version.effective_at), until, version.in_currency(payer.currency)


def pinned(segments: list[Segment], effective_at: datetime, until: datetime, version_id: int) -> list[Segment]:
    """Segments in order, with a pin to a version laid over them from `effective_at` until before `until`."""
    if until <= effective_at:
        return segments
    before = [one for one in segments if one.effective_at < effective_at]
    after = [one for one in segments if one.effective_at >= until]
    inside = [one for one in segments if effective_at <= one.effective_at < until]
    if not (after and after[0].effective_at == until):
        last = (before + inside)[-1:]
        after = [last[0]._replace(effective_at=until) if last else Segment(until, None), *after]
    return [*before, Segment(effective_at, None, version_id), *after]


_lock = threading.Lock()
_catalogue: Catalogue | None = None


def catalogue_in_force() -> Catalogue:
    """The catalogue as of now: the one in memory while its token holds, else read anew."""
    global _catalogue  # noqa: PLW0603 - one catalogue a process
    with connection.cursor() as cursor:
        cursor.execute("SELECT token FROM pricing_cataloguetoken WHERE id = 1")
        row = cursor.fetchone()
    token = row[0] if row else None
    known = _catalogue
    if known is not None and known.token == token:
        return known
    with _lock:
        loaded = _read(token, _catalogue)
        _catalogue = loaded
    return loaded


def version_as_priced(version: PriceVersion) -> PublishedVersion:
    """One version, draft or published, as it would price events. Not kept: a draft changes."""
    prices = _read_prices([version.pk]).get(version.pk, {})
    return PublishedVersion(version.pk, version.number, version.book.currency, version.effective_at or BEGINNING, prices)


def forget() -> None:
    """Drop what this process remembers (the database was emptied under it)."""
    global _catalogue  # noqa: PLW0603 - one catalogue a process
    _catalogue = None


def _read(token: UUID | None, known: Catalogue | None) -> Catalogue:
    meters: dict[str, list[MeterView]] = defaultdict(list)
    for meter in Meter.objects.filter(archived_at__isnull=True).order_by("id"):
        meters[meter.event_type].append(
            MeterView(
                id=meter.id,
                code=meter.code,
                property=meter.property or None,
                filters=meter.filters,
                dimensions=tuple(meter.dimensions),
                aggregation=meter.aggregation,
                expression=meter.expression,
            )
        )
    published = PriceVersion.objects.filter(status=PriceVersion.Status.PUBLISHED)
    ordered = published.order_by("effective_at", "published_at", "id")
    rows = list(ordered.values_list("id", "book_id", "number", "book__currency", "effective_at"))
    # Prices after versions: one that is published meanwhile is not seen, rather than seen without prices.
    kept = known.versions if known is not None else {}
    prices = _read_prices([row[0] for row in rows if row[0] not in kept])
    books: dict[int, list[PublishedVersion]] = defaultdict(list)
    for version_id, book_id, number, currency, effective_at in rows:
        assert effective_at is not None, "version_published_has_its_times"
        own = kept[version_id].prices if version_id in kept else prices.get(version_id, {})
        books[book_id].append(PublishedVersion(version_id, number, currency, effective_at, own))
    default = PriceBook.objects.filter(is_default=True).values_list("id", flat=True).first()
    versions = {version.id: version for of_book in books.values() for version in of_book}
    currencies = {currency for version in versions.values() for currency in (version.currency, *version.prices)}
    return Catalogue(
        token=token,
        meters=dict(meters),
        books=dict(books),
        versions=versions,
        default_book=default,
        has_pins=VersionPin.objects.exists(),
        currencies=len(currencies),
    )


def _read_prices(version_ids: list[int]) -> dict[int, dict[str, MeterPrices]]:
    """The prices of versions by currency and meter, the one that wins first: the most specific match, of equally specific ones
    a scheduled price, then an override."""
    found: dict[int, dict[str, dict[int, list[tuple[tuple[int, bool, bool], Candidate]]]]] = defaultdict(
        lambda: defaultdict(lambda: defaultdict(list))
    )
    for price in Price.objects.filter(version_id__in=version_ids).order_by("id") if version_ids else ():
        match = {name: dimension_text(value) for name, value in price.match.items()}
        schedule = msgspec.json.encode(price.schedule, order="deterministic").decode() if price.schedule else None
        rank = (-len(match), schedule is None, not price.is_override)
        found[price.version_id][price.currency][price.meter_id].append((rank, Candidate(match, schedule, terms_of(price))))
    return {
        version_id: {
            currency: {
                meter_id: [price for _, price in sorted(ranked, key=lambda pair: pair[0])]
                for meter_id, ranked in meters.items()
            }
            for currency, meters in currencies.items()
        }
        for version_id, currencies in found.items()
    }


def terms_of(price: Price) -> PriceTerms:
    """A price row as rating needs it."""
    return PriceTerms(
        price.id,
        price.model,
        price.unit_price,
        price.unit_cost,
        price.minimum_charge,
        package_size=price.package_size,
        package_price=price.package_price,
        free_units=price.free_units,
        tiers=rated_tiers(tier_terms(price.tiers)),
        percentage=rated_percentage(percentage_terms(price.percentage)),
        price_property=price.price_property,
        counter_id=price.continues_id or 0,
    )
