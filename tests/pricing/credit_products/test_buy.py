"""Credit products: 110 for 100, bonus slabs, custom credit units; one purchase a payment."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from pricing.credit_products.buy import NoUnitRate, PaymentUsed, buy_credit, sale_of
from pricing.credit_products.define import (
    ProductArchived,
    ProductExists,
    ProductTerms,
    RateTimeTaken,
    archive_product,
    define_product,
    set_unit_rate,
)
from pricing.credit_products.models import CreditProduct, CreditPurchase
from pricing.credit_products.slabs import Slab
from tests.factories.balances import AT, wallet_of
from tests.factories.journal import journal, lots
from wallets.credit.models import CreditLot
from wallets.errors import InvalidInput

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

DAY = timedelta(days=1)


def product(code: str = "start", **terms: object) -> CreditProduct:
    return define_product(code=code, terms=ProductTerms(**{"name": "Start", "currency": "USD"} | terms), at=AT)  # type: ignore[arg-type]


def test_110_of_credit_for_100() -> None:
    wallet = wallet_of("acme")
    offer = product(amount=D(110), price=D(100), validity_days=365)
    bought = buy_credit(wallet=wallet, product=offer, payment_reference="pay_1", source="stripe", at=AT)
    assert (bought.lot.amount, bought.lot.price_paid, bought.lot.expires_at) == (110, 100, AT + 365 * DAY)
    assert journal(wallet) == [
        ("GRANT", ["cash_clearing:stripe -100.00", "sales_discount -10.00", "prepaid_liability @ paid 110.00"])
    ]


def test_a_bonus_stands_beside_the_paid_credit() -> None:
    wallet = wallet_of("acme")
    buy_credit(wallet=wallet, product=product(amount=D(100), price=D(100), bonus=D(10)), payment_reference="pay_1", at=AT)
    assert lots(wallet) == [("paid", "OPEN", 100), ("promotional", "OPEN", 10)]


@pytest.mark.parametrize(("paid", "bonus"), [("50", []), ("100", [5]), ("500", [50])])
def test_the_more_is_paid_the_more_is_given_on_top(paid: str, bonus: list[int]) -> None:
    wallet = wallet_of("acme")
    offer = product(least=D(10), most=D(1000), slabs=[Slab(D(100), D(5)), Slab(D(500), D(10))])
    buy_credit(wallet=wallet, product=offer, payment_reference="pay_1", paid=D(paid), at=AT)
    assert [amount for _, _, amount in lots(wallet)] == [D(paid), *bonus]


def test_a_payment_buys_once() -> None:
    acme, globex = wallet_of("acme"), wallet_of("globex")
    offer = product(amount=D(110), price=D(100))
    first = buy_credit(wallet=acme, product=offer, payment_reference="pay_1", at=AT)
    assert buy_credit(wallet=acme, product=offer, payment_reference="pay_1", at=AT + DAY) == first
    with pytest.raises(PaymentUsed):
        buy_credit(wallet=globex, product=offer, payment_reference="pay_1", at=AT)
    with pytest.raises(PaymentUsed):
        buy_credit(wallet=acme, product=product("other", amount=D(1), price=D(1)), payment_reference="pay_1", at=AT)
    assert (CreditPurchase.objects.count(), CreditLot.objects.count()) == (1, 1)


def test_a_credit_unit_has_its_own_rate_in_each_currency() -> None:
    wallet = wallet_of("acme", currency="CREDITS")
    offer = product(currency="CREDITS", price_currency="USD", amount=D(1100), price=D(10))
    with pytest.raises(NoUnitRate):
        sale_of(offer, at=AT)
    set_unit_rate(unit="CREDITS", currency="USD", units=D(100), at=AT)
    set_unit_rate(unit="CREDITS", currency="EUR", units=D(110), at=AT)
    set_unit_rate(unit="CREDITS", currency="USD", units=D(80), effective_at=AT + DAY, at=AT)
    bought = buy_credit(wallet=wallet, product=offer, payment_reference="pay_1", at=AT)
    # 10 USD are worth 1,000 credits now; 1,100 of them are sold for it.
    assert (bought.price, bought.price_currency, bought.lot.amount, bought.lot.price_paid) == (10, "USD", 1100, 1000)
    open_offer = product("open", currency="CREDITS", price_currency="EUR", least=D(1), most=D(100))
    assert sale_of(open_offer, paid=D("2.5"), at=AT)[:4] == (D("2.5"), 275, 275, 0)
    assert sale_of(offer, at=AT + DAY).worth == 800


def test_a_rate_is_never_changed() -> None:
    set_unit_rate(unit="CREDITS", currency="USD", units=D(100), at=AT)
    with pytest.raises(RateTimeTaken):
        set_unit_rate(unit="CREDITS", currency="USD", units=D(90), at=AT)
    with pytest.raises(InvalidInput):
        set_unit_rate(unit="CREDITS", currency="USD", units=D(90), effective_at=AT - DAY, at=AT)


def test_what_is_not_sold_cannot_be_bought() -> None:
    wallet = wallet_of("acme")
    offer = product(least=D(10), most=D(100))
    for paid in (None, D(9), D(101), D("10.0000000000001")):
        with pytest.raises(InvalidInput) as refused:
            buy_credit(wallet=wallet, product=offer, payment_reference="pay_1", paid=paid, at=AT)
        assert list(refused.value.fields) == ["paid"]
    archive_product(product=offer, at=AT)
    with pytest.raises(ProductArchived):
        buy_credit(wallet=wallet, product=offer, payment_reference="pay_1", paid=D(10), at=AT)
    with pytest.raises(ProductExists):
        product(least=D(10), most=D(100))
    assert lots(wallet) == []


@pytest.mark.parametrize(
    ("fields", "change"),
    [
        (["amount", "price", "least", "most"], {"amount": None, "price": None}),
        (["price"], {"price": None}),
        (["least"], {"least": D(1)}),
        (["amount"], {"amount": D(0)}),
        (["slabs"], {"slabs": [Slab(D(1), D(1))]}),
        (["bonus"], {"bonus": D(-1)}),
        (["validity_days"], {"validity_days": 0}),
        (["meters"], {"meters": ["calls", "calls"]}),
        (["name"], {"name": ""}),
    ],
)
def test_a_product_that_is_not_acceptable_is_refused_by_field(fields: list[str], change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput) as refused:
        product(**{"amount": D(110), "price": D(100)} | change)  # type: ignore[arg-type]
    assert set(refused.value.fields) <= set(fields)
    assert not CreditProduct.objects.exists()


def test_slabs_that_are_not_acceptable_are_refused_by_row() -> None:
    for slabs, field in (
        ([Slab(D(0), D(1))], "slabs.0.from_amount"),
        ([Slab(D(1), D(1)), Slab(D(2), D(0))], "slabs.1.percent"),
        ([Slab(D(2), D(1)), Slab(D(1), D(1))], "slabs"),
    ):
        with pytest.raises(InvalidInput) as refused:
            product(least=D(1), most=D(2), slabs=slabs)
        assert list(refused.value.fields) == [field]
