"""What stops card testing and fraud before money moves: rules that people set, the attempts they are measured on, and the
review items that every hit leaves behind, so that nothing is refused in silence.

    review item   OPEN -> CLEARED      nothing wrong: credit held for it is released
                       -> CONFIRMED    it was what it looked like: the credit stays held until finance has given it back

There is one open item for a rule and whom it is about (constraint review_open_once); further hits count up on it.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.accounts.models import Account, User
from wallets.balances.models import Wallet
from wallets.holds.models import Hold
from wallets.ids import new_public_id


def new_review_id() -> str:
    """rev_…"""
    return new_public_id("rev")


class VelocityRule(models.Model):
    """How much of what within which time is too much."""

    class Measure(models.TextChoices):
        COUNT = "COUNT", "attempts"
        AMOUNT = "AMOUNT", "amount"
        CARDS = "CARDS", "different cards"
        DECLINES = "DECLINES", "declined attempts"

    class Per(models.TextChoices):
        ACCOUNT = "ACCOUNT", "account"
        CARD = "CARD", "card, whoever saved it"
        ADDRESS = "ADDRESS", "network address"

    class Then(models.TextChoices):
        REFUSE = "REFUSE", "refuse it"
        REVIEW = "REVIEW", "let it through and hold the credit"

    name = models.CharField(max_length=120, unique=True)
    measure = models.CharField(max_length=8, choices=Measure)
    per = models.CharField(max_length=7, choices=Per)
    window_minutes = models.PositiveIntegerField(default=60, help_text="60: an hour; 1440: a day")
    limit = models.DecimalField(max_digits=30, decimal_places=12, help_text="above it, the rule is broken")
    currency = models.CharField(max_length=16, blank=True, help_text="of an amount; empty otherwise")
    then = models.CharField("what then", max_length=6, choices=Then, default=Then.REFUSE)
    machine_too = models.BooleanField("auto-recharge too", default=False, help_text="and scheduled top-ups")
    is_active = models.BooleanField(default=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(measure__in=["COUNT", "AMOUNT", "CARDS", "DECLINES"]), name="velocity_measure_is_known"
            ),
            models.CheckConstraint(condition=Q(per__in=["ACCOUNT", "CARD", "ADDRESS"]), name="velocity_per_is_known"),
            models.CheckConstraint(condition=Q(then__in=["REFUSE", "REVIEW"]), name="velocity_then_is_known"),
            models.CheckConstraint(
                condition=Q(limit__gte=0, window_minutes__gte=1, window_minutes__lte=43_200), name="velocity_limits_make_sense"
            ),
            models.CheckConstraint(
                condition=(Q(measure="AMOUNT") & ~Q(currency="")) | (~Q(measure="AMOUNT") & Q(currency="")),
                name="velocity_amount_has_its_currency",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class TrustTier(models.Model):
    """What an account may do from this age on. The oldest tier it has reached counts; with none for its currency, no limit."""

    from_age_days = models.PositiveIntegerField(help_text="0: from the day it was opened")
    currency = models.CharField(max_length=16)
    most_amount = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True, help_text="of one top-up")
    most_balance = models.DecimalField(
        max_digits=30, decimal_places=12, null=True, blank=True, help_text="balance after a top-up, with those under way"
    )

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["from_age_days", "currency"], name="trust_tier_once"),
        ]

    def __str__(self) -> str:
        return f"{self.currency} from day {self.from_age_days}"


class TopUpAttempt(models.Model):
    """An attempt to top up by card, also one that was refused. Kept for a month, then forgotten (it names an address)."""

    class Outcome(models.TextChoices):
        PENDING = "PENDING"
        PAID = "PAID"
        DECLINED = "DECLINED"
        REFUSED = "REFUSED"

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+", db_index=False)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+", db_index=False)
    top_up = models.CharField(max_length=32, unique=True, help_text="its public id, also of one that was never made")
    card = models.CharField(max_length=120, blank=True, help_text="fingerprint")
    address = models.GenericIPAddressField(null=True, blank=True)
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    currency = models.CharField(max_length=16)
    outcome = models.CharField(max_length=8, choices=Outcome, default=Outcome.PENDING)
    at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(outcome__in=["PENDING", "PAID", "DECLINED", "REFUSED"]), name="attempt_outcome_is_known"
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["account", "at"], name="attempt_of_account"),
            models.Index(fields=["card", "at"], condition=~Q(card=""), name="attempt_of_card"),
            models.Index(fields=["address", "at"], condition=Q(address__isnull=False), name="attempt_of_address"),
            models.Index(fields=["at"], name="attempt_by_age"),
        ]

    def __str__(self) -> str:
        return self.top_up


class ReviewItem(models.Model):
    """Something a rule found that a person has to look at."""

    class State(models.TextChoices):
        OPEN = "OPEN"
        CLEARED = "CLEARED"
        CONFIRMED = "CONFIRMED"

    public_id = models.CharField(max_length=32, unique=True, default=new_review_id)
    rule = models.CharField(max_length=120, help_text="as it was called")
    subject = models.CharField(max_length=120, help_text="the account, card or address it is about")
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="review_items")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="+")
    top_up = models.CharField(max_length=32, blank=True, help_text="the last one that broke the rule")
    found = models.CharField(max_length=300)
    holds_credit = models.BooleanField(help_text="credit of this account's top-ups is held until it is cleared")
    hits = models.PositiveIntegerField(default=1)
    amount = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0), help_text="of the last one")
    currency = models.CharField(max_length=16)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    opened_at = models.DateTimeField()
    last_at = models.DateTimeField()
    owner = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_by = models.ForeignKey(User, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    decided_at = models.DateTimeField(null=True, blank=True)
    note = models.CharField(max_length=500, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["rule", "subject", "account"], condition=Q(state="OPEN"), name="review_open_once"),
            models.CheckConstraint(
                condition=Q(state="OPEN", decided_by__isnull=True, decided_at__isnull=True)
                | (Q(state__in=["CLEARED", "CONFIRMED"], decided_by__isnull=False, decided_at__isnull=False) & ~Q(note="")),
                name="review_says_who_decided_and_why",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["opened_at"], condition=Q(state="OPEN"), name="review_open"),
            models.Index(fields=["account", "state"], name="review_of_account"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(name="review_moves", field="state", transitions=[("OPEN", "CLEARED"), ("OPEN", "CONFIRMED")]),
            pgtrigger.Protect(name="review_is_never_deleted", operation=pgtrigger.Delete),
        ]

    def __str__(self) -> str:
        return self.public_id


class HeldCredit(models.Model):
    """Credit of a top-up that is held until its account is cleared."""

    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="+")
    top_up = models.CharField(max_length=32, unique=True)
    hold = models.OneToOneField(Hold, on_delete=models.PROTECT, related_name="+")
    held_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"

    def __str__(self) -> str:
        return self.top_up
