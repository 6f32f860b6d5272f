"""An estimate is what the event would be charged: every model, every aggregation, allowances; nothing is stored."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from metering.gate.estimate import price_estimate
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import usage_input
from metering.usage.models import Charge
from pricing.books.draft import create_price_book, draft_version
from pricing.books.price_terms import PriceTerms
from pricing.books.publish import publish_version
from pricing.meters.define import define_meter
from tests.factories.balances import AT, wallet_of
from tests.factories.usage import LONG_AGO
from tests.pricing.books.test_model_fields import FINE
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_allowance
from wallets.errors import InvalidInput

Said = dict[str, Any]


@pytest.fixture
def acme(db: None) -> Wallet:
    return wallet_of("acme", credit="10000", at=LONG_AGO)


def sell(price: dict[str, Any], **meter: Any) -> None:
    """A price of the meter `m`, which sums `n` unless something else is said."""
    define_meter(**{"code": "m", "event_type": "use", "aggregation": "sum", "property": "n"} | meter, at=LONG_AGO)
    book = create_price_book(name="List", currency="USD", at=LONG_AGO, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="m", **price)], at=LONG_AGO)
    publish_version(version=version, effective_at=LONG_AGO, at=LONG_AGO)


def use(number: int, properties: Said) -> D:
    """What an event is charged."""
    event = usage_input(event_id=f"e{number}", event_type="use", account="acme", time=AT, properties=properties)
    assert ingest_batch(events=[event], at=AT).rejected == []
    return Charge.objects.get(event__event_id=f"e{number}").amount


def estimate(wallet: Wallet, properties: Said) -> D | None:
    return price_estimate(account_id=wallet.account_id, event_type="use", properties=properties, at=AT).amount


@pytest.mark.parametrize("model", sorted(FINE))
def test_an_estimate_is_what_the_event_is_charged(acme: Wallet, model: str) -> None:
    sell({"model": model, **FINE[model]})
    for number, quantity in enumerate((0, 7, D("4.5"), 90, 2_000)):
        said = {"n": quantity, "price": "0.25"}
        expected = estimate(acme, said)
        assert expected == max(use(number, said), D(0))


@pytest.mark.parametrize(
    ("meter", "usage"),
    [
        ({"aggregation": "max"}, [{"n": 5}, {"n": 3}, {"n": 9}]),
        ({"aggregation": "latest"}, [{"n": 5}, {"n": 3}, {"n": 9}]),
        ({"aggregation": "unique"}, [{"n": "a"}, {"n": "b"}, {"n": "a"}]),
        ({"property": "", "expression": "n - coalesce(cached, 0)"}, [{"n": 5}, {"n": 5, "cached": 4}]),
    ],
)
def test_an_estimate_measures_as_the_meter_does(acme: Wallet, meter: Said, usage: list[Said]) -> None:
    sell({"unit_price": D("0.5")}, **meter)
    for number, said in enumerate(usage):
        expected = estimate(acme, said)
        assert expected == max(use(number, said), D(0))


def test_an_allowance_covers_before_anything_is_priced(acme: Wallet) -> None:
    sell({"unit_price": D("0.5")})
    grant_allowance(wallet_id=acme.pk, meter="m", quantity=D(10), at=AT, expires_at=AT + timedelta(days=1))
    for number, (quantity, amount) in enumerate(((4, "0"), (7, "0.5"), (1, "0.5"))):
        said = {"n": quantity}
        assert estimate(acme, said) == use(number, said) == D(amount)


def test_an_allowance_that_is_over_or_of_another_meter_covers_nothing(acme: Wallet) -> None:
    sell({"unit_price": D("0.5")})
    grant_allowance(wallet_id=acme.pk, meter="other", quantity=D(10), at=AT)
    grant_allowance(wallet_id=acme.pk, meter="m", quantity=D(10), at=LONG_AGO, expires_at=AT)
    assert estimate(acme, {"n": 1}) == D("0.5")


@pytest.mark.parametrize(
    ("price", "meter", "said", "field"),
    [
        ({"unit_price": D(1)}, {}, {"n": -1}, "properties.n"),
        ({"unit_price": D(1)}, {"aggregation": "unique"}, {"n": [1]}, "properties.n"),
        ({"unit_price": D(1)}, {"property": "", "expression": "n - cached"}, {"n": 1}, "properties"),
        ({"unit_price": D(10**6)}, {}, {"n": 10**17}, "properties.n"),
        ({"model": "dynamic", "price_property": "price"}, {}, {"n": 1}, "properties.price"),
    ],
)
def test_what_cannot_be_measured_is_refused(acme: Wallet, price: Said, meter: Said, said: Said, field: str) -> None:
    sell(price, **meter)
    with pytest.raises(InvalidInput) as refused:
        estimate(acme, said)
    assert list(refused.value.fields) == [field]


def test_a_flat_price_asks_the_database_little(acme: Wallet, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    sell({"unit_price": D(1)})
    estimate(acme, {"n": 1})
    with django_assert_num_queries(2):  # the catalogue's token, the wallet
        estimate(acme, {"n": 1})
