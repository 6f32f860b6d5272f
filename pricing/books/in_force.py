"""Which prices are in force for an account at a time (I8). Published versions never change, so a process keeps them in
memory; one short query a batch compares the catalogue's token and reloads when meters, books, versions or assignments
have changed anywhere."""

from __future__ import annotations

import threading
from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db import connection

from pricing.books.models import Assignment, Price, PriceBook, PriceVersion
from pricing.books.stored_terms import percentage_terms, rated_percentage, rated_tiers, tier_terms
from pricing.meters.measure import Measurer, dimension_text, measurer_of, passes, reported_dimensions
from pricing.meters.models import Meter
from pricing.rating.explanation import PriceTerms, Rater
from pricing.rating.rate import needs_counter, rater_of
from wallets.bulk import escaped

BEGINNING: Final = datetime.min.replace(tzinfo=UTC)
END: Final = datetime.max.replace(tzinfo=UTC)
MAX_PLANS: Final = 20_000
EACH_FOR_ITSELF: Final = frozenset({"count", "sum"})  # the others charge the increase over what was before


@dataclass(frozen=True, slots=True)
class MeterView:
    """A meter as ingest sees it."""

    id: int
    code: str
    property: str | None
    filters: dict[str, Any]
    dimensions: tuple[str, ...]
    aggregation: str
    expression: str


@dataclass(frozen=True, slots=True, eq=False)
class Line:
    """What to do with one meter for events of one kind: measure `property` (None: count one), at `price`. `ids` and `usage`
    are fields of COPY's text form: meter and price, as a charge's row has them; meter and dimensions (a JSON object), as a
    roll-up's row has them.

    plain: the quantity is one, or a property's value as it stands, and the price needs no more than that.
    counted: what was charged before decides, so that it is priced under the wallet's lock, with its counter.
    counter_price: row id of the price whose counter it goes on with.
    own_price: the property in which an event carries its own price; empty when it does not.
    """

    meter_id: int
    meter: str
    property: str | None
    price: PriceTerms | None
    rate: Rater | None
    ids: str
    usage: str
    plain: bool
    counted: bool
    aggregation: str
    counter_price: int
    measure: Measurer
    own_price: str


@dataclass(slots=True)
class TypePlan:
    """How a version rates events of one type. `keys`: the properties that decide; `lines`: by their values."""

    keys: tuple[str, ...]
    meters: list[MeterView]
    lines: dict[tuple[Any, ...], tuple[Line, ...]] = field(default_factory=dict)


@dataclass(slots=True)
class VersionView:
    """A published version: its prices by meter, most specific match first."""

    id: int
    number: int
    currency: str
    effective_at: datetime
    prices: dict[int, list[tuple[dict[str, str | None], PriceTerms]]]
    plans: dict[str, TypePlan] = field(default_factory=dict)

    def plan(self, event_type: str, catalogue: Catalogue) -> TypePlan:
        """The plan for events of a type that has meters."""
        plan = self.plans.get(event_type)
        if plan is None:
            meters = catalogue.meters[event_type]
            keys = {name for meter in meters for name in (*meter.dimensions, *meter.filters)}
            keys.update(name for meter in meters for match, _ in self.prices.get(meter.id, ()) for name in match)
            plan = self.plans[event_type] = TypePlan(tuple(sorted(keys)), meters)
        return plan

    def lines(self, plan: TypePlan, values: tuple[Any, ...]) -> tuple[Line, ...]:
        """The lines for events whose deciding properties have these values (in the order of `plan.keys`)."""
        texts = {name: dimension_text(value) for name, value in zip(plan.keys, values, strict=True)}
        lines = tuple(self._line(meter, texts) for meter in plan.meters if passes(meter.filters, texts))
        if all(value is None or type(value) is str for value in values):  # 1 and True are one key, "1" and "true" are not
            if len(plan.lines) >= MAX_PLANS:
                plan.lines.clear()
            plan.lines[values] = lines
        return lines

    def _line(self, meter: MeterView, texts: dict[str, str | None]) -> Line:
        price = self._price(meter.id, texts)
        ids = f"{meter.id}\t{price.id}" if price else ""
        rate = rater_of(price) if price else None
        dimensions = msgspec.json.encode(reported_dimensions(meter.dimensions, texts)).decode()
        usage = f"{meter.id}\t{escaped(dimensions)}"
        each_for_itself = meter.aggregation in EACH_FOR_ITSELF
        return Line(
            meter_id=meter.id,
            meter=meter.code,
            property=meter.property,
            price=price,
            rate=rate,
            ids=ids,
            usage=usage,
            plain=each_for_itself and not meter.expression and not (price and price.price_property),
            counted=price is not None and (not each_for_itself or needs_counter(price)),
            aggregation=meter.aggregation,
            counter_price=(price.counter_id or price.id) if price else 0,
            measure=measurer_of(meter.aggregation, meter.property or "", meter.expression),
            own_price=price.price_property if price else "",
        )

    def _price(self, meter_id: int, texts: dict[str, str | None]) -> PriceTerms | None:
        for match, terms in self.prices.get(meter_id, ()):
            if all(texts.get(name) == wanted for name, wanted in match.items()):
                return terms
        return None


