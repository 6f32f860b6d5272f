"""What credit is sold and given as.

A credit product is an offer: so much credit for so much money (110 for 100), or any amount with a bonus by slabs; a purchase
is one sale of it, recorded once per payment (constraint purchase_once_per_payment). A custom credit unit (a wallet in CREDITS)
is sold for money at a rate that is a row of its own, never changed: a new rate takes effect at a time.

A voucher batch says what its codes are worth and who may redeem them; of a code only its hash is kept. A code is redeemed at
most `uses` times (constraint voucher_used_at_most), by one account at most so often per batch (constraint
redemption_number_once). Every attempt is recorded, wrong ones too. Sign-up credit is given once per account and once per
guard, a company's e-mail domain or a public mailbox.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from wallets.accounts.models import Account
from wallets.append_only import append_only
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ids import new_public_id


def new_product_id() -> str:
    """cpr_…"""
    return new_public_id("cpr")


def new_purchase_id() -> str:
    """pur_…"""
    return new_public_id("pur")


def new_batch_id() -> str:
    """vbt_…"""
    return new_public_id("vbt")


class CreditUnitRate(models.Model):
    """From `effective_at` on, 1 of `currency` buys `units` of the custom credit unit."""

    unit = models.CharField(max_length=16)
    currency = models.CharField(max_length=16)
    units = models.DecimalField(max_digits=30, decimal_places=12)
    effective_at = models.DateTimeField()
    created_at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["unit", "currency", "effective_at"], name="unit_rate_once_per_time"),
            models.CheckConstraint(condition=Q(units__gt=0), name="unit_rate_positive"),
            models.CheckConstraint(condition=~Q(unit=F("currency")), name="unit_rate_between_two"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("unit_rate")]

    def __str__(self) -> str:
        return f"{self.units} {self.unit} for 1 {self.currency}"


class CreditProduct(models.Model):
    """An offer of credit. Without `amount` and `price` the buyer chooses what to pay, from `least` to `most`."""

    public_id = models.CharField(max_length=32, unique=True, default=new_product_id)
    code = models.CharField(max_length=60, unique=True)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=16, help_text="of the credit: the wallet's")
    price_currency = models.CharField(max_length=16, help_text="of the money paid for it")
    amount = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    price = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    bonus = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="promotional, beside")
    least = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    most = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    validity_days = models.PositiveIntegerField(null=True, blank=True)
    meters = ArrayField(models.CharField(max_length=120), default=list, blank=True, help_text="meter codes; empty: all")
    priority = models.SmallIntegerField(default=50)
    created_at = models.DateTimeField()
    archived_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(amount__gt=0, price__gt=0, least__isnull=True, most__isnull=True)
                | Q(amount__isnull=True, price__isnull=True, bonus=0, least__gt=0, most__gte=F("least")),
                name="product_is_fixed_or_open",
            ),
            models.CheckConstraint(condition=Q(bonus__gte=0), name="product_bonus_not_negative"),
            models.CheckConstraint(condition=Q(code__regex=r"^[a-z0-9][a-z0-9._-]{0,59}$"), name="product_code_is_printable"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="product_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="product_terms_stay",
                fields=[
                    "code", "currency", "price_currency", "amount", "price", "bonus", "least", "most", "validity_days",
                    "meters", "priority",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.name


class BonusSlab(models.Model):
    """Of an open product: from this amount of credit on, this many percent of it on top."""

    product = models.ForeignKey(CreditProduct, on_delete=models.PROTECT, related_name="slabs")
    from_amount = models.DecimalField(max_digits=30, decimal_places=12)
    percent = models.DecimalField(max_digits=30, decimal_places=12)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["product", "from_amount"], name="slab_once_per_product_and_amount"),
            models.CheckConstraint(condition=Q(percent__gt=0, from_amount__gt=0), name="slab_positive"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("slab")]

    def __str__(self) -> str:
        return f"from {self.from_amount}: {self.percent} %"


class CreditPurchase(models.Model):
    """One sale of a product, for a payment made elsewhere."""

    public_id = models.CharField(max_length=32, unique=True, default=new_purchase_id)
    product = models.ForeignKey(CreditProduct, on_delete=models.PROTECT, related_name="purchases")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="purchases")
    payment_reference = models.CharField(max_length=200)
    price = models.DecimalField(max_digits=30, decimal_places=12)
    price_currency = models.CharField(max_length=16)
    rate = models.ForeignKey(CreditUnitRate, null=True, on_delete=models.PROTECT, related_name="+")
    lot = models.OneToOneField(CreditLot, on_delete=models.PROTECT, related_name="+")
    bonus_lot = models.OneToOneField(CreditLot, null=True, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()
    actor = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["payment_reference"], name="purchase_once_per_payment"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("purchase")]

    def __str__(self) -> str:
        return self.public_id


class VoucherBatch(models.Model):
    """Codes issued together, and what each is worth."""

    class Kind(models.TextChoices):
        PROMOTIONAL = "promotional"
        TRIAL = "trial"
        COMPENSATION = "compensation"

    public_id = models.CharField(max_length=32, unique=True, default=new_batch_id)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    kind = models.CharField(max_length=12, choices=Kind, default=Kind.PROMOTIONAL)
    validity_days = models.PositiveIntegerField(null=True, blank=True, help_text="of the credit, from its redemption")
    meters = ArrayField(models.CharField(max_length=120), default=list, blank=True, help_text="meter codes; empty: all")
    priority = models.SmallIntegerField(default=50)
    redeem_from = models.DateTimeField()
    redeem_until = models.DateTimeField(null=True, blank=True)
    per_account = models.PositiveIntegerField(default=1, help_text="how often one account may redeem from this batch")
    created_at = models.DateTimeField()
    actor = models.CharField(max_length=200, blank=True)
    stopped_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "pricing"
        verbose_name_plural = "voucher batches"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gt=0), name="voucher_amount_positive"),
            models.CheckConstraint(condition=Q(per_account__gte=1), name="voucher_per_account_at_least_once"),
            models.CheckConstraint(
                condition=Q(kind__in=["promotional", "trial", "compensation"]), name="voucher_kind_is_given_not_sold"
            ),
            models.CheckConstraint(
                condition=Q(redeem_until__isnull=True) | Q(redeem_until__gt=F("redeem_from")),
                name="voucher_ends_after_it_starts",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="voucher_batch_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="voucher_terms_stay",
                fields=["currency", "amount", "kind", "validity_days", "meters", "priority", "redeem_from", "per_account"],
            ),
        ]

    def __str__(self) -> str:
        return self.name


class VoucherCode(models.Model):
    """One code, by its hash; `hint`: its last characters."""

    batch = models.ForeignKey(VoucherBatch, on_delete=models.PROTECT, related_name="codes")
    code_hash = models.BinaryField(max_length=32, unique=True)
    hint = models.CharField(max_length=8)
    uses = models.PositiveIntegerField(default=1)
    used = models.PositiveIntegerField(default=0)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(used__lte=F("uses")), name="voucher_used_at_most"),
            models.CheckConstraint(condition=Q(uses__gte=1), name="voucher_uses_at_least_once"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="voucher_code_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="voucher_code_stays", fields=["batch", "code_hash", "hint", "uses"]),
        ]

    def __str__(self) -> str:
        return f"…{self.hint}"


class VoucherRedemption(models.Model):
    """A code turned into a lot; the account's `number`th from this batch."""

    code = models.ForeignKey(VoucherCode, on_delete=models.PROTECT, related_name="redemptions")
    batch = models.ForeignKey(VoucherBatch, on_delete=models.PROTECT, related_name="redemptions")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="redemptions")
    number = models.PositiveIntegerField()
    lot = models.OneToOneField(CreditLot, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["batch", "account", "number"], name="redemption_number_once"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("redemption")]

    def __str__(self) -> str:
        return f"{self.code_id} by {self.account_id}"


class VoucherAttempt(models.Model):
    """Somebody typed a code. `outcome`, told once: redeemed, or the code of the refusal; empty while it is looked at."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="voucher_attempts")
    code = models.ForeignKey(VoucherCode, null=True, on_delete=models.PROTECT, related_name="attempts")
    outcome = models.CharField(max_length=40, blank=True)
    actor = models.CharField(max_length=200, blank=True)
    at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        indexes: ClassVar[list[models.Index]] = [models.Index(fields=["account", "at"], name="voucher_attempt_of_account")]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="voucher_attempt_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.Protect(
                name="voucher_attempt_is_told_once", operation=pgtrigger.Update, condition=~pgtrigger.Q(old__outcome="")
            ),
            pgtrigger.ReadOnly(name="voucher_attempt_stays", fields=["account", "actor", "at"]),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.outcome}"


class SignUpCredit(models.Model):
    """Credit given for signing up: once per account, once per guard (`sign_up_guard.py`)."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="sign_up_credit")
    guard = models.CharField(max_length=320, unique=True)
    lot = models.OneToOneField(CreditLot, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("sign_up_credit")]

    def __str__(self) -> str:
        return f"{self.account_id} {self.guard}"
