"""LLM list prices into a draft: what the providers charge becomes our unit cost, plus a mark-up our unit price.

The list is that of the `genai-prices` package, in USD. A price there is per million (or thousand) of something; here it
is per one, with at most 12 decimals, by `Decimal` all the way. Providers count tokens so that no token is paid twice:
`input_tokens` on an event are those that were neither read from a cache nor written to one. A model without a price of
its own for cached tokens charges them as input, as its provider does.

What cannot be said as one price per unit is left out, and every omission is named with its reason: prices that depend on
the size of the request (tiers), on the hour of the day, on a variant of the request (batch, fast), and on units that no
meter here counts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from functools import cache
from typing import TYPE_CHECKING, Final

from pricing.books.draft import draft_version
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.rows import terms_of_row
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from pricing.meters.models import Meter
from wallets.errors import Conflict, InvalidInput
from wallets.input import Input
from wallets.money import EXACT, ZERO, to_scale

if TYPE_CHECKING:
    from genai_prices.types import ModelInfo, ModelPrice, Provider

EVENT_TYPE: Final = "llm.request"
DIMENSIONS: Final = ("model",)
PERCENT: Final = Decimal(100)
MOST_MARKUP_PERCENT: Final = Decimal(100_000)
LONGEST_MODEL: Final = 255


@dataclass(frozen=True, slots=True)
class TokenMeter:
    """How a price of the list is metered: its key there, our meter's code, the property it sums, what is counted.

    instead: the key of the price that holds where this one is not listed; empty when the tokens then cannot occur.
    """

    price_key: str
    code: str
    property: str
    name: str
    instead: str = ""


METERS: Final = (
    TokenMeter("input_mtok", "llm.input_tokens", "input_tokens", "Input tokens"),
    TokenMeter("output_mtok", "llm.output_tokens", "output_tokens", "Output tokens"),
    TokenMeter("cache_read_mtok", "llm.cached_input_tokens", "cached_input_tokens", "Cached input tokens", "input_mtok"),
    TokenMeter("cache_write_mtok", "llm.cache_write_tokens", "cache_write_tokens", "Cache write tokens", "input_mtok"),
)
TOKENS_PER_PRICE: Final = Decimal(1_000_000)


@dataclass(frozen=True, slots=True)
class ListPrice:
    """What a provider charges for one unit of a meter, in USD."""

    provider: str
    model: str
    meter: str
    unit_cost: Decimal


@dataclass(frozen=True, slots=True)
class Skipped:
    """Something on the list that was left out. `what`: a price key, a variant, or empty for the whole model."""

    provider: str
    model: str
    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import made. prices: from the list.  taken_over: prices of other meters.  rounded: list prices that had more
    than 12 decimals before they were rounded half-even."""

    version: PriceVersion
    prices: int
    taken_over: int
    models: int
    rounded: int
    defined_meters: tuple[str, ...]
    skipped: tuple[Skipped, ...]


class NothingToImport(InvalidInput):
    """No model that was asked for has a price that can be imported."""

    code = "nothing_to_import"


class BookCurrencyDiffers(Conflict):
    """The list is in USD, the book is not, and no exchange rate was given."""

    code = "price_book_currency_differs"


def import_list_prices(
    *,
    book: PriceBook,
    providers: Sequence[str],
    markup_percent: Decimal,
    at: datetime,
    models: Sequence[str] = (),
    exchange_rate: Decimal | None = None,
    also: Sequence[PriceTerms] = (),
    note: str = "",
) -> Imported:
    """Draft the book's next version from the list prices in force at `at`; meters that are missing are defined.

    Prices of other meters are taken over from the book's last version, so that they do not end with it; `also` are prices
    of other meters to have instead of those.

    providers: ids of the list, the first one that has a model wins.  models: ids or patterns (`gpt-5*`); empty for all.
    markup_percent: 20 sells at 1.2 times the list price.  exchange_rate: book currency for one USD; needed for a book that
    is not in USD. Raises NothingToImport, BookCurrencyDiffers, InvalidInput.
    """
    rate = _checked_rate(book, markup_percent, exchange_rate)
    listed, skipped = list_prices(providers=providers, models=models, at=at)
    if not listed:
        raise NothingToImport(
            f"None of the models asked for has a price that can be imported ({len(skipped)} left out).",
            fields={"models": "ids or patterns of models with a price per token"},
        )
    factor = EXACT.divide(PERCENT + markup_percent, PERCENT)
    prices, rounded = [], 0
    for one in listed:
        cost = EXACT.multiply(one.unit_cost, rate)
        price = EXACT.multiply(cost, factor)
        rounded += to_scale(cost) != cost or to_scale(price) != price
        prices.append(
            PriceTerms(meter=one.meter, match={"model": one.model}, unit_price=to_scale(price), unit_cost=to_scale(cost))
        )
    defined = define_missing_meters(codes={one.meter for one in listed}, at=at)
    others = [*also, *_taken_over(book, except_for={meter.code for meter in METERS} | {terms.meter for terms in also})]
    version = draft_version(
        book=book, prices=[*prices, *others], at=at, note=note or _note(providers, markup_percent, exchange_rate)
    )
    return Imported(
        version=version,
        prices=len(prices),
        taken_over=len(others),
        models=len({one.model for one in listed}),
        rounded=rounded,
        defined_meters=defined,
        skipped=tuple(skipped),
    )