@dataclass(slots=True)
class Catalogue:
    """Meters, books and published versions as of one token. Assignments are read per account, on demand."""

    token: UUID | None
    meters: dict[str, list[MeterView]]
    books: dict[int, list[VersionView]]
    default_book: int | None
    assignments: dict[int, list[tuple[datetime, int]]] = field(default_factory=dict)

    @property
    def currencies(self) -> int:
        """In how many currencies prices may be."""
        return len({version.currency for versions in self.books.values() for version in versions})

    def read_assignments(self, account_ids: list[int]) -> None:
        """Make the assignments of these accounts known (one query for those that are not)."""
        unknown = [account_id for account_id in account_ids if account_id not in self.assignments]
        if not unknown:
            return
        found: dict[int, list[tuple[datetime, int]]] = {account_id: [] for account_id in unknown}
        rows = Assignment.objects.filter(account_id__in=unknown).order_by("effective_at", "id")
        for account_id, effective_at, book_id in rows.values_list("account_id", "effective_at", "book_id"):
            found[account_id].append((effective_at, book_id))
        self.assignments.update(found)

    def version_in_force(self, account_id: int, at: datetime) -> VersionView | None:
        """The version that prices usage of this account at `at`: of the book assigned then (else the default book), the
        latest that was effective. None when there is none. `read_assignments` must know the account."""
        return self.span_in_force(account_id, at)[2]

    def span_in_force(self, account_id: int, at: datetime) -> tuple[datetime, datetime, VersionView | None]:
        """`version_in_force`, and from when until before when it is in force without a change."""
        since, until, book_id = BEGINNING, END, self.default_book
        for effective_at, assigned in self.assignments[account_id]:
            if effective_at > at:
                until = effective_at
                break
            since, book_id = effective_at, assigned
        versions = [] if book_id is None else self.books.get(book_id, [])
        index = bisect_right(versions, at, key=lambda version: version.effective_at)
        if index < len(versions):
            until = min(until, versions[index].effective_at)
        if index == 0:
            return since, until, None
        return max(since, versions[index - 1].effective_at), until, versions[index - 1]


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
        loaded = _read(token)
        _catalogue = loaded
    return loaded


def forget() -> None:
    """Drop what this process remembers (the database was emptied under it)."""
    global _catalogue  # noqa: PLW0603 - one catalogue a process
    _catalogue = None


def _read(token: UUID | None) -> Catalogue:
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
    books: dict[int, list[VersionView]] = defaultdict(list)
    published = PriceVersion.objects.filter(status=PriceVersion.Status.PUBLISHED).order_by("effective_at", "published_at", "id")
    versions = list(published.values_list("id", "book_id", "number", "book__currency", "effective_at"))
    # Prices after versions: one that is published meanwhile is not seen, rather than seen without prices.
    prices: dict[int, dict[int, list[tuple[dict[str, str | None], PriceTerms]]]] = defaultdict(lambda: defaultdict(list))
    for price in Price.objects.filter(version__status=PriceVersion.Status.PUBLISHED).order_by("id"):
        match = {name: dimension_text(value) for name, value in price.match.items()}
        prices[price.version_id][price.meter_id].append((match, terms_of(price)))
    for version_id, book_id, number, currency, effective_at in versions:
        by_meter = {
            meter_id: sorted(of_meter, key=lambda pair: -len(pair[0])) for meter_id, of_meter in prices[version_id].items()
        }
        assert effective_at is not None, "version_published_has_its_times"
        books[book_id].append(VersionView(version_id, number, currency, effective_at, by_meter))
    default = PriceBook.objects.filter(is_default=True).values_list("id", flat=True).first()
    return Catalogue(token, dict(meters), dict(books), default)


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
