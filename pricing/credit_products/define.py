"""Put credit on sale: products, and what a custom credit unit costs."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import IntegrityError, transaction

from pricing.credit_products.models import BonusSlab, CreditProduct, CreditUnitRate
from pricing.credit_products.slabs import Slab, slabs_problem
from wallets.errors import Conflict, InvalidInput
from wallets.input import Input
from wallets.money import ZERO

CODE: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,59}")
CODE_EXPECTED: Final = "1 to 60 of a-z, 0-9 or . _ -, starting with a letter or digit"
MAX_SLABS: Final = 20
MAX_PERCENT: Final = Decimal(1000)
MAX_VALIDITY_DAYS: Final = 36_500
MOST_PRIORITY: Final = 32_767


class ProductExists(Conflict):
    """There is a credit product with this code already."""

    code = "credit_product_exists"


class ProductArchived(Conflict):
    """The credit product is not sold any more."""

    code = "credit_product_archived"


class RateTimeTaken(Conflict):
    """Another rate of the unit takes effect at this very time."""

    code = "unit_rate_time_taken"


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductTerms:
    """What a product sells.

    currency: of the credit.  price_currency: of the money (None: the same).  Fixed: `amount` of paid credit for `price`, and
    `bonus` of promotional credit beside.  Open: the buyer pays from `least` to `most`, and gets a bonus by `slabs` on top.
    validity_days: from the purchase (None: without end).  meters: codes the credit is for (empty: all).
    """

    name: str
    currency: str
    price_currency: str | None = None
    amount: Decimal | None = None
    price: Decimal | None = None
    bonus: Decimal = ZERO
    least: Decimal | None = None
    most: Decimal | None = None
    slabs: Sequence[Slab] = ()
    validity_days: int | None = None
    meters: Sequence[str] = ()
    priority: int = 50


def define_product(*, code: str, terms: ProductTerms, at: datetime) -> CreditProduct:
    """Put a product on sale. It never changes; another offer is another product. Raises ProductExists, InvalidInput."""
    check = Input()
    check.matching("code", code, CODE, CODE_EXPECTED)
    meters = _check(check, terms)
    check.refuse("The product cannot be sold like this.")
    try:
        with transaction.atomic():
            product = CreditProduct.objects.create(
                code=code,
                name=terms.name.strip(),
                currency=terms.currency,
                price_currency=terms.price_currency or terms.currency,
                amount=terms.amount,
                price=terms.price,
                bonus=terms.bonus,
                least=terms.least,
                most=terms.most,
                validity_days=terms.validity_days,
                meters=meters,
                priority=terms.priority,
                created_at=at,
            )
            BonusSlab.objects.bulk_create(
                BonusSlab(product=product, from_amount=slab.from_amount, percent=slab.percent) for slab in terms.slabs
            )
    except IntegrityError as error:
        if "pricing_creditproduct_code" not in str(error):
            raise
        raise ProductExists(f"There is a product {code} already.", fields={"code": "a code not in use"}) from error
    return product


def archive_product(*, product: CreditProduct, at: datetime) -> CreditProduct:
    """Stop selling a product. Raises ProductArchived."""
    if not CreditProduct.objects.filter(pk=product.pk, archived_at__isnull=True).update(archived_at=at):
        raise ProductArchived(f"{product.name} is not sold any more.")
    product.archived_at = at
    return product


def set_unit_rate(
    *, unit: str, currency: str, units: Decimal, at: datetime, effective_at: datetime | None = None
) -> CreditUnitRate:
    """From `effective_at` (None: now; never before) on, 1 of `currency` buys `units` (above zero) of the credit unit.

    Raises RateTimeTaken, InvalidInput.
    """
    check = Input()
    check.currency(unit, "unit")
    check.currency(currency)
    check.expect("currency", currency != unit, "a currency of money")
    check.amount("units", units, above_zero=True)
    since = at if effective_at is None else check.moment("effective_at", effective_at)
    check.refuse("The rate cannot be set like this.")
    if since < at:
        raise InvalidInput("A rate never changes what was sold.", fields={"effective_at": "now or later"})
    try:
        with transaction.atomic():
            return CreditUnitRate.objects.create(unit=unit, currency=currency, units=units, effective_at=since, created_at=at)
    except IntegrityError as error:
        raise RateTimeTaken(f"Another rate of {unit} in {currency} takes effect at {since.isoformat()}.") from error


def _check(check: Input, terms: ProductTerms) -> list[str]:
    check.text("name", terms.name, longest=200, required=True)
    check.currency(terms.currency)
    if terms.price_currency is not None:
        check.currency(terms.price_currency, "price_currency")
    fixed = terms.amount is not None or terms.price is not None
    for field, value, wanted in (
        ("amount", terms.amount, fixed),
        ("price", terms.price, fixed),
        ("least", terms.least, not fixed),
        ("most", terms.most, not fixed),
    ):
        expected = "amount and price, or least and most"
        if check.expect(field, (value is not None) == wanted, expected) and value is not None:
            check.amount(field, value, above_zero=True)
    if terms.least is not None and terms.most is not None:
        check.expect("most", terms.most >= terms.least, "at least `least`")
    check.amount("bonus", terms.bonus)
    check.expect("bonus", fixed or terms.bonus == ZERO, "zero: an open product has slabs")
    check.expect("slabs", not (fixed and terms.slabs), "left out: a fixed product has a bonus")
    check.expect("slabs", len(terms.slabs) <= MAX_SLABS, f"at most {MAX_SLABS}")
    for row, slab in enumerate(terms.slabs):
        check.amount(f"slabs.{row}.from_amount", slab.from_amount, above_zero=True)
        check.amount(f"slabs.{row}.percent", slab.percent, above_zero=True, largest=MAX_PERCENT)
    problem = slabs_problem(terms.slabs) if not any(name.startswith("slabs.") for name in check.wrong) else None
    check.expect("slabs", problem is None, problem or "")
    if terms.validity_days is not None:
        check.whole("validity_days", terms.validity_days, least=1, most=MAX_VALIDITY_DAYS)
    check.whole("priority", terms.priority, least=0, most=MOST_PRIORITY)
    return check.names("meters", terms.meters)
