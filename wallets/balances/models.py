"""A wallet is an account's balance in one currency or custom credit unit: a liability of ours towards the customer.

balance = sum of its postings = sum of its lots' remainders - overdraft (I2); available = balance - held. The row changes
only under `balances/lock.py`, together with one journal entry; `version` counts those entries and `head_hash` is the hash
of the last of them. What is held changes without an entry: `held_version` counts that (`balances/held.py`), and version +
held_version is the order of all changes. Fillfactor leaves room for in-place updates: this is the busiest row of the system,
so no column that changes with the balance is indexed.

A threshold crossing is an edge: a debit took the balance to or below a share of its reference (`own_reference`, or else
`reference_balance`, the balance after the last credit that counted, less what ended of a plan since) or an amount, or it
is back above one.
`armed_percent` and `armed_amount` are the lowest thresholds crossed and not come back from; `thresholds.py` has the rules.
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
from wallets.ids import new_wallet_id


class Wallet(models.Model):
    """What an account holds in one currency."""

    class Status(models.TextChoices):
        ACTIVE = "ACTIVE"
        FROZEN = "FROZEN"
        CLOSED = "CLOSED"

    class OnEmpty(models.TextChoices):
        BLOCK = "block"
        THROTTLE = "throttle"
        GRACE = "grace"

    class LetThrough(models.TextChoices):
        ALL = "all"
        SLOWLY = "slowly"
        NONE = "none"

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_wallet_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="wallets")
    currency = models.CharField(max_length=16)
    name = models.CharField(max_length=120, blank=True)
    is_default = models.BooleanField(default=True, help_text="usage in this currency is charged here")
    status = models.CharField(max_length=8, choices=Status, default=Status.ACTIVE)
    balance = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    held = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    overdraft = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    on_empty = models.CharField(max_length=8, choices=OnEmpty, default=OnEmpty.BLOCK)
    grace_limit = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    throttle_per_minute = models.PositiveIntegerField(default=10)
    let_through = models.CharField(
        max_length=6, choices=LetThrough, default=LetThrough.ALL, help_text="while it has credit; a rule may say less"
    )
    version = models.BigIntegerField(default=0)
    head_hash = models.BinaryField(max_length=32, default=b"")
    reference_balance = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    own_reference = models.DecimalField(
        max_digits=30,
        decimal_places=12,
        null=True,
        blank=True,
        help_text="what its thresholds are shares of; empty: the balance after the last credit",
    )
    threshold_percents = ArrayField(models.SmallIntegerField(), null=True, blank=True, help_text="empty: those of its account")
    threshold_amounts = ArrayField(models.DecimalField(max_digits=30, decimal_places=12), default=list, blank=True)
    armed_percent = models.SmallIntegerField(default=100)
    armed_amount = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    crossing_number = models.BigIntegerField(default=0)
    recharge_below = models.DecimalField(
        max_digits=30,
        decimal_places=12,
        null=True,
        blank=True,
        help_text="a balance below it is due for a recharge; empty: none",
    )
    recharge_armed = models.BooleanField(default=True, help_text="the balance has not been below since it was last told")
    allowance_meters = ArrayField(
        models.CharField(max_length=120), default=list, blank=True, help_text="meters it may have allowances of"
    )
    held_version = models.BigIntegerField(default=0, help_text="counts the changes of what is held")
    next_lapse_at = models.DateTimeField(null=True, blank=True, help_text="no open hold ends before; empty: none is open")
    has_caps = models.BooleanField(default=False, help_text="its account has spend caps: charges are counted for them")
    opened_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(overdraft__gte=0), name="wallet_overdraft_not_negative"),
            models.CheckConstraint(condition=Q(held__gte=0), name="wallet_held_not_negative"),
            models.CheckConstraint(
                condition=Q(held=0) | Q(next_lapse_at__isnull=False), name="wallet_held_knows_when_holds_end"
            ),
            models.CheckConstraint(condition=Q(grace_limit__gte=0), name="wallet_grace_limit_not_negative"),
            models.CheckConstraint(condition=Q(status__in=["ACTIVE", "FROZEN", "CLOSED"]), name="wallet_status_is_known"),
            models.CheckConstraint(condition=Q(on_empty__in=["block", "throttle", "grace"]), name="wallet_on_empty_is_known"),
            models.CheckConstraint(condition=Q(let_through__in=["all", "slowly", "none"]), name="wallet_let_through_is_known"),
            models.CheckConstraint(
                condition=Q(own_reference__isnull=True) | Q(own_reference__gt=0), name="wallet_own_reference_above_zero"
            ),
            models.CheckConstraint(
                condition=~Q(status="CLOSED") | Q(balance=0, held=0, overdraft=0), name="wallet_closed_only_when_empty"
            ),
            models.CheckConstraint(condition=Q(balance__gte=-F("overdraft")), name="wallet_balance_not_below_overdraft"),
            models.UniqueConstraint(
                fields=["account", "currency"],
                condition=Q(is_default=True) & ~Q(status="CLOSED"),
                name="wallet_one_default_per_account_and_currency",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="wallet_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return f"{self.public_id} {self.currency}"

    @property
    def available(self) -> Decimal:
        """What can be spent now: balance less what is held. Holds that have ended count until they are swept, or left out by
        `balances/held.py`."""
        return self.balance - self.held

    @property
    def sequence(self) -> int:
        """Grows with every change of what is available: an older figure never overwrites a newer one."""
        return self.version + self.held_version


class ThresholdCrossing(models.Model):
    """A change took a wallet to or below a threshold, or back above: the edge that alerts and rules read, once each by
    (wallet, number)."""

    bucket = models.SmallIntegerField()
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="crossings")
    number = models.BigIntegerField()
    back = models.BooleanField(default=False, help_text="up again")
    percent = models.SmallIntegerField(null=True, help_text="of the reference balance; 0 means empty")
    amount = models.DecimalField(max_digits=30, decimal_places=12, null=True, help_text="or a threshold that is an amount")
    balance = models.DecimalField(max_digits=30, decimal_places=12)
    reference_balance = models.DecimalField(max_digits=30, decimal_places=12)
    wallet_version = models.BigIntegerField()
    crossed_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["wallet", "number"], name="crossing_once_per_wallet_and_number"),
            models.CheckConstraint(
                condition=Q(percent__isnull=True) ^ Q(amount__isnull=True), name="crossing_of_a_percentage_or_an_amount"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("crossing"),
        ]

    def __str__(self) -> str:
        threshold = f"{self.amount:f}" if self.amount is not None else f"{self.percent} %"
        return f"{self.wallet_id} {'above' if self.back else 'below'} {threshold}"
