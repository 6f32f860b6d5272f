"""What the demo company sells and for how much: meters, three price books, and a change of prices in their history.

The token prices are providers' list prices plus a mark-up; the list price is kept as unit cost, so that margins are real.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from django.db import transaction

from billing_site.demo.customers import ENTERPRISE, EUROPE, STANDARD
from pricing.books.draft import create_price_book
from pricing.books.models import PriceBook, PriceVersion
from pricing.books.open_customer import BEGINNING
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.catalogues.genai_prices import import_list_prices
from pricing.meters.define import define_meter
from pricing.meters.models import Meter

PROVIDERS: Final = ("openai", "anthropic", "mistral")
MODELS: Final = (
    "gpt-5", "gpt-5-mini", "gpt-5-nano", "gpt-4.1-mini", "gpt-4o-mini", "text-embedding-3-small", "text-embedding-3-large",
    "claude-haiku-4-5", "claude-sonnet-5", "mistral-small-2603", "mistral-large-2512",
)  # fmt: skip
EUR_FOR_USD: Final = Decimal("0.92")


class BookPlan(NamedTuple):
    """A price book: its name, currency, and the mark-up in percent before and after the change of prices."""

    key: str
    name: str
    currency: str
    markup_before: Decimal
    markup_after: Decimal


BOOKS: Final = (
    BookPlan(STANDARD, "Northwind AI standard", "USD", Decimal(40), Decimal(30)),
    BookPlan(ENTERPRISE, "Northwind AI enterprise", "USD", Decimal(18), Decimal(15)),
    BookPlan(EUROPE, "Northwind AI Europe", "EUR", Decimal(42), Decimal(32)),
)


class MeterPlan(NamedTuple):
    """A meter of the demo company."""

    code: str
    event_type: str
    property: str
    dimensions: tuple[str, ...]
    name: str
    unit: str


METERS: Final = (
    MeterPlan("llm.input_tokens", "llm.request", "input_tokens", ("model", "endpoint"), "Input tokens", "token"),
    MeterPlan(
        "llm.cached_input_tokens", "llm.request", "cached_input_tokens", ("model", "endpoint"), "Cached input tokens", "token"
    ),
    MeterPlan(
        "llm.cache_write_tokens", "llm.request", "cache_write_tokens", ("model", "endpoint"), "Cache write tokens", "token"
    ),
    MeterPlan("llm.output_tokens", "llm.request", "output_tokens", ("model", "endpoint"), "Output tokens", "token"),
    MeterPlan("image.images", "image.generation", "images", ("model", "size"), "Images", "image"),
    MeterPlan("audio.seconds", "audio.transcription", "seconds", ("model",), "Transcribed audio", "second"),
)


def define_meters(*, at: datetime) -> None:
    """Those of METERS that do not exist."""
    known = set(Meter.objects.filter(code__in=[meter.code for meter in METERS]).values_list("code", flat=True))
    for meter in METERS:
        if meter.code not in known:
            define_meter(
                code=meter.code,
                event_type=meter.event_type,
                aggregation="sum",
                property=meter.property,
                dimensions=meter.dimensions,
                name=meter.name,
                unit=meter.unit,
                at=at,
            )


def publish_first_prices(*, at: datetime) -> None:
    """The books with their first versions, in force from the beginning; those that exist stay. Published at `at`."""
    for plan in BOOKS:
        with transaction.atomic():
            if PriceBook.objects.filter(name=plan.name).exists():
                continue
            default = plan.key == STANDARD and not PriceBook.objects.filter(is_default=True).exists()
            book = create_price_book(name=plan.name, currency=plan.currency, at=at, is_default=default)
            others = _other_prices(plan, image=Decimal("0.040"))
            _publish(book, plan, plan.markup_before, others, "First prices", effective_at=BEGINNING, at=at)


def change_prices(*, at: datetime) -> None:
    """The books' second versions, in force from `at`: a smaller mark-up on tokens, dearer images."""
    for plan in BOOKS:
        with transaction.atomic():
            book = PriceBook.objects.get(name=plan.name)
            if not PriceVersion.objects.filter(book=book, number=2).exists():
                others = _other_prices(plan, image=Decimal("0.044"))
                _publish(book, plan, plan.markup_after, others, "Tokens cheaper, images dearer", effective_at=at, at=at)


def book_of(key: str) -> PriceBook:
    """The price book of a BookPlan."""
    return PriceBook.objects.get(name=next(plan.name for plan in BOOKS if plan.key == key))


def _publish(
    book: PriceBook,
    plan: BookPlan,
    markup_percent: Decimal,
    others: list[PriceTerms],
    note: str,
    *,
    effective_at: datetime,
    at: datetime,
) -> None:
    imported = import_list_prices(
        book=book,
        providers=PROVIDERS,
        models=MODELS,
        markup_percent=markup_percent,
        exchange_rate=EUR_FOR_USD if plan.currency == "EUR" else None,
        also=others,
        note=f"{note}: list prices of {', '.join(PROVIDERS)} plus {markup_percent} %",
        at=at,
    )
    publish_version(version=imported.version, effective_at=effective_at, at=at)


def _other_prices(plan: BookPlan, *, image: Decimal) -> list[PriceTerms]:
    """Images by size, and audio by the second with a least charge."""
    rate = EUR_FOR_USD if plan.currency == "EUR" else Decimal(1)
    sizes = {"1024x1024": Decimal(1), "1536x1024": Decimal("1.5"), "2048x2048": Decimal(3)}
    images = [
        PriceTerms(
            meter="image.images",
            match={"model": "image-1", "size": size},
            unit_price=image * times * rate,
            unit_cost=Decimal("0.025") * times * rate,
        )
        for size, times in sizes.items()
    ]
    audio = PriceTerms(
        meter="audio.seconds",
        match={"model": "whisper-1"},
        unit_price=Decimal("0.00014") * rate,
        unit_cost=Decimal("0.0001") * rate,
        minimum_charge=Decimal("0.002") * rate,
    )
    return [*images, audio]
