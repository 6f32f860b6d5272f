"""A wallet recharges itself: a rule (`AutoRecharge`), and every decision made by it, kept and readable (`RechargeDecision`).

    below `threshold`  ->  charge `amount`, or what is missing to `target`     (constraint recharge_amount_or_target)
    one at a time for each wallet                                              (constraint recharge_one_in_flight)
    a decision that charges names its card, amount and total, any other why    (constraint recharge_decision_says_why_not)

A decision is written under the wallet's lock, and committed, before anybody is asked for money; its id is the request key of
its top-up, so whatever crashes, there is one of each. It goes on as its top-up does (`MOVES`, trigger recharge_decision_moves).
A scheduled top-up (`ScheduledTopUp`) is a decision of the calendar: once for a day and card (recharge_day_once_per_card).
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import Q

from wallets.balances.models import Wallet
from wallets.ids import new_public_id
from wallets.payments.models import PaymentMethod, TopUp
from wallets.recharge.states import MOVES, REASONS, STATES, Cause


def new_decision_id() -> str:
    """rch_…"""
    return new_public_id("rch")


class AutoRecharge(models.Model):
    """A wallet's rule. Changes only under its wallet's lock."""

    bucket = models.SmallIntegerField()
    wallet = models.OneToOneField(Wallet, on_delete=models.PROTECT, related_name="auto_recharge")
    is_on = models.BooleanField()
    threshold = models.DecimalField(max_digits=30, decimal_places=12, help_text="recharge when the balance falls below")
    amount = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True, help_text="credit bought each time")
    target = models.DecimalField(
        max_digits=30, decimal_places=12, null=True, blank=True, help_text="buy what is missing to this balance instead"
    )
    monthly_cap = models.DecimalField(
        max_digits=30,
        decimal_places=12,
        help_text="charged at most in a month of the account's time zone, tax and fee included",
    )
    cool_down_seconds = models.PositiveIntegerField(help_text="from one recharge to the next")
    resumed_at = models.DateTimeField(help_text="declines before then are forgotten")
    look_at = models.DateTimeField(null=True, blank=True, help_text="when the balance is looked at without a debit")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(amount__isnull=False, target__isnull=True) | Q(amount__isnull=True, target__isnull=False),
                name="recharge_amount_or_target",
            ),
            models.CheckConstraint(
                condition=Q(threshold__gt=0, monthly_cap__gt=0)
                & (Q(amount__isnull=True) | Q(amount__gt=0))
                & (Q(target__isnull=True) | Q(target__gt=models.F("threshold"))),
                name="recharge_figures",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["look_at"], condition=Q(look_at__isnull=False), name="recharge_to_look_at"),
        ]

    def __str__(self) -> str:
        return f"below {self.threshold.normalize():f}"


class ScheduledTopUp(models.Model):
    """A top-up every month, on a day in the account's time zone. Changes only under its wallet's lock."""

    bucket = models.SmallIntegerField()
    wallet = models.OneToOneField(Wallet, on_delete=models.PROTECT, related_name="scheduled_top_up")
    is_on = models.BooleanField()
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    day = models.SmallIntegerField(help_text="of the month; a shorter month's last day")
    next_date = models.DateField(help_text="of the next one")
    next_at = models.DateTimeField(help_text="when that day begins")
    changed_at = models.DateTimeField()
    changed_by = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(day__gte=1, day__lte=31), name="scheduled_top_up_day"),
            models.CheckConstraint(condition=Q(amount__gt=0), name="scheduled_top_up_amount"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_at"], condition=Q(is_on=True), name="scheduled_top_up_next"),
        ]

    def __str__(self) -> str:
        return f"on day {self.day}"


class RechargeDecision(models.Model):
    """One decision: what was charged, or why nothing was."""

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_decision_id)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="recharge_decisions", db_index=False)
    cause = models.CharField(max_length=8, choices=[(str(one), str(one)) for one in Cause])
    state = models.CharField(max_length=9, choices=[(one, one) for one in STATES])
    reason = models.CharField(max_length=20, blank=True, choices=[(one, one) for one in REASONS])
    balance = models.DecimalField(max_digits=30, decimal_places=12)
    threshold = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    cap = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    charged_before = models.DecimalField(
        max_digits=30, decimal_places=12, default=Decimal(0), help_text="in the month so far, what is in flight included"
    )
    amount = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True, help_text="becomes credit")
    total = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True, help_text="is charged")
    method = models.ForeignKey(
        PaymentMethod, null=True, blank=True, on_delete=models.PROTECT, related_name="+", help_text="charged, or declined last"
    )
    top_up = models.OneToOneField(TopUp, null=True, blank=True, on_delete=models.PROTECT, related_name="recharge_decision")
    failure = models.CharField(max_length=300, blank=True, help_text="why it did not come to a charge")
    next_at = models.DateTimeField(null=True, blank=True, help_text="when it is possible again")
    day = models.DateField(null=True, blank=True, help_text="of the schedule")
    look_at = models.DateTimeField(null=True, blank=True, help_text="in flight: when somebody carries it on")
    asked_at = models.DateTimeField(null=True, blank=True, help_text="when the card's holder was asked to confirm")
    decided_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=STATES), name="recharge_decision_state_is_known"),
            models.CheckConstraint(
                condition=Q(state="NOT_DONE", reason__in=REASONS, top_up__isnull=True)
                | Q(~Q(state="NOT_DONE"), reason="", amount__gt=0, total__gt=0, method__isnull=False),
                name="recharge_decision_says_why_not",
            ),
            models.CheckConstraint(
                condition=Q(state="IN_FLIGHT", look_at__isnull=False, ended_at__isnull=True)
                | Q(~Q(state="IN_FLIGHT"), look_at__isnull=True, ended_at__isnull=False),
                name="recharge_decision_in_flight_is_carried_on",
            ),
            models.CheckConstraint(condition=~Q(state="SUCCEEDED", top_up__isnull=True), name="recharge_decision_paid_by"),
            models.UniqueConstraint(
                fields=["wallet"], condition=Q(state="IN_FLIGHT", day__isnull=True), name="recharge_one_in_flight"
            ),
            models.UniqueConstraint(fields=["wallet", "day", "method"], name="recharge_day_once_per_card"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["wallet", "id"], name="recharge_decision_of_wallet"),
            models.Index(fields=["wallet", "look_at"], condition=Q(state="IN_FLIGHT"), name="recharge_decision_in_flight"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(
                name="recharge_decision_moves",
                field="state",
                transitions=[(one, other) for one in MOVES for other in MOVES[one]],
            ),
            pgtrigger.Protect(name="recharge_decision_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="recharge_decision_stays",
                fields=[
                    "bucket", "public_id", "wallet", "cause", "reason", "balance", "threshold", "cap", "charged_before",
                    "amount", "total", "method", "next_at", "day", "decided_at",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id
