"""Spend caps: how much of an account's usage may be charged in a day, a month or altogether, in money of a currency or in units
of a meter; for the account as a whole, or for one of its teams, users, API keys or cost centres, or for each of them.

    SpendCap       one cap; at most one that is in force for the same thing (constraint cap_once); a removed one stays, and its
                   counters stand still
    SpendCounter   what was charged under a cap in one window, for one value; it changes in the transaction of the charge, under
                   the wallet's lock, and `version` counts the changes, so that publications keep their order
    CapReservation what an open hold sets aside of a cap (`reserve.py`); it counts exactly while the hold is open
    CapProperties  which property of an event names the team, the user, …; no row: the property is called as the scope

A charge belongs to the window in which its event's time lies, in the account's time zone.
"""

from __future__ import annotations

from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from pricing.meters.models import Meter
from wallets.accounts.models import Account
from wallets.holds.models import Hold
from wallets.ids import new_public_id


def new_cap_id() -> str:
    """cap_…"""
    return new_public_id("cap")


class SpendCap(models.Model):
    """A limit. `value` empty: each team (user, …) for itself; always empty for the account."""

    class Scope(models.TextChoices):
        ACCOUNT = "account"
        TEAM = "team"
        USER = "user"
        API_KEY = "api_key"
        COST_CENTRE = "cost_centre"

    class Window(models.TextChoices):
        DAY = "day"
        MONTH = "month"
        TOTAL = "total"

    class State(models.TextChoices):
        ACTIVE = "ACTIVE"
        REMOVED = "REMOVED"

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_cap_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="spend_caps")
    scope = models.CharField(max_length=11, choices=Scope)
    value = models.CharField(max_length=255, blank=True)
    window = models.CharField(max_length=5, choices=Window)
    currency = models.CharField(max_length=16, blank=True, help_text="what the limit is in; empty: units of the meter")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    limit = models.DecimalField(max_digits=30, decimal_places=12)
    state = models.CharField(max_length=7, choices=State, default=State.ACTIVE)
    set_at = models.DateTimeField()
    removed_at = models.DateTimeField(null=True, blank=True)
    actor = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(scope__in=["account", "team", "user", "api_key", "cost_centre"]), name="cap_scope_is_known"
            ),
            models.CheckConstraint(condition=Q(window__in=["day", "month", "total"]), name="cap_window_is_known"),
            models.CheckConstraint(condition=Q(limit__gte=0), name="cap_limit_not_negative"),
            models.CheckConstraint(condition=~Q(scope="account") | Q(value=""), name="cap_of_account_has_no_value"),
            models.CheckConstraint(
                condition=Q(currency="", meter__isnull=False) | (~Q(currency="") & Q(meter__isnull=True)),
                name="cap_in_money_or_units",
            ),
            models.CheckConstraint(
                condition=Q(state="ACTIVE", removed_at__isnull=True) | Q(state="REMOVED", removed_at__isnull=False),
                name="cap_state_is_known",
            ),
            models.UniqueConstraint(
                fields=["account", "scope", "value", "window", "currency", "meter"],
                condition=Q(state="ACTIVE"),
                nulls_distinct=False,
                name="cap_once",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="cap_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id

    @property
    def unit(self) -> str:
        """The currency, or the meter's code."""
        return self.currency or (self.meter.code if self.meter is not None else "")


class SpendCounter(models.Model):
    """What was charged under a cap in a window. window_start: in UTC; 1970 where the window is all time."""

    bucket = models.SmallIntegerField()
    cap = models.ForeignKey(SpendCap, on_delete=models.PROTECT, related_name="counters", db_index=False)
    window_start = models.DateTimeField()
    value = models.CharField(max_length=255, blank=True)
    used = models.DecimalField(max_digits=30, decimal_places=12)
    version = models.BigIntegerField()
    reached_at = models.DateTimeField(null=True, blank=True, help_text="when it was told that the limit is reached")

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["cap", "window_start", "value"], name="spend_counter_once"),
        ]

    def __str__(self) -> str:
        return f"{self.cap_id} {self.window_start} {self.value}"


class CapReservation(models.Model):
    """What a hold sets aside of a cap, for one value. Holds are forgotten some time after they have ended, so no constraint."""

    bucket = models.SmallIntegerField()
    hold = models.ForeignKey(Hold, on_delete=models.DO_NOTHING, related_name="+", db_constraint=False, db_index=False)
    cap = models.ForeignKey(SpendCap, on_delete=models.PROTECT, related_name="reservations")
    value = models.CharField(max_length=255, blank=True)
    amount = models.DecimalField(max_digits=30, decimal_places=12)

    class Meta:
        app_label = "metering"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["hold", "cap"], name="cap_reservation_once"),
            models.CheckConstraint(condition=Q(amount__gte=0), name="cap_reservation_not_negative"),
        ]

    def __str__(self) -> str:
        return f"{self.hold_id} {self.cap_id}"


class CapProperties(models.Model):
    """Which property of an account's events names the team, the user, …"""

    account = models.OneToOneField(Account, on_delete=models.PROTECT, primary_key=True, related_name="cap_properties")
    team = models.CharField(max_length=120, default="team")
    user = models.CharField(max_length=120, default="user")
    api_key = models.CharField(max_length=120, default="api_key")
    cost_centre = models.CharField(max_length=120, default="cost_centre")

    class Meta:
        app_label = "metering"
        verbose_name_plural = "cap properties"

    def __str__(self) -> str:
        return f"{self.account_id}"
