"""A hold is credit set aside for work in flight, for a time. While it is open, its amount is part of `Wallet.held`.

    OPEN      ->  CAPTURED   what the work cost was charged, the rest went back
              ->  RELEASED   nothing was charged
              ->  LAPSED     its time ran out: by itself, at `expires_at`, before anybody writes it down
    LAPSED    ->  CAPTURED   the work was reported late, and there still was credit (`capture.py`)

The database refuses every other step (trigger hold_moves). A hold of units is a slice at a time (RFC 8506): `granted` units
of a meter for so long, `slices` counts them, `used` is what was charged of all of them, `amount` the price of the present
one. `captured` is what was charged under the hold, of all slices. Long after its end a hold is deleted (`purge.py`), unless it
alone explains a charge.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar, Final

import pgtrigger
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q

from wallets.balances.models import Wallet
from wallets.ids import new_hold_id

KEPT_BY: Final = "kept back"
"""The actor of a hold that no work is charged to (`keep.py`)."""

MOVES: Final = [("OPEN", "CAPTURED"), ("OPEN", "RELEASED"), ("OPEN", "LAPSED"), ("LAPSED", "CAPTURED")]


class Hold(models.Model):
    """Credit set aside."""

    class State(models.TextChoices):
        OPEN = "OPEN"
        CAPTURED = "CAPTURED"
        RELEASED = "RELEASED"
        LAPSED = "LAPSED"

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_hold_id)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="holds", db_index=False)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    amount = models.DecimalField(max_digits=30, decimal_places=12, help_text="set aside while it is open")
    captured = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    captured_by = models.CharField(max_length=600, blank=True, help_text="the event that captured it, or the amount")
    meters = ArrayField(
        models.CharField(max_length=120), default=list, blank=True, help_text="what it may be charged for; empty: anything"
    )
    subject = models.CharField(max_length=200, blank=True, help_text="whom the work is for, as the caller names it")
    actor = models.CharField(max_length=200, blank=True, help_text="who asked for it: an API key's prefix")
    meter = models.CharField(max_length=120, blank=True, help_text="of a hold of units")
    properties = models.JSONField(default=dict, blank=True, help_text="of a hold of units: what its events say besides units")
    granted = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="units of the present slice")
    used = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="units charged, of all slices")
    slices = models.IntegerField(default=0, help_text="how many were granted; 0: not a hold of units")
    is_final = models.BooleanField(default=False, help_text="no credit is left for another slice")
    ttl_seconds = models.IntegerField()
    placed_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(amount__gte=0), name="hold_amount_not_negative"),
            models.CheckConstraint(condition=Q(captured__gte=0), name="hold_captured_not_negative"),
            models.CheckConstraint(condition=Q(granted__gte=0, used__gte=0), name="hold_units_not_negative"),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "CAPTURED", "RELEASED", "LAPSED"]), name="hold_state_is_known"
            ),
            models.CheckConstraint(
                condition=Q(state="OPEN", ended_at__isnull=True) | (~Q(state="OPEN") & Q(ended_at__isnull=False)),
                name="hold_has_ended_exactly_when_not_open",
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("placed_at")), name="hold_ends_after_it_was_placed"),
            models.CheckConstraint(
                condition=Q(state="CAPTURED") | Q(captured=0) | Q(slices__gt=0), name="hold_charges_only_when_captured"
            ),
            models.CheckConstraint(
                condition=Q(slices=0, meter="", granted=0, used=0) | (Q(slices__gt=0) & ~Q(meter="")),
                name="hold_of_units_names_its_meter",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["wallet", "expires_at"], condition=Q(state="OPEN"), name="hold_open_of_wallet"),
            models.Index(fields=["expires_at"], condition=Q(state="OPEN"), name="hold_open_by_end"),
            models.Index(fields=["wallet", "id"], name="hold_of_wallet"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(name="hold_moves", field="state", transitions=MOVES),
            pgtrigger.Protect(
                name="hold_is_deleted_only_when_nothing_needs_it",
                operation=pgtrigger.Delete,
                condition=pgtrigger.Condition(
                    "OLD.state = 'OPEN' OR starts_with(OLD.captured_by, 'amount:') OR OLD.actor = 'kept back'"
                ),
            ),
            pgtrigger.ReadOnly(
                name="hold_terms_stay",
                fields=["bucket", "public_id", "wallet", "meters", "subject", "actor", "meter", "properties", "placed_at"],
            ),
        ]

    def __str__(self) -> str:
        return self.public_id
