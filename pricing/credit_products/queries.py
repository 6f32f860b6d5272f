"""Looking credit products and vouchers up."""

from __future__ import annotations

from django.db.models import Count, QuerySet, Sum

from pricing.credit_products.models import CreditProduct, CreditPurchase, CreditUnitRate, VoucherBatch
from wallets.errors import NotFound


def all_products() -> QuerySet[CreditProduct]:
    """Every product, archived ones too, with its slabs."""
    return CreditProduct.objects.prefetch_related("slabs")


def product_by_id(*, public_id: str) -> CreditProduct:
    """The product with this id (`cpr_…`) or code. Raises NotFound."""
    product = all_products().filter(public_id=public_id).first() or all_products().filter(code=public_id).first()
    if product is None:
        raise NotFound(f"There is no credit product {public_id[:60]}.")
    return product


def purchases_of(*, wallet_id: int) -> QuerySet[CreditPurchase]:
    """A wallet's purchases."""
    return CreditPurchase.objects.filter(wallet_id=wallet_id).select_related("product", "wallet", "lot", "bonus_lot")


def unit_rates() -> QuerySet[CreditUnitRate]:
    """Every rate of every custom credit unit."""
    return CreditUnitRate.objects.all()


def all_batches() -> QuerySet[VoucherBatch]:
    """Every batch of vouchers, with how many codes it has and how often they were redeemed and can be."""
    return VoucherBatch.objects.annotate(code_count=Count("codes"), used=Sum("codes__used"), uses=Sum("codes__uses"))


def batch_by_id(*, public_id: str) -> VoucherBatch:
    """The batch with this id (`vbt_…`). Raises NotFound."""
    batch = all_batches().filter(public_id=public_id).first()
    if batch is None:
        raise NotFound(f"There is no voucher batch {public_id[:40]}.")
    return batch
