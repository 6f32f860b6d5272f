"""What is to be told to the provider's own billing, so that finance finds our credit and usage there too: an outbox. Our
books are the truth; nothing is ever read back from there into them. Off unless STRIPE_MIRROR_SINCE says from when.

An item is told once (constraint mirror_item_once; its key is the provider's idempotency key too): WAITING until the provider
took it (SENT), or said that it never will (REFUSED: a person looks, and may have it sent again). A drift is a difference
that the last comparison found.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.accounts.models import Account
from wallets.credit.models import CreditLot


class MirrorItem(models.Model):
    """One thing to tell."""

    class Kind(models.TextChoices):
        GRANT = "grant", "credit"
        END = "end", "end of credit"
        USAGE = "usage", "usage"

    class State(models.TextChoices):
        WAITING = "WAITING"
        SENT = "SENT"
        REFUSED = "REFUSED"

    kind = models.CharField(max_length=8, choices=Kind)
    key = models.CharField(max_length=100)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    lot = models.ForeignKey(CreditLot, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="money of a grant, units of usage")
    unit = models.CharField(max_length=120, help_text="currency, or the code of the meter")
    happened_at = models.DateTimeField(help_text="when the credit was granted or ended; the hour of usage")
    state = models.CharField(max_length=8, choices=State, default=State.WAITING)
    tries = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    provider_id = models.CharField(max_length=120, blank=True)
    problem = models.CharField(max_length=300, blank=True, help_text="why it was not taken, the last time")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["key"], name="mirror_item_once"),
            models.CheckConstraint(condition=Q(kind__in=["grant", "end", "usage"]), name="mirror_item_kind_is_known"),
            models.CheckConstraint(condition=Q(state__in=["WAITING", "SENT", "REFUSED"]), name="mirror_item_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="SENT", sent_at__isnull=False) | (~Q(state="SENT") & Q(sent_at__isnull=True)),
                name="mirror_item_sent_has_a_time",
            ),
            models.CheckConstraint(
                condition=Q(kind="usage", lot__isnull=True) | (~Q(kind="usage") & Q(lot__isnull=False)),
                name="mirror_item_of_credit_has_a_lot",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_try_at"], condition=Q(state="WAITING"), name="mirror_item_to_send"),
            models.Index(fields=["created_at"], condition=Q(state="REFUSED"), name="mirror_item_refused"),
            models.Index(fields=["account", "kind"], name="mirror_item_of_account"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="mirror_item_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="mirror_item_stays",
                fields=["kind", "key", "account", "lot", "amount", "unit", "happened_at", "created_at"],
            ),
        ]

    def __str__(self) -> str:
        return self.key


class MirrorDrift(models.Model):
    """A difference between the mirror and us, as the last comparison found it."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    what = models.CharField(max_length=40)
    subject = models.CharField(max_length=200, help_text="our lot or meter, or the provider's grant")
    ours = models.DecimalField(max_digits=30, decimal_places=12)
    theirs = models.DecimalField(max_digits=30, decimal_places=12)
    unit = models.CharField(max_length=120)
    found_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["account", "what", "subject"], name="mirror_drift_once"),
        ]

    def __str__(self) -> str:
        return f"{self.what}: {self.subject}"
