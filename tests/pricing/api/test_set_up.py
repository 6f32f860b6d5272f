"""A vendor's script sets everything up over HTTP: meters, price books, versions, accounts."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from pricing.books.models import PriceVersion
from pricing.meters.models import Meter
from tests.cast import Api, Company

METER = {
    "code": "llm.output_tokens",
    "event_type": "llm.request",
    "aggregation": "sum",
    "property": "output_tokens",
    "filters": {"endpoint": ["/v1/chat", "/v1/complete"]},
    "dimensions": ["model"],
}
# As the documentation of the wire writes a price, with the fields of every model.
PRICE = {
    "meter": "llm.output_tokens",
    "currency": "USD",
    "match": {"model": "gpt-5"},
    "unit_cost": "0.000004",
    "model": "per_unit",
    "unit_price": "0.00001",
    "package_size": None,
    "package_price": None,
    "free_units": "0",
    "tiers": None,
    "percentage": None,
    "minimum_charge": None,
}


@pytest.fixture
def book(vendor: Api) -> str:
    assert vendor.post("/meters", METER).status_code == 201
    answer = vendor.post("/price-books", {"name": "List prices", "currency": "USD"})
    assert answer.status_code == 201
    found: str = answer.json()["id"]
    return found


def draft(vendor: Api, book: str, *prices: dict[str, Any]) -> Any:
    return vendor.post(f"/price-books/{book}/versions", {"prices": list(prices)})


@pytest.mark.parametrize("aggregation", ["count", "sum", "max", "unique", "latest"])
def test_a_meter_of_every_aggregation_is_defined(vendor: Api, aggregation: str) -> None:
    measured = {"property": ""} if aggregation == "count" else {"property": "output_tokens"}
    assert vendor.post("/meters", METER | {"aggregation": aggregation} | measured).status_code == 201
    assert vendor.get("/meters/llm.output_tokens").json()["aggregation"] == aggregation


def test_a_meter_computes_its_quantity(vendor: Api) -> None:
    meter = {"code": "fresh", "event_type": "llm.request", "aggregation": "sum", "expression": "input_tokens - cached_tokens"}
    answer = vendor.post("/meters", meter)
    assert (answer.status_code, answer.json()["expression"], answer.json()["property"]) == (201, meter["expression"], "")


def test_everything_a_customer_needs_is_set_up_without_the_admin(vendor: Api, book: str) -> None:
    assert book.startswith("pbk_")
    version = draft(vendor, book, PRICE, PRICE | {"match": {}, "unit_price": "0.00002"}).json()
    assert version["id"].startswith("prv_")
    assert (version["number"], version["status"], len(version["prices"])) == (1, "draft", 2)
    published = vendor.post(f"/versions/{version['id']}/publish", {"effective_at": "2099-01-01T00:00:00Z"}).json()
    assert (published["status"], published["effective_at"]) == ("published", "2099-01-01T00:00:00Z")
    account = {"account": "initech", "name": "Initech", "currency": "USD", "country": "DE", "price_book": book}
    answer = vendor.post("/accounts", account)
    assert answer.status_code == 201
    assert answer.json()["price_book"] == book
    assert answer.json() == vendor.get("/accounts/initech").json()


def test_a_meter_is_read_listed_and_archived(vendor: Api, book: str) -> None:
    read = vendor.get("/meters/llm.output_tokens").json()
    assert {name: read[name] for name in METER} == METER
    assert vendor.get("/meters").json()["data"] == [read]
    assert vendor.post("/meters/llm.output_tokens/archive").json()["archived_at"] is not None
    assert vendor.post("/meters/llm.output_tokens/archive").status_code == 409
    assert vendor.get("/meters/nothing").status_code == 404


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("aggregation", {"aggregation": "median"}),
        ("code", {"code": "a b"}),
        ("filters", {"filters": [1]}),
        ("filters.endpoint", {"filters": {"endpoint": {"a": 1}}}),
        ("dimensions", {"dimensions": "model"}),
        ("property", {"property": None}),
        ("property", {"expression": "output_tokens - 1"}),
        ("expression", {"property": "", "expression": "output_tokens -"}),
        ("expression", {"property": "", "expression": None}),
        ("windows", {"windows": "daily"}),
    ],
)
def test_a_meter_that_is_not_acceptable_is_refused_by_name(vendor: Api, field: str, change: dict[str, Any]) -> None:
    answer = vendor.post("/meters", METER | change)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not Meter.objects.exists()


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("prices.1.unit_price", {"unit_price": "-1"}),
        ("prices.1.unit_price", {"unit_price": "0.0000000000001"}),
        ("prices.1.unit_price", {"unit_price": None}),
        ("prices.1.unit_price", {"unit_price": True}),
        ("prices.1.currency", {"currency": "eur"}),
        ("prices.1.meter", {"meter": "nothing"}),
        ("prices.1.match", {}),
        ("prices.1.match.model", {"match": {"model": [1]}}),
        ("prices.1.model", {"model": "by the moon"}),
        ("prices.1.tiers", {"tiers": [{"up_to": None, "unit_price": "1"}]}),
        ("prices.1.free_units", {"free_units": "-10"}),
        ("prices.1.unit_price", {"model": "graduated", "tiers": [{"up_to": None, "unit_price": "1"}]}),
        ("prices.1.tiers.0.up_to", {"tiers": [{"up_to": "many", "unit_price": "1"}]}),
        ("prices.1.tiers.1.colour", {"tiers": [{"unit_price": "1"}, {"colour": "red"}]}),
        ("prices.1.percentage.free_events", {"percentage": {"rate": "1", "free_events": "1.5"}}),
        ("prices.1.percentage", {"percentage": ["1"]}),
        ("prices.1.price_property", {"price_property": 7}),
        ("prices.1.minimum_charge", {"minimum_charge": "-0.01"}),
        ("prices.1.colour", {"colour": "red"}),
    ],
)
def test_a_price_that_is_not_acceptable_is_refused_by_row_and_field(
    vendor: Api, book: str, field: str, change: dict[str, Any]
) -> None:
    answer = draft(vendor, book, PRICE, PRICE | change)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert not PriceVersion.objects.exists()


EMPTY = {"unit_price": None, "package_size": None, "package_price": None, "free_units": "0", "tiers": None, "percentage": None}
MODELS: dict[str, dict[str, Any]] = {
    "package": {"package_size": "1000", "package_price": "2.50", "free_units": "5000"},
    "graduated": {"tiers": [{"up_to": "1000", "unit_price": "0.02", "flat_price": "0"}, {"up_to": None, "unit_price": "0.01"}]},
    "volume": {"tiers": [{"up_to": 1000, "unit_price": 0.02}, {"unit_price": "0.01"}]},
    "stairstep": {"tiers": [{"up_to": "1000", "flat_price": "20"}, {"up_to": None, "flat_price": "60"}]},
    "percentage": {
        "percentage": {
            "rate": "1.5", "fixed": "0.10", "free_events": None, "free_amount": None, "minimum": None, "maximum": None,
        }
    },
    "graduated_percentage": {"tiers": [{"up_to": "1000", "rate": "2.9"}, {"up_to": None, "rate": "1.9"}]},
    "dynamic": {"price_property": "price"},
}  # fmt: skip


@pytest.mark.parametrize("model", sorted(MODELS))
def test_a_price_of_every_model_is_drafted_and_what_is_read_can_be_drafted_again(vendor: Api, book: str, model: str) -> None:
    answer = draft(vendor, book, PRICE | EMPTY | {"model": model} | MODELS[model])
    assert answer.status_code == 201
    (price,) = answer.json()["prices"]
    assert price["model"] == model
    again = draft(vendor, book, price)
    assert (again.status_code, again.json()["prices"]) == (201, [price])


def test_a_price_is_written_with_its_own_fields(vendor: Api, book: str) -> None:
    (price,) = draft(vendor, book, PRICE | EMPTY | {"model": "graduated"} | MODELS["graduated"]).json()["prices"]
    assert price == {
        "meter": "llm.output_tokens", "currency": "USD", "match": {"model": "gpt-5"}, "schedule": None, "model": "graduated",
        "unit_price": None, "unit_cost": "0.000004", "minimum_charge": None, "free_units": "0.00", "package_size": None,
        "package_price": None, "percentage": None, "price_property": None,
        "tiers": [
            {"up_to": "1000.00", "unit_price": "0.02", "flat_price": "0.00", "rate": None},
            {"up_to": None, "unit_price": "0.01", "flat_price": "0.00", "rate": None},
        ],
    }  # fmt: skip


def test_a_version_cannot_take_effect_before_now_once_another_is_published(vendor: Api, book: str) -> None:
    first, second = (draft(vendor, book, PRICE).json()["id"] for _ in range(2))
    past = {"effective_at": "2026-01-01T00:00:00Z"}
    assert vendor.post(f"/versions/{first}/publish", past).status_code == 200
    assert vendor.post(f"/versions/{second}/publish", past).json()["errors"].keys() == {"effective_at"}
    assert vendor.post(f"/versions/{first}/publish").json()["code"] == "version_already_published"
    assert vendor.post(f"/versions/{second}/publish").json()["status"] == "published"


def test_a_book_is_read_with_its_versions(vendor: Api, book: str) -> None:
    version = draft(vendor, book, PRICE).json()
    assert vendor.get("/price-books").json()["data"] == [vendor.get(f"/price-books/{book}").json()]
    (line,) = vendor.get(f"/price-books/{book}/versions").json()["data"]
    assert line == {name: value for name, value in version.items() if name != "prices"} | {"price_count": 1}
    assert vendor.get(f"/versions/{version['id']}").json() == version
    for path in ("/price-books/pbk_none", "/price-books/pbk_none/versions", "/versions/prv_none"):
        assert vendor.get(path).status_code == 404


def test_reading_a_version_costs_the_same_however_many_prices(
    vendor: Api, book: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    many = [PRICE | {"match": {"model": f"m{number}"}} for number in range(30)]
    version = draft(vendor, book, *many).json()["id"]
    with django_assert_num_queries(2):
        assert len(vendor.get(f"/versions/{version}").json()["prices"]) == 30


def test_an_account_is_changed_in_what_can_change(vendor: Api, acme: Company, book: str) -> None:
    changed = vendor.patch("/accounts/acme", {"name": "Acme GmbH", "country": "DE", "price_book": book}).json()
    assert (changed["name"], changed["country"], changed["price_book"], changed["email"]) == (
        "Acme GmbH", "DE", book, "billing@acme.example",
    )  # fmt: skip
    for body in (
        {"currency": "EUR"},
        {"account": "other"},
        {"status": "suspended"},
        {"name": ""},
        {"price_book": "pbk_none"},
    ):
        answer = vendor.patch("/accounts/acme", body)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, list(body))


def test_an_account_is_suspended_and_reinstated(vendor: Api, acme: Company) -> None:
    assert vendor.post("/accounts/acme/suspend").json()["status"] == "suspended"
    assert vendor.post("/accounts/acme/suspend").json()["code"] == "account_suspended"
    assert vendor.post("/accounts/acme/reinstate").json()["status"] == "active"


def test_a_key_is_given_once(vendor: Api, acme: Company) -> None:
    answer = vendor.post("/accounts", {"account": "acme", "name": "Other"})
    assert (answer.status_code, answer.json()["code"]) == (409, "account_exists")


def test_listing_accounts_costs_the_same_however_many(
    vendor: Api, acme: Company, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    vendor.get("/accounts")
    for number in range(5):
        with django_assert_num_queries(4):
            vendor.get("/accounts")
        vendor.post("/accounts", {"account": f"a{number}", "name": "A"})
