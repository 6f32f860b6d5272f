"""On what terms a wallet is topped up: limits, suggestions, fee and bonus by currency, tax by country, the refund policy.
Policies and tax rates are never changed: a new one takes effect at a time, and what was agreed keeps naming its own."""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from wallets.accounts.models import Account
from wallets.append_only import append_only


class RefundPolicy(models.Model):
    """A version of what customers are told about refunds."""

    version = models.PositiveIntegerField(unique=True)
    sentence = models.CharField(max_length=300, help_text="what matters, in one sentence")
    text = models.TextField(blank=True)
    effective_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        verbose_name_plural = "refund policies"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("refund_policy")]

    def __str__(self) -> str:
        return f"version {self.version}"


class TaxRate(models.Model):
    """The tax on credit sold to a country, from a time on."""

    country = models.CharField(max_length=2)
    name = models.CharField(max_length=60, help_text="as receipts say it: VAT")
    percent = models.DecimalField(max_digits=30, decimal_places=12)
    effective_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["country", "effective_at"], name="tax_rate_once_per_time"),
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="tax_rate_is_a_percentage"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("tax_rate")]

    def __str__(self) -> str:
        return f"{self.country} {self.percent} %"


class AccountTax(models.Model):
    """What the tax provider last said of an account; a receipt copies what was charged."""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, related_name="+")
    country = models.CharField(max_length=2, blank=True, help_text="for which it was asked; another one asks again")
    currency = models.CharField(max_length=16)
    name = models.CharField(max_length=60, blank=True, help_text="empty: no tax")
    percent = models.DecimalField(max_digits=30, decimal_places=12)
    asked_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        verbose_name_plural = "account taxes"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(percent__gte=0, percent__lte=100), name="account_tax_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return f"{self.account_id} {self.percent} %"


class TopUpTerms(models.Model):
    """What may be topped up in a currency. A currency without a row has the terms of `terms.py`."""

    currency = models.CharField(max_length=16, unique=True)
    minimum = models.DecimalField(max_digits=30, decimal_places=12)
    maximum = models.DecimalField(max_digits=30, decimal_places=12)
    suggested = ArrayField(models.DecimalField(max_digits=30, decimal_places=12), default=list)
    fee_percent = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="added to the charge")
    fee_fixed = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="added to the charge")

    class Meta:
        app_label = "wallets"
        verbose_name_plural = "top-up terms"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(minimum__gt=0, maximum__gte=F("minimum")), name="top_up_terms_limits"),
            models.CheckConstraint(
                condition=Q(fee_percent__gte=0, fee_percent__lte=100, fee_fixed__gte=0), name="top_up_terms_fee_not_negative"
            ),
        ]

    def __str__(self) -> str:
        return self.currency


class BonusSlab(models.Model):
    """From this amount on, this much of it is given on top, as promotional credit."""

    terms = models.ForeignKey(TopUpTerms, on_delete=models.CASCADE, related_name="slabs")
    from_amount = models.DecimalField(max_digits=30, decimal_places=12)
    percent = models.DecimalField(max_digits=30, decimal_places=12)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["terms", "from_amount"], name="bonus_slab_once"),
            models.CheckConstraint(condition=Q(percent__gt=0, percent__lte=100), name="bonus_slab_is_a_percentage"),
        ]

    def __str__(self) -> str:
        return f"from {self.from_amount}: {self.percent} %"