def _taken_over(book: PriceBook, *, except_for: set[str]) -> list[PriceTerms]:
    """The prices of other meters in the book's last published version, but for meters that measure no more."""
    last = PriceVersion.objects.filter(book=book, status=PriceVersion.Status.PUBLISHED).order_by("-effective_at").first()
    rows = Price.objects.filter(version=last, meter__archived_at__isnull=True).select_related("meter").order_by("id")
    return [terms_of_row(price) for price in rows if last is not None and price.meter.code not in except_for]


def define_missing_meters(*, codes: set[str], at: datetime) -> tuple[str, ...]:
    """Define those of METERS with a code in `codes` that do not exist yet; the codes that were defined."""
    known = set(Meter.objects.filter(code__in=codes).values_list("code", flat=True))
    missing = [meter for meter in METERS if meter.code in codes - known]
    for meter in missing:
        define_meter(
            code=meter.code,
            event_type=EVENT_TYPE,
            aggregation=Meter.Aggregation.SUM,
            property=meter.property,
            dimensions=DIMENSIONS,
            name=meter.name,
            unit="token",
            at=at,
        )
    return tuple(meter.code for meter in missing)


def list_prices(*, providers: Sequence[str], at: datetime, models: Sequence[str] = ()) -> tuple[list[ListPrice], list[Skipped]]:
    """The list prices in force at `at` of the models that match, and what was left out.

    Raises InvalidInput for a provider the list does not have.
    """
    known = _providers()
    unknown = [provider for provider in providers if provider not in known]
    if unknown or not providers:
        raise InvalidInput(
            f"The list has no provider {', '.join(unknown)[:200]}." if unknown else "At least one provider is needed.",
            fields={"providers": f"some of {', '.join(sorted(known))}"},
        )
    listed: list[ListPrice] = []
    skipped: list[Skipped] = []
    source: dict[str, str] = {}
    for provider in dict.fromkeys(providers):
        for model in known[provider].models:
            if not _asked_for(model.id, models):
                continue
            if model.id in source:
                skipped.append(Skipped(provider, model.id, "", f"priced by {source[model.id]} already"))
                continue
            found = list(_of_model(provider, model, at))
            skipped += [one for one in found if isinstance(one, Skipped)]
            prices = [one for one in found if isinstance(one, ListPrice)]
            if prices:
                source[model.id] = provider
                listed += prices
    skipped += [
        Skipped("", pattern, "", "no model of these providers is called so")
        for pattern in models
        if not any(fnmatchcase(model.id, pattern) for provider in providers for model in known[provider].models)
    ]
    return listed, skipped


