"""A plan is what a customer subscribes to: a fee per month or year, allowances (units of meters included in it), the price
book for its usage and for what goes beyond, a trial. A plan never changes (trigger plan_terms_stay): a change is the next
version, and subscribers stay on theirs until they are moved.

A subscription is an account's use of a plan, paid from one wallet. Its periods are counted in months from `anchor_at` on the
wall clock of its time zone; `months_begun` months are begun, so the next period starts so many months after the anchor. A
period is begun once (constraint period_once_per_subscription), in one transaction under the wallet's lock: its fee (PeriodFee,
a FEE entry in the journal), its allowances (PeriodAllowance, each a credit lot) and what rolled over into it, each leftover
once (constraint allowance_rolls_over_once). Period 0 is the trial. States move as `states.py` says (trigger
subscription_moves); each move is a line of the subscription's history, which is append-only.
"""

from __future__ import annotations

from decimal import Decimal
from typing import ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from pricing.books.models import PriceBook
from pricing.meters.models import Meter
from pricing.plans.states import LIVE, MOVES, STATES
from wallets.accounts.models import Account
from wallets.append_only import append_only
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.ids import new_public_id


def new_plan_id() -> str:
    """pln_…"""
    return new_public_id("pln")


def new_subscription_id() -> str:
    """sub_…"""
    return new_public_id("sub")


class Plan(models.Model):
    """One version of a plan."""

    class Interval(models.TextChoices):
        MONTH = "month"
        YEAR = "year"

    public_id = models.CharField(max_length=32, unique=True, default=new_plan_id)
    code = models.CharField(max_length=60)
    version = models.PositiveIntegerField(default=1)
    name = models.CharField(max_length=200)
    currency = models.CharField(max_length=16)
    fee = models.DecimalField(max_digits=30, decimal_places=12, help_text="per interval")
    interval = models.CharField(max_length=5, choices=Interval)
    price_book = models.ForeignKey(
        PriceBook, null=True, blank=True, on_delete=models.PROTECT, related_name="plans", help_text="for usage and overage"
    )
    trial_days = models.PositiveSmallIntegerField(default=0)
    trial_credit = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))
    created_at = models.DateTimeField()
    closed_at = models.DateTimeField(null=True, blank=True, help_text="nobody subscribes to it any more")

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["code", "version"], name="plan_version_once_per_code"),
            models.UniqueConstraint(fields=["code"], condition=Q(closed_at__isnull=True), name="plan_one_open_version"),
            models.CheckConstraint(condition=Q(fee__gte=0), name="plan_fee_not_negative"),
            models.CheckConstraint(condition=Q(trial_credit__gte=0), name="plan_trial_credit_not_negative"),
            models.CheckConstraint(condition=Q(interval__in=["month", "year"]), name="plan_interval_is_known"),
            models.CheckConstraint(condition=Q(code__regex=r"^[a-z0-9][a-z0-9._-]{0,59}$"), name="plan_code_is_printable"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="plan_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="plan_terms_stay",
                fields=[
                    "code", "version", "name", "currency", "fee", "interval", "price_book", "trial_days", "trial_credit",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return f"{self.name} version {self.version}"

    @property
    def fee_code(self) -> str:
        """What its fee is booked as."""
        return f"subscription:{self.code}"

    @property
    def months(self) -> int:
        """How long its interval is."""
        return 12 if self.interval == self.Interval.YEAR else 1


class PlanAllowance(models.Model):
    """Units of a meter that a plan includes in each period."""

    class RollOver(models.TextChoices):
        NONE = "none"
        CAPPED = "capped"
        FULL = "full"

    class OnExhaustion(models.TextChoices):
        BLOCK = "block"
        OVERAGE = "overage"

    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="allowances")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    roll_over = models.CharField(max_length=6, choices=RollOver, default=RollOver.NONE)
    roll_over_cap = models.DecimalField(max_digits=30, decimal_places=12, null=True, blank=True)
    roll_over_periods = models.PositiveSmallIntegerField(null=True, blank=True, help_text="units go on for at most so many")
    on_exhaustion = models.CharField(max_length=7, choices=OnExhaustion, default=OnExhaustion.OVERAGE)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["plan", "meter"], name="allowance_once_per_plan_and_meter"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="allowance_quantity_positive"),
            models.CheckConstraint(
                condition=Q(roll_over="capped", roll_over_cap__isnull=False, roll_over_cap__gte=0)
                | (Q(roll_over__in=["none", "full"]) & Q(roll_over_cap__isnull=True)),
                name="allowance_cap_goes_with_capped",
            ),
            models.CheckConstraint(
                condition=Q(roll_over_periods__isnull=True) | (Q(roll_over_periods__gte=1) & ~Q(roll_over="none")),
                name="allowance_periods_go_with_roll_over",
            ),
            models.CheckConstraint(
                condition=Q(on_exhaustion__in=["block", "overage"]), name="allowance_on_exhaustion_is_known"
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("plan_allowance"),
            pgtrigger.Trigger(
                name="plan_with_subscribers_gets_no_allowance",
                level=pgtrigger.Row,
                when=pgtrigger.Before,
                operation=pgtrigger.Insert,
                func="""
                    IF EXISTS (SELECT 1 FROM pricing_subscription WHERE plan_id = NEW.plan_id) THEN
                        RAISE EXCEPTION 'a plan with subscribers never changes' USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NEW;
                """,
            ),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.meter_id}"


