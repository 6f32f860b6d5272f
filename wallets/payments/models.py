"""A top-up is one payment that becomes credit: the row comes first, the provider is asked with its id as the key, and what
the provider says settles it (`settle.py`), once (constraints top_up_payment_once, top_up_lot_once). Its states move as
`states.py` says (trigger top_up_moves); what was agreed when it was made stays (trigger top_up_terms_stay).

    total = amount + tax + fee      is charged     (constraint top_up_total_is_its_parts)
    amount                          becomes paid credit, `bonus` promotional credit beside it; tax and fee never do

A payment method is a card at the provider: what may be shown of it, and its fingerprint; never its number (I11). A receipt
is a copy of what was paid, numbered without a gap for each legal entity and year (`wallets.numbers`).
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from wallets.accounts.models import Account
from wallets.append_only import append_only
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ids import new_public_id
from wallets.payments.offer_models import RefundPolicy
from wallets.payments.states import MOVES, STATES


def new_top_up_id() -> str:
    """top_…"""
    return new_public_id("top")


def new_payment_method_id() -> str:
    """card_…"""
    return new_public_id("card")


class ProviderCustomer(models.Model):
    """What an account is called at a provider."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="provider_customers")
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=120)
    created_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "provider"], name="provider_customer_once"),
            models.UniqueConstraint(fields=["provider", "provider_id"], name="provider_customer_of_one_account"),
        ]

    def __str__(self) -> str:
        return self.provider_id


class PaymentMethod(models.Model):
    """A saved card."""

    public_id = models.CharField(max_length=32, unique=True, default=new_payment_method_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="payment_methods")
    provider = models.CharField(max_length=20)
    provider_id = models.CharField(max_length=120)
    brand = models.CharField(max_length=30)
    last_four = models.CharField(max_length=4)
    exp_month = models.SmallIntegerField()
    exp_year = models.SmallIntegerField()
    fingerprint = models.CharField(max_length=120, db_index=True, help_text="the same for the same card, whoever saves it")
    is_default = models.BooleanField(default=False)
    is_backup = models.BooleanField(default=False, help_text="charged when the default one is declined")
    created_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    expiry_told_month = models.DateField(
        null=True, blank=True, help_text="first day of the month in which its holder was last told that it expires"
    )

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["provider", "provider_id"], name="payment_method_once"),
            models.UniqueConstraint(fields=["account"], condition=Q(is_default=True), name="payment_method_one_default"),
            models.UniqueConstraint(fields=["account"], condition=Q(is_backup=True), name="payment_method_one_backup"),
            models.CheckConstraint(condition=~Q(is_default=True, is_backup=True), name="payment_method_default_or_backup"),
            models.CheckConstraint(
                condition=Q(removed_at__isnull=True) | Q(is_default=False, is_backup=False),
                name="payment_method_removed_has_no_part",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["last_four", "id"], name="payment_method_by_last_four"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="payment_method_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """Visa •••• 4242."""
        return f"{self.brand.title()} •••• {self.last_four}"

    @property
    def expires(self) -> str:
        """08/2027."""
        return f"{self.exp_month:02}/{self.exp_year}"


class TopUp(models.Model):
    """One payment that becomes credit."""

    class Means(models.TextChoices):
        CARD = "card"
        WIRE = "wire"
        ACH = "ach"
        CHEQUE = "cheque"
        CASH = "cash"

    class Origin(models.TextChoices):
        CUSTOMER = "customer"
        API = "api"
        FINANCE = "finance"
        RECHARGE = "recharge"
        SCHEDULE = "schedule"
        FEE = "fee"

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_top_up_id)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="top_ups", db_index=False)
    state = models.CharField(max_length=16, choices=[(one, one) for one in STATES], default="CREATED")
    currency = models.CharField(max_length=16)
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="becomes paid credit")
    bonus = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="promotional credit beside")
    tax = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    tax_name = models.CharField(max_length=60, blank=True)
    tax_percent = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    tax_country = models.CharField(max_length=2, blank=True)
    fee = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="added to the charge")
    total = models.DecimalField(max_digits=30, decimal_places=12, help_text="charged: amount + tax + fee")
    means = models.CharField(max_length=10, choices=Means)
    provider = models.CharField(max_length=20)
    method = models.ForeignKey(PaymentMethod, null=True, blank=True, on_delete=models.PROTECT, related_name="top_ups")
    payment_id = models.CharField(  # noqa: DJ001 - unique once there is one
        max_length=200, null=True, blank=True, help_text="the provider's PaymentIntent, or the bank's reference"
    )
    failure_code = models.CharField(max_length=60, blank=True)
    failure = models.CharField(max_length=300, blank=True, help_text="as the customer is told")
    policy = models.ForeignKey(RefundPolicy, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    origin = models.CharField(max_length=10, choices=Origin)
    actor = models.CharField(max_length=200, blank=True)
    note = models.CharField(max_length=500, blank=True)
    request_key = models.CharField(  # noqa: DJ001 - unique if there is one
        max_length=300, null=True, blank=True, help_text="whoever asks twice gets the same top-up"
    )
    lot = models.OneToOneField(CreditLot, null=True, blank=True, on_delete=models.PROTECT, related_name="top_up")
    bonus_lot = models.OneToOneField(CreditLot, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField(help_text="when it came to be in its state")
    settled_at = models.DateTimeField(null=True, blank=True, help_text="when the credit was granted")

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="top_up_state_is_known"),
            models.CheckConstraint(condition=Q(amount__gt=0, bonus__gte=0, tax__gte=0, fee__gte=0), name="top_up_amounts"),
            models.CheckConstraint(condition=Q(total=F("amount") + F("tax") + F("fee")), name="top_up_total_is_its_parts"),
            models.CheckConstraint(
                condition=Q(state__in=["SUCCEEDED", "REFUNDED", "DISPUTED"], lot__isnull=False, settled_at__isnull=False)
                | Q(~Q(state__in=["SUCCEEDED", "REFUNDED", "DISPUTED"]), lot__isnull=True, settled_at__isnull=True),
                name="top_up_has_credit_exactly_when_paid",
            ),
            models.UniqueConstraint(fields=["provider", "payment_id"], name="top_up_payment_once"),
            models.UniqueConstraint(fields=["request_key"], name="top_up_request_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["wallet", "id"], name="top_up_of_wallet"),
            models.Index(
                fields=["moved_at"],
                condition=Q(state__in=["CREATED", "REQUIRES_ACTION", "PROCESSING"]),
                name="top_up_in_flight",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(
                name="top_up_moves", field="state", transitions=[(one, other) for one in MOVES for other in MOVES[one]]
            ),
            pgtrigger.Protect(name="top_up_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="top_up_terms_stay",
                fields=[
                    "bucket", "public_id", "wallet", "currency", "amount", "bonus", "tax", "tax_percent", "fee", "total",
                    "means", "provider", "policy", "origin", "request_key", "created_at",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id


class Receipt(models.Model):
    """What was paid, as it was: seller and buyer are copied, never joined. Never changed."""

    top_up = models.OneToOneField(TopUp, on_delete=models.PROTECT, related_name="receipt")
    entity = models.CharField(max_length=40)
    year = models.SmallIntegerField()
    number = models.IntegerField()
    seller = models.TextField()
    buyer = models.TextField()
    paid_with = models.CharField(max_length=120)
    issued_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["entity", "year", "number"], name="receipt_number_once"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("receipt")]

    def __str__(self) -> str:
        return self.public_number

    @property
    def public_number(self) -> str:
        """MAIN-2026-000017."""
        return f"{self.entity.upper()}-{self.year}-{self.number:06}"
