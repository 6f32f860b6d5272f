"""List prices become a draft: exact, marked up, and nothing left out in silence."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, time
from decimal import Decimal
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from genai_prices.types import (
    ClauseEquals,
    ConditionalPrice,
    ModelInfo,
    ModelPrice,
    PriceVariant,
    Provider,
    StartDateConstraint,
    Tier,
    TieredPrices,
    TimeOfDateConstraint,
    Usage,
)

from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import Price, PriceBook, PriceVersion
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.catalogues import genai_prices
from pricing.catalogues.genai_prices import (
    BookCurrencyDiffers,
    Imported,
    ListPrice,
    NothingToImport,
    Skipped,
    import_list_prices,
    list_prices,
)
from pricing.meters.define import define_meter
from pricing.meters.models import Meter
from wallets.errors import InvalidInput

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
D = Decimal


def model(name: str, prices: Any, **more: Any) -> ModelInfo:
    """A model of the list."""
    return ModelInfo(id=name, match=ClauseEquals(name), prices=prices, **more)


def per_million(**prices: Any) -> ModelPrice:
    """Prices as the list writes them."""
    return ModelPrice(**{name: D(value) if isinstance(value, str) else value for name, value in prices.items()})


PLAIN = model("plain", per_million(input_mtok="1.25", output_mtok="10", cache_read_mtok="0.125"))
TIERED = model("tiered", per_million(input_mtok=TieredPrices(D(1), [Tier(200_000, D(2))]), output_mtok="5"))
TIERED_OUTPUT = model("tiered-output", per_million(input_mtok="1", output_mtok=TieredPrices(D(5), [Tier(200_000, D(9))])))
BY_HOUR = model(
    "by-hour",
    [
        ConditionalPrice(prices=per_million(input_mtok="2")),
        ConditionalPrice(TimeOfDateConstraint(time(0), time(8)), prices=per_million(input_mtok="1")),
    ],
)
CHANGING = model(
    "changing",
    [
        ConditionalPrice(prices=per_million(input_mtok="8", output_mtok="8")),
        ConditionalPrice(StartDateConstraint(date(2026, 6, 1)), prices=per_million(input_mtok="4", output_mtok="6")),
        ConditionalPrice(StartDateConstraint(date(2027, 1, 1)), prices=per_million(input_mtok="3", output_mtok="5")),
    ],
)
TO_COME = model("to-come", [ConditionalPrice(StartDateConstraint(date(2027, 1, 1)), prices=per_million(input_mtok="3"))])
BY_THE_HOUR = model("speech", per_million(audio_hours="0.36"))
FREE = model("free-of-prices", ModelPrice())
VARIANTS = model(
    "variants",
    per_million(input_mtok="2", web_searches_kcount="10"),
    price_variants=[PriceVariant({"service_tier": "batch"}, per_million(input_mtok="1"))],
)
EMBEDDING = model("embedding", per_million(input_mtok="0.02"))
ODD = model("odd", per_million(input_mtok="0.0000015", output_mtok="0.3333333"))


@pytest.fixture
def providers(monkeypatch: pytest.MonkeyPatch) -> None:
    """A list of two providers."""

    def provider(name: str, *models: ModelInfo) -> Provider:
        return Provider(id=name, name=name.title(), api_pattern=name, models=list(models))

    one = provider("one", PLAIN, TIERED, TIERED_OUTPUT, BY_HOUR, CHANGING, TO_COME, BY_THE_HOUR, FREE, VARIANTS, EMBEDDING, ODD)
    two = provider("two", model("plain", per_million(input_mtok="99")), model("other", per_million(input_mtok="7")))
    monkeypatch.setattr(genai_prices, "_providers", lambda: {"one": one, "two": two})


@pytest.fixture
def book(db: None) -> PriceBook:
    """A price book in USD."""
    return create_price_book(name="Standard", currency="USD", at=AT)


def listed(*models: str, providers: tuple[str, ...] = ("one",)) -> dict[tuple[str, str], Decimal]:
    """(model, meter) -> unit cost."""
    found, _ = list_prices(providers=providers, models=models, at=AT)
    return {(one.model, one.meter): one.unit_cost for one in found}


def reasons(*models: str, providers: tuple[str, ...] = ("one",)) -> list[tuple[str, str, str]]:
    """(model, what, reason) of what is left out."""
    _, skipped = list_prices(providers=providers, models=models, at=AT)
    return [(one.model, one.what, one.reason) for one in skipped]


@pytest.mark.usefixtures("providers")
def test_a_price_per_million_becomes_an_exact_price_per_token() -> None:
    assert listed("plain") == {
        ("plain", "llm.input_tokens"): D("0.00000125"),
        ("plain", "llm.output_tokens"): D("0.00001"),
        ("plain", "llm.cached_input_tokens"): D("0.000000125"),
        ("plain", "llm.cache_write_tokens"): D("0.00000125"),
    }


@pytest.mark.usefixtures("providers")
def test_a_model_without_a_price_for_cached_tokens_charges_them_as_input() -> None:
    assert listed("embedding") == {
        ("embedding", "llm.input_tokens"): D("0.00000002"),
        ("embedding", "llm.cached_input_tokens"): D("0.00000002"),
        ("embedding", "llm.cache_write_tokens"): D("0.00000002"),
    }


@pytest.mark.usefixtures("providers")
@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("tiered", "tiered: the price depends on the size of the request"),
        ("tiered-output", "tiered: the price depends on the size of the request"),
        ("by-hour", "conditional: the price depends on the hour of the day"),
        ("to-come", "not sold before 2027-01-01"),
        ("speech", "not priced by input token but by audio_hours"),
        ("free-of-prices", "no price listed"),
        ("nobody-*", "no model of these providers is called so"),
    ],
)
def test_a_model_that_has_not_one_price_per_token_is_left_out_and_named(name: str, reason: str) -> None:
    assert listed(name) == {}
    assert reasons(name) == [(name, "", reason)]


@pytest.mark.usefixtures("providers")
def test_the_price_in_force_on_the_day_is_taken_and_the_next_one_named() -> None:
    assert listed("changing")["changing", "llm.input_tokens"] == D("0.000004")
    assert reasons("changing") == [("changing", "from 2027-01-01", "conditional: another price holds from that day on")]


@pytest.mark.usefixtures("providers")
def test_variants_and_units_without_a_meter_are_named_beside_what_is_imported() -> None:
    assert listed("variants")["variants", "llm.input_tokens"] == D("0.000002")
    assert reasons("variants") == [
        ("variants", "web_searches_kcount", "no meter counts it"),
        ("variants", "service_tier=batch", "conditional: holds for requests of this kind only"),
    ]


@pytest.mark.usefixtures("providers")
def test_the_first_provider_that_has_a_model_prices_it() -> None:
    assert listed("plain", "other", providers=("one", "two"))["plain", "llm.input_tokens"] == D("0.00000125")
    assert listed("plain", "other", providers=("one", "two"))["other", "llm.input_tokens"] == D("0.000007")
    assert reasons("plain", "other", providers=("one", "two")) == [("plain", "", "priced by one already")]
    assert listed("plain", providers=("two", "one"))["plain", "llm.input_tokens"] == D("0.000099")


@pytest.mark.usefixtures("providers")
def test_an_unknown_provider_is_refused_by_name() -> None:
    with pytest.raises(InvalidInput, match="no provider three") as refused:
        list_prices(providers=["one", "three"], at=AT)
    assert refused.value.fields == {"providers": "some of one, two"}


def prices_of(imported: Imported) -> dict[tuple[str, str], tuple[Decimal, Decimal]]:
    """(model, meter) -> (unit price, unit cost)."""
    rows = Price.objects.filter(version=imported.version).select_related("meter")
    return {(row.match.get("model", ""), row.meter.code): (row.unit_price, row.unit_cost) for row in rows}


@pytest.mark.usefixtures("providers")
def test_the_mark_up_makes_the_price_and_the_list_price_stays_the_cost(book: PriceBook) -> None:
    imported = import_list_prices(book=book, providers=["one"], models=["plain"], markup_percent=D(20), at=AT)
    assert imported.version.status == PriceVersion.Status.DRAFT
    assert prices_of(imported) == {
        ("plain", "llm.input_tokens"): (D("0.0000015"), D("0.00000125")),
        ("plain", "llm.output_tokens"): (D("0.000012"), D("0.00001")),
        ("plain", "llm.cached_input_tokens"): (D("0.00000015"), D("0.000000125")),
        ("plain", "llm.cache_write_tokens"): (D("0.0000015"), D("0.00000125")),
    }
    assert (imported.prices, imported.models, imported.rounded, imported.taken_over) == (4, 1, 0, 0)


@pytest.mark.usefixtures("providers")
def test_meters_are_defined_once_and_their_property_is_the_token_count(book: PriceBook) -> None:
    first = import_list_prices(book=book, providers=["one"], models=["plain"], markup_percent=D(0), at=AT)
    second = import_list_prices(book=book, providers=["one"], models=["plain"], markup_percent=D(0), at=AT)
    assert len(first.defined_meters) == 4
    assert second.defined_meters == ()
    meters = Meter.objects.order_by("code").values_list("code", "event_type", "property")
    assert list(meters) == [
        ("llm.cache_write_tokens", "llm.request", "cache_write_tokens"),
        ("llm.cached_input_tokens", "llm.request", "cached_input_tokens"),
        ("llm.input_tokens", "llm.request", "input_tokens"),
        ("llm.output_tokens", "llm.request", "output_tokens"),
    ]


@pytest.mark.usefixtures("providers")
def test_more_than_twelve_decimals_are_rounded_half_even_and_counted(book: PriceBook) -> None:
    imported = import_list_prices(book=book, providers=["one"], models=["odd"], markup_percent=D("33.333"), at=AT)
    prices = prices_of(imported)
    # 0.0000015 a million: 1.5 in the 12th decimal, half-even 2; a third more: 1.999995
    assert prices["odd", "llm.input_tokens"] == (D("0.000000000002"), D("0.000000000002"))
    # 0.3333333 a million: 333333.3 in the 12th decimal; a third more: 444443.288889
    assert prices["odd", "llm.output_tokens"] == (D("0.000000444443"), D("0.000000333333"))
    assert imported.rounded == 4


@pytest.mark.usefixtures("providers")
def test_a_book_in_another_currency_needs_a_rate_and_uses_it(book: PriceBook) -> None:
    europe = create_price_book(name="Europe", currency="EUR", at=AT)
    with pytest.raises(BookCurrencyDiffers):
        import_list_prices(book=europe, providers=["one"], models=["plain"], markup_percent=D(0), at=AT)
    imported = import_list_prices(
        book=europe, providers=["one"], models=["plain"], markup_percent=D(50), exchange_rate=D("0.9"), at=AT
    )
    assert prices_of(imported)["plain", "llm.output_tokens"] == (D("0.0000135"), D("0.000009"))


@pytest.mark.usefixtures("providers")
def test_prices_of_other_meters_are_taken_over_from_the_version_before(book: PriceBook) -> None:
    define_meter(code="images", event_type="image", aggregation="count", at=AT)
    define_meter(code="calls", event_type="call", aggregation="count", at=AT)
    prices = [PriceTerms(meter="images", unit_price=D("0.04")), PriceTerms(meter="calls", unit_price=D("0.01"))]
    publish_version(version=draft_version(book=book, prices=prices, at=AT), effective_at=AT, at=AT)
    imported = import_list_prices(
        book=book,
        providers=["one"],
        models=["embedding"],
        markup_percent=D(0),
        also=[PriceTerms(meter="images", unit_price=D("0.05"))],
        at=AT,
    )
    found = prices_of(imported)
    assert found["", "images"][0] == D("0.05")
    assert found["", "calls"][0] == D("0.01")
    assert imported.taken_over == 2


@pytest.mark.usefixtures("providers")
def test_nothing_to_import_drafts_nothing(book: PriceBook) -> None:
    with pytest.raises(NothingToImport):
        import_list_prices(book=book, providers=["one"], models=["tiered"], markup_percent=D(0), at=AT)
    assert not PriceVersion.objects.exists()


@pytest.mark.usefixtures("providers")
@pytest.mark.parametrize("markup", [D("-100.01"), D("NaN"), D("Infinity"), D(100_001)])
def test_a_mark_up_that_is_not_one_is_refused(book: PriceBook, markup: Decimal) -> None:
    with pytest.raises(InvalidInput):
        import_list_prices(book=book, providers=["one"], markup_percent=markup, at=AT)


def test_the_installed_list_agrees_with_its_own_arithmetic() -> None:
    """The price of a request by our unit costs is that of the package's own calculation."""
    found, skipped = list_prices(providers=["openai", "anthropic", "mistral"], at=AT)
    assert len({one.model for one in found}) > 50
    assert all(isinstance(one, Skipped) and one.reason for one in skipped)
    assert all(isinstance(one, ListPrice) and isinstance(one.unit_cost, Decimal) for one in found)
    costs = {(one.provider, one.model, one.meter): one.unit_cost for one in found}
    usage = Usage(input_tokens=123_456, cache_read_tokens=23_456, output_tokens=7_890)
    for provider, name in {(one.provider, one.model) for one in found}:
        ours = (
            100_000 * costs[provider, name, "llm.input_tokens"]
            + 23_456 * costs[provider, name, "llm.cached_input_tokens"]
            + 7_890 * costs.get((provider, name, "llm.output_tokens"), D(0))
        )
        info = next(one for one in genai_prices._providers()[provider].models if one.id == name)
        theirs = info.get_prices(AT).calc_price(usage)["total_price"]
        assert ours == theirs, (provider, name)