class Subscription(models.Model):
    """An account's use of a plan."""

    class State(models.TextChoices):
        TRIALING = "TRIALING"
        ACTIVE = "ACTIVE"
        PAST_DUE = "PAST_DUE"
        PAUSED = "PAUSED"
        CANCELLED = "CANCELLED"

    class PayBy(models.TextChoices):
        WALLET = "wallet"
        CARD = "card"

    public_id = models.CharField(max_length=32, unique=True, default=new_subscription_id)
    account = models.ForeignKey(Account, on_delete=models.PROTECT, related_name="subscriptions")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="subscriptions")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="subscriptions")
    plan_code = models.CharField(max_length=60)
    next_plan = models.ForeignKey(Plan, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    state = models.CharField(max_length=9, choices=State)
    pay_by = models.CharField(max_length=6, choices=PayBy, default=PayBy.WALLET)
    time_zone = models.CharField(max_length=64)
    anchor_at = models.DateTimeField()
    months_begun = models.PositiveIntegerField(default=0)
    period_index = models.PositiveIntegerField()
    period_start = models.DateTimeField()
    period_end = models.DateTimeField()
    cancel_at_period_end = models.BooleanField(default=False)
    next_due_at = models.DateTimeField(null=True, blank=True, help_text="when the sweep has something to do")
    prepared = models.BooleanField(default=False, help_text="the units of the next period wait for its start")
    attempts = models.PositiveSmallIntegerField(default=0, help_text="at collecting the fee that is due")
    tried_at = models.DateTimeField(null=True, blank=True, help_text="when the fee that is due was last not paid")
    past_due_since = models.DateTimeField(null=True, blank=True)
    book_before = models.ForeignKey(PriceBook, null=True, blank=True, on_delete=models.PROTECT, related_name="+")
    created_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(
                fields=["account", "plan_code"], condition=Q(state__in=LIVE), name="subscription_one_live_per_account_and_plan"
            ),
            models.CheckConstraint(condition=Q(state__in=STATES), name="subscription_state_is_known"),
            models.CheckConstraint(condition=Q(pay_by__in=["wallet", "card"]), name="subscription_pay_by_is_known"),
            models.CheckConstraint(condition=Q(period_end__gt=F("period_start")), name="subscription_period_has_a_length"),
            models.CheckConstraint(
                condition=Q(state__in=["PAUSED", "CANCELLED"], next_due_at__isnull=True)
                | (~Q(state__in=["PAUSED", "CANCELLED"]) & Q(next_due_at__isnull=False)),
                name="subscription_due_exactly_while_it_runs",
            ),
            models.CheckConstraint(
                condition=Q(state="CANCELLED", ended_at__isnull=False) | (~Q(state="CANCELLED") & Q(ended_at__isnull=True)),
                name="subscription_ended_exactly_when_cancelled",
            ),
            models.CheckConstraint(
                condition=Q(state="PAST_DUE", past_due_since__isnull=False)
                | (~Q(state="PAST_DUE") & Q(past_due_since__isnull=True)),
                name="subscription_past_due_since_goes_with_its_state",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["next_due_at"], condition=Q(next_due_at__isnull=False), name="subscription_due"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="subscription_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="subscription_wallet_stays", fields=["public_id", "account", "wallet", "time_zone"]),
            pgtrigger.FSM(
                name="subscription_moves",
                field="state",
                transitions=[(before, after) for before, states in MOVES.items() for after in states],
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class SubscriptionPeriod(models.Model):
    """One period that was begun; 0 is the trial."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="periods")
    index = models.PositiveIntegerField()
    starts_at = models.DateTimeField()
    ends_at = models.DateTimeField()
    trial_lot = models.ForeignKey(CreditLot, null=True, on_delete=models.PROTECT, related_name="+")
    begun_at = models.DateTimeField()

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["subscription", "index"], name="period_once_per_subscription"),
            models.CheckConstraint(condition=Q(ends_at__gt=F("starts_at")), name="period_has_a_length"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="period_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="period_start_stays", fields=["subscription", "index", "starts_at"]),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.index}"


class PeriodFee(models.Model):
    """The fee of a plan for a period, or for what was left of it from `since` on; `refunded` of it was given back."""

    period = models.ForeignKey(SubscriptionPeriod, on_delete=models.PROTECT, related_name="fees")
    plan = models.ForeignKey(Plan, on_delete=models.PROTECT, related_name="+")
    since = models.DateTimeField()
    amount = models.DecimalField(max_digits=30, decimal_places=12)
    entry_id = models.BigIntegerField(null=True, help_text="the journal entry; none for a fee of nothing")
    refunded = models.DecimalField(max_digits=30, decimal_places=12, default=Decimal(0))

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(
                condition=Q(amount=0, entry_id__isnull=True) | Q(amount__gt=0, entry_id__isnull=False),
                name="fee_has_an_entry_unless_nothing",
            ),
            models.CheckConstraint(condition=Q(refunded__gte=0, refunded__lte=F("amount")), name="fee_refunded_at_most_once"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.Protect(name="period_fee_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(name="period_fee_stays", fields=["period", "plan", "since", "amount", "entry_id"]),
        ]

    def __str__(self) -> str:
        return f"{self.amount} of {self.period_id}"


class PeriodAllowance(models.Model):
    """Units a period got, and the lot that holds them. `origin`: the period they were granted in first. `rolled_from`: the
    lot they were left over in. Without a lot: the period had passed before it was begun."""

    period = models.ForeignKey(SubscriptionPeriod, on_delete=models.PROTECT, related_name="allowances")
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    origin = models.PositiveIntegerField()
    quantity = models.DecimalField(max_digits=30, decimal_places=12)
    lot = models.OneToOneField(CreditLot, null=True, on_delete=models.PROTECT, related_name="+")
    rolled_from = models.ForeignKey(CreditLot, null=True, on_delete=models.PROTECT, related_name="+")

    class Meta:
        app_label = "pricing"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.UniqueConstraint(fields=["rolled_from"], name="allowance_rolls_over_once"),
            models.CheckConstraint(condition=Q(quantity__gt=0), name="period_allowance_quantity_positive"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("period_allowance"),
        ]

    def __str__(self) -> str:
        return f"{self.quantity} of {self.meter_id} in {self.period_id}"


class PreparedAllowance(models.Model):
    """A lot granted for period `index` before it began, so that its first event finds it (`prepare.py`)."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="prepared_allowances")
    index = models.PositiveIntegerField()
    meter = models.ForeignKey(Meter, on_delete=models.PROTECT, related_name="+")
    lot = models.OneToOneField(CreditLot, on_delete=models.PROTECT, related_name="+")

    class Meta:
        app_label = "pricing"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [*append_only("prepared_allowance")]

    def __str__(self) -> str:
        return f"{self.meter_id} for {self.subscription_id} {self.index}"


class SubscriptionChange(models.Model):
    """A line of a subscription's history: what happened, from which state to which, who did it and why."""

    subscription = models.ForeignKey(Subscription, on_delete=models.PROTECT, related_name="changes")
    at = models.DateTimeField()
    what = models.CharField(max_length=300)
    before = models.CharField(max_length=9, blank=True)
    after = models.CharField(max_length=9)
    reason = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=200, blank=True)

    class Meta:
        app_label = "pricing"
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            *append_only("subscription_change"),
        ]

    def __str__(self) -> str:
        return f"{self.subscription_id} {self.what}"