def _of_model(provider: str, model: ModelInfo, at: datetime) -> Iterator[ListPrice | Skipped]:
    """What one model costs for one unit of each meter, and what of it is left out."""
    if len(model.id) > LONGEST_MODEL:
        yield Skipped(provider, model.id[:LONGEST_MODEL], "", f"its name is longer than {LONGEST_MODEL} characters")
        return
    prices, problem = _in_force(model, at)
    if prices is None:
        yield Skipped(provider, model.id, "", problem)
        return
    listed = {key: value for key, value in vars(prices).items() if value is not None and not key.startswith("_")}
    per_token = {
        key: value for key, value in listed.items() if isinstance(value, Decimal) and value.is_finite() and value >= ZERO
    }
    if "input_mtok" not in per_token:
        yield Skipped(provider, model.id, "", _why_not(listed))
        return
    if any(meter.price_key in listed and meter.price_key not in per_token for meter in METERS):
        yield Skipped(provider, model.id, "", "tiered: the price depends on the size of the request")
        return
    for meter in METERS:
        per_million = per_token.get(meter.price_key, per_token.get(meter.instead))
        if per_million is not None:
            yield ListPrice(provider, model.id, meter.code, EXACT.divide(per_million, TOKENS_PER_PRICE))
    metered = {meter.price_key for meter in METERS}
    for key in listed.keys() - metered:
        yield Skipped(provider, model.id, key, "no meter counts it")
    yield from _conditional(provider, model, at)


def _in_force(model: ModelInfo, at: datetime) -> tuple[ModelPrice | None, str]:
    """The prices of a model on the day of `at`, or why there is not one set of them."""
    from genai_prices.types import ModelPrice, StartDateConstraint  # noqa: PLC0415 - reads 1.6 MB; only when asked for

    if isinstance(model.prices, ModelPrice):
        return (model.prices, "") if vars(model.prices) else (None, "no price listed")
    if not model.prices:
        return None, "no price listed"
    if any(one.constraint is not None and not isinstance(one.constraint, StartDateConstraint) for one in model.prices):
        return None, "conditional: the price depends on the hour of the day"
    first = model.prices[0].constraint
    if isinstance(first, StartDateConstraint) and not first.active(at):
        return None, f"not sold before {first.start_date.isoformat()}"
    return model.get_prices(at.astimezone(UTC)), ""


def _conditional(provider: str, model: ModelInfo, at: datetime) -> Iterator[Skipped]:
    """Prices of a model that hold at other times or for other kinds of request."""
    from genai_prices.types import ModelPrice, StartDateConstraint  # noqa: PLC0415 - reads 1.6 MB; only when asked for

    if not isinstance(model.prices, ModelPrice):
        for one in model.prices:
            if isinstance(one.constraint, StartDateConstraint) and not one.constraint.active(at):
                day = one.constraint.start_date.isoformat()
                yield Skipped(provider, model.id, f"from {day}", "conditional: another price holds from that day on")
    for variant in model.price_variants or ():
        when = ", ".join(f"{name}={value}" for name, value in sorted(variant.when.items()))
        yield Skipped(provider, model.id, when, "conditional: holds for requests of this kind only")


def _why_not(listed: Mapping[str, object]) -> str:
    """Why a model without a plain price for input tokens is left out."""
    if not listed:
        return "no price listed"
    if "input_mtok" in listed:
        return "tiered: the price depends on the size of the request"
    return f"not priced by input token but by {', '.join(sorted(listed))}"


def _asked_for(model: str, patterns: Sequence[str]) -> bool:
    return not patterns or any(fnmatchcase(model, pattern) for pattern in patterns)


@cache
def _providers() -> dict[str, Provider]:
    """The bundled list by provider id."""
    from genai_prices.data import providers  # noqa: PLC0415 - reads 1.6 MB; only when asked for

    return {provider.id: provider for provider in providers}


def _checked_rate(book: PriceBook, markup_percent: Decimal, exchange_rate: Decimal | None) -> Decimal:
    """The book's currency for one USD."""
    check = Input()
    fine = markup_percent.is_finite() and -PERCENT <= markup_percent <= MOST_MARKUP_PERCENT
    check.expect("markup_percent", fine, "-100 to 100000")
    if exchange_rate is not None:
        check.amount("exchange_rate", exchange_rate, above_zero=True)
    check.refuse("The list prices cannot be imported like this.")
    if exchange_rate is None and book.currency != "USD":
        raise BookCurrencyDiffers(
            f"List prices are in USD and the book {book.name} is in {book.currency}: give an exchange rate.",
            fields={"exchange_rate": f"{book.currency} for one USD"},
        )
    return exchange_rate or Decimal(1)


def _note(providers: Sequence[str], markup_percent: Decimal, exchange_rate: Decimal | None) -> str:
    rate = f", at {exchange_rate:f} for one USD" if exchange_rate is not None else ""
    return f"List prices of {', '.join(providers)} plus {markup_percent:f} %{rate}"[:500]