@pytest.mark.usefixtures("providers")
def test_the_command_drafts_into_a_new_book_and_prints_what_was_left_out(db: None) -> None:
    out = StringIO()
    call_command("import_llm_prices", "--provider", "one", "--markup", "20", "--book", "New", stdout=out)
    assert "Drafted version 1 of New" in out.getvalue()
    assert "Left out, tiered: the price depends on the size of the request: tiered, tiered-output." in out.getvalue()
    out = StringIO()
    call_command("import_llm_prices", "--provider", "one", "--markup", "20", "--book", "New", "--json", stdout=out)
    told = json.loads(out.getvalue())
    assert (told["number"], told["models"]) == (2, 5)
    assert {"provider": "one", "model": "speech", "what": "", "reason": "not priced by input token but by audio_hours"} in told[
        "skipped"
    ]


@pytest.mark.usefixtures("providers")
def test_the_command_refuses_in_a_sentence_and_leaves_no_book(db: None) -> None:
    with pytest.raises(CommandError, match="no provider nope"):
        call_command("import_llm_prices", "--provider", "nope", "--markup", "20", "--book", "New")
    with pytest.raises(CommandError, match="--markup much: a number"):
        call_command("import_llm_prices", "--provider", "one", "--markup", "much", "--book", "New")
    assert not PriceBook.objects.exists()
