"""Record the sale of a credit product for a payment made elsewhere: the paid lot, and the bonus beside it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import NamedTuple

from django.db import IntegrityError, transaction

from pricing.credit_products.define import ProductArchived
from pricing.credit_products.models import CreditProduct, CreditPurchase, CreditUnitRate
from pricing.credit_products.slabs import Slab, bonus_of
from pricing.periods import days_later
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.errors import Conflict, InvalidInput
from wallets.input import Input
from wallets.money import EXACT, ZERO, to_scale


class PaymentUsed(Conflict):
    """The payment was recorded for another purchase."""

    code = "payment_used"


class NoUnitRate(Conflict):
    """The credit unit has no rate in this currency now."""

    code = "no_unit_rate"


class Sale(NamedTuple):
    """What a payment buys. price: money.  worth: the same in the credit's currency.  amount: paid credit.  bonus: given."""

    price: Decimal
    worth: Decimal
    amount: Decimal
    bonus: Decimal
    rate: CreditUnitRate | None


def buy_credit(
    *,
    wallet: Wallet,
    product: CreditProduct,
    payment_reference: str,
    at: datetime,
    paid: Decimal | None = None,
    source: str = "manual",
    actor: str = "",
) -> CreditPurchase:
    """Grant what `product` sells, once per payment: the same call again answers with the first purchase.

    payment_reference: the payment's id at the provider or in the books.  paid: money paid for an open product, in its price
    currency (None for a fixed one).  source: the provider the money comes through. Raises PaymentUsed, ProductArchived,
    NoUnitRate, WalletClosed, InvalidInput, LockBusy.
    """
    check = Input()
    reference = check.text("payment_reference", payment_reference, longest=200, required=True)
    check.expect("wallet", wallet.currency == product.currency, f"a wallet in {product.currency}")
    if product.price is not None:
        check.expect("paid", paid is None or paid == product.price, f"{product.price:f}, or left out")
    elif check.expect("paid", paid is not None, "what was paid") and paid is not None:
        check.amount("paid", paid)
        fits = "paid" in check.wrong or (product.least or ZERO) <= paid <= (product.most or paid)
        check.expect("paid", fits, f"from {product.least:f} to {product.most:f}")
    check.refuse("The product cannot be bought like this.")
    try:
        with transaction.atomic():
            lock_wallet(wallet.pk)
            first = CreditPurchase.objects.filter(payment_reference=reference).first()
            if first is not None:
                return _same(first, wallet, product, paid)
            if product.archived_at is not None and product.archived_at <= at:
                raise ProductArchived(f"{product.name} is not sold any more.")
            return _record(wallet, product, sale_of(product, paid=paid, at=at), reference, at=at, source=source, actor=actor)
    except IntegrityError as error:
        if "purchase_once_per_payment" not in str(error):
            raise
        raise PaymentUsed(f"Payment {reference} was recorded for another purchase.") from error


def sale_of(product: CreditProduct, *, at: datetime, paid: Decimal | None = None) -> Sale:
    """What a payment at `at` buys. Nothing is stored. Raises NoUnitRate."""
    price = product.price if product.price is not None else paid
    if price is None:
        raise InvalidInput("The buyer chooses what to pay for this product.", fields={"paid": "what is paid"})
    rate = None
    worth = price
    if product.price_currency != product.currency:
        rate = rate_at(unit=product.currency, currency=product.price_currency, at=at)
        worth = to_scale(EXACT.multiply(price, rate.units))
    if product.amount is not None:
        return Sale(price, worth, product.amount, product.bonus, rate)
    slabs = [Slab(slab.from_amount, slab.percent) for slab in product.slabs.order_by("from_amount")]
    return Sale(price, worth, worth, bonus_of(slabs, worth), rate)


def rate_at(*, unit: str, currency: str, at: datetime) -> CreditUnitRate:
    """The rate of a custom credit unit in force at `at`. Raises NoUnitRate."""
    rates = CreditUnitRate.objects.filter(unit=unit, currency=currency, effective_at__lte=at)
    rate = rates.order_by("-effective_at").first()
    if rate is None:
        raise NoUnitRate(f"{unit} has no rate in {currency} now.")
    return rate


def _same(first: CreditPurchase, wallet: Wallet, product: CreditProduct, paid: Decimal | None) -> CreditPurchase:
    if (first.wallet_id, first.product_id) != (wallet.pk, product.pk) or paid not in (None, first.price):
        raise PaymentUsed(f"Payment {first.payment_reference} was recorded for another purchase.")
    return first


def _record(
    wallet: Wallet, product: CreditProduct, sale: Sale, reference: str, *, at: datetime, source: str, actor: str
) -> CreditPurchase:
    days = product.validity_days
    expires_at = None if days is None else days_later(at, days=days, zone=wallet.account.time_zone)

    def lot(amount: Decimal, kind: str, price_paid: Decimal | None) -> CreditLot:
        return grant_credit(
            wallet_id=wallet.pk,
            amount=amount,
            kind=kind,
            at=at,
            price_paid=price_paid,
            priority=product.priority,
            expires_at=expires_at,
            meters=product.meters,
            reason=product.name,
            source=source,
            actor=actor,
        )

    paid = lot(sale.amount, CreditLot.Kind.PAID, sale.worth)
    bonus = lot(sale.bonus, CreditLot.Kind.PROMOTIONAL, None) if sale.bonus else None
    return CreditPurchase.objects.create(
        product=product,
        wallet=wallet,
        payment_reference=reference,
        price=sale.price,
        price_currency=product.price_currency,
        rate=sale.rate,
        lot=paid,
        bonus_lot=bonus,
        at=at,
        actor=actor,
    )
