"""Money that goes back.

A refund takes the credit of a top-up out of the lot it gave, under the wallet's lock, and is committed before the provider is
asked, with its id as the key; the provider's answer settles it (`settle.py`). A dispute is the bank taking a payment back:
its credit is frozen while it is open. A withdrawal is a customer's wish for unused paid credit, paid as refunds, the oldest
payment first.

    total  = credit + tax + fee        is paid              (constraints refund_total_is_its_parts, dispute_total_is_its_parts)
    credit = from_lot + owed           what the lot still held, and what was used already and is owed now (overdraft)

States move as `states.py` says (triggers refund_moves, dispute_moves, withdrawal_moves). One provider's refund or dispute is
one row (refund_at_provider_once, dispute_at_provider_once); refunds never exceed their payment (trigger
refund_not_more_than_paid). Money and terms stay (refund_terms_stay, dispute_terms_stay, withdrawal_terms_stay).
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any, ClassVar

import pgtrigger
from django.db import models
from django.db.models import F, Q

from wallets.accounts.models import User
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.holds.models import Hold
from wallets.ids import new_public_id
from wallets.payments.models import TopUp
from wallets.refunds.states import (
    DISPUTE_MOVES,
    DISPUTE_STATES,
    REFUND_MOVES,
    REFUND_STATES,
    WITHDRAWAL_MOVES,
    WITHDRAWAL_STATES,
)


def new_refund_id() -> str:
    """ref_…"""
    return new_public_id("ref")


def new_dispute_id() -> str:
    """dsp_…"""
    return new_public_id("dsp")


def new_withdrawal_id() -> str:
    """wdr_…"""
    return new_public_id("wdr")


def _money(help_text: str = "", **options: Any) -> models.DecimalField[Any, Any]:
    return models.DecimalField(max_digits=30, decimal_places=12, help_text=help_text, **options)


class Withdrawal(models.Model):
    """A customer's wish for unused paid credit."""

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_withdrawal_id)
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="withdrawals")
    state = models.CharField(max_length=9, choices=[(one, one) for one in WITHDRAWAL_STATES], default="REQUESTED")
    currency = models.CharField(max_length=16)
    amount = _money("paid credit; tax paid on it goes back beside")
    paid = _money("money that was sent, with tax", default=Decimal(0))
    asked_by = models.ForeignKey(User, on_delete=models.PROTECT, related_name="withdrawals")
    second_factor = models.BooleanField(default=False, help_text="who asked was known by more than a password")
    note = models.CharField(max_length=500, blank=True, help_text="in the customer's words")
    hold = models.OneToOneField(Hold, null=True, blank=True, on_delete=models.PROTECT, related_name="withdrawal")
    approval = models.OneToOneField(Approval, null=True, blank=True, on_delete=models.PROTECT, related_name="withdrawal")
    confirm_by = models.DateTimeField(help_text="the link in the e-mail works until then")
    confirmed_at = models.DateTimeField(null=True, blank=True)
    payable_at = models.DateTimeField(null=True, blank=True, help_text="it is not paid before; until then it can be cancelled")
    failure = models.CharField(max_length=300, blank=True)
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=WITHDRAWAL_STATES), name="withdrawal_state_is_known"),
            models.CheckConstraint(condition=Q(amount__gt=0, paid__gte=0), name="withdrawal_amounts"),
            models.CheckConstraint(
                condition=~Q(state__in=["CONFIRMED", "APPROVED"]) | Q(hold__isnull=False, payable_at__isnull=False),
                name="withdrawal_confirmed_has_its_hold",
            ),
            models.UniqueConstraint(
                fields=["wallet"],
                condition=Q(state__in=["REQUESTED", "CONFIRMED", "APPROVED", "PAYING"]),
                name="withdrawal_one_at_a_time",
            ),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(
                fields=["moved_at"],
                condition=Q(state__in=["REQUESTED", "CONFIRMED", "APPROVED", "PAYING"]),
                name="withdrawal_under_way",
            ),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(
                name="withdrawal_moves",
                field="state",
                transitions=[(one, other) for one in WITHDRAWAL_MOVES for other in WITHDRAWAL_MOVES[one]],
            ),
            pgtrigger.Protect(name="withdrawal_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="withdrawal_terms_stay",
                fields=["bucket", "public_id", "wallet", "currency", "amount", "asked_by", "note", "confirm_by", "created_at"],
            ),
        ]

    def __str__(self) -> str:
        return self.public_id


class Refund(models.Model):
    """Part of a top-up's money, given back."""

    class Origin(models.TextChoices):
        FINANCE = "finance"
        API = "api"
        WITHDRAWAL = "withdrawal"
        PROVIDER = "provider"

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_refund_id)
    top_up = models.ForeignKey(TopUp, on_delete=models.PROTECT, related_name="refunds")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="refunds", db_index=False)
    state = models.CharField(max_length=9, choices=[(one, one) for one in REFUND_STATES])
    currency = models.CharField(max_length=16)
    credit = _money("paid credit that is taken back")
    tax = _money(default=Decimal(0))
    fee = _money(default=Decimal(0))
    total = _money("money: credit + tax + fee")
    from_lot = _money("of the credit, what the lot held", default=Decimal(0))
    owed = _money("of the credit, what was used already", default=Decimal(0))
    bonus = _money("promotional credit taken back beside", default=Decimal(0))
    provider = models.CharField(max_length=20)
    provider_ref = models.CharField(  # noqa: DJ001 - unique once there is one
        max_length=200, null=True, blank=True, help_text="the provider's refund, or the bank's reference"
    )
    origin = models.CharField(max_length=10, choices=Origin)
    overrides = models.BooleanField(default=False, help_text="credit that was used already may be refunded too")
    request_key = models.CharField(  # noqa: DJ001 - unique if there is one
        max_length=300, null=True, blank=True, help_text="whoever asks twice gets the same refund"
    )
    withdrawal = models.ForeignKey(Withdrawal, null=True, blank=True, on_delete=models.PROTECT, related_name="refunds")
    approval = models.OneToOneField(Approval, null=True, blank=True, on_delete=models.PROTECT, related_name="refund")
    reason = models.CharField(max_length=120)
    note = models.CharField(max_length=500, blank=True)
    actor = models.CharField(max_length=200, blank=True)
    failure_code = models.CharField(max_length=60, blank=True)
    tries = models.SmallIntegerField(default=0)
    next_try_at = models.DateTimeField()
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=REFUND_STATES), name="refund_state_is_known"),
            models.CheckConstraint(
                condition=Q(credit__gte=0, tax__gte=0, fee__gte=0, from_lot__gte=0, owed__gte=0, bonus__gte=0, total__gt=0),
                name="refund_amounts",
            ),
            models.CheckConstraint(condition=Q(total=F("credit") + F("tax") + F("fee")), name="refund_total_is_its_parts"),
            models.CheckConstraint(
                condition=Q(state__in=["WAITING", "DECLINED"], from_lot=0, owed=0, bonus=0)
                | Q(~Q(state__in=["WAITING", "DECLINED"]), credit=F("from_lot") + F("owed")),
                name="refund_credit_comes_from_somewhere",
            ),
            models.CheckConstraint(
                condition=Q(overrides=False) | Q(approval__isnull=False), name="refund_overrides_only_with_approval"
            ),
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="refund_at_provider_once"),
            models.UniqueConstraint(fields=["request_key"], name="refund_request_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["wallet", "id"], name="refund_of_wallet"),
            models.Index(fields=["next_try_at"], condition=Q(state__in=["CREATED", "PENDING"]), name="refund_on_its_way"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(
                name="refund_moves",
                field="state",
                transitions=[(one, other) for one in REFUND_MOVES for other in REFUND_MOVES[one]],
            ),
            pgtrigger.Protect(name="refund_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="refund_terms_stay",
                fields=[
                    "bucket", "public_id", "top_up", "wallet", "currency", "credit", "tax", "fee", "total", "provider",
                    "origin", "overrides", "request_key", "withdrawal", "approval", "reason", "note", "actor", "created_at",
                ],
            ),
            pgtrigger.Trigger(
                name="refund_not_more_than_paid",
                when=pgtrigger.After,
                operation=pgtrigger.Insert | pgtrigger.Update,
                func="""
                    IF (SELECT sum(r.total) FROM wallets_refund r WHERE r.bucket = NEW.bucket AND r.top_up_id = NEW.top_up_id
                            AND r.state IN ('CREATED', 'PENDING', 'SUCCEEDED'))
                       > (SELECT t.total FROM wallets_topup t WHERE t.bucket = NEW.bucket AND t.id = NEW.top_up_id) THEN
                        RAISE EXCEPTION 'refunds of top-up row % exceed what was paid', NEW.top_up_id
                            USING ERRCODE = 'check_violation';
                    END IF;
                    RETURN NULL;
                """,
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id


class Dispute(models.Model):
    """A payment that the customer's bank takes back."""

    bucket = models.SmallIntegerField()
    public_id = models.CharField(max_length=32, unique=True, default=new_dispute_id)
    top_up = models.ForeignKey(TopUp, on_delete=models.PROTECT, related_name="disputes")
    wallet = models.ForeignKey(Wallet, on_delete=models.PROTECT, related_name="disputes", db_index=False)
    state = models.CharField(max_length=8, choices=[(one, one) for one in DISPUTE_STATES], default="INQUIRY")
    currency = models.CharField(max_length=16)
    total = _money("what the bank takes")
    credit = _money(default=Decimal(0))
    tax = _money(default=Decimal(0))
    fee = _money(default=Decimal(0))
    from_lot = _money("of the credit, what the lot held: frozen", default=Decimal(0))
    owed = _money("of the credit, what was used already", default=Decimal(0))
    bonus = _money("promotional credit frozen beside", default=Decimal(0))
    written_off = _money("of what was owed, what was lost", default=Decimal(0))
    provider = models.CharField(max_length=20)
    provider_ref = models.CharField(max_length=200)
    reason = models.CharField(max_length=60, blank=True, help_text="fraudulent, product_not_received … as the bank says")
    evidence_due_at = models.DateTimeField(null=True, blank=True)
    froze_wallet = models.BooleanField(default=False)
    opened_at = models.DateTimeField(help_text="at the provider")
    created_at = models.DateTimeField()
    moved_at = models.DateTimeField()

    class Meta:
        app_label = "wallets"
        constraints: ClassVar[list[models.BaseConstraint]] = [
            models.CheckConstraint(condition=Q(state__in=DISPUTE_STATES), name="dispute_state_is_known"),
            models.CheckConstraint(
                condition=Q(
                    credit__gte=0,
                    tax__gte=0,
                    fee__gte=0,
                    from_lot__gte=0,
                    owed__gte=0,
                    bonus__gte=0,
                    written_off__gte=0,
                    total__gt=0,
                ),
                name="dispute_amounts",
            ),
            models.CheckConstraint(
                condition=Q(state__in=["OPEN", "LOST"], total=F("credit") + F("tax") + F("fee"))
                | ~Q(state__in=["OPEN", "LOST"]),
                name="dispute_total_is_its_parts",
            ),
            models.CheckConstraint(condition=Q(credit=F("from_lot") + F("owed")), name="dispute_credit_comes_from_somewhere"),
            models.UniqueConstraint(fields=["provider", "provider_ref"], name="dispute_at_provider_once"),
        ]
        indexes: ClassVar[list[models.Index]] = [
            models.Index(fields=["evidence_due_at"], condition=Q(state__in=["INQUIRY", "OPEN"]), name="dispute_undecided"),
            models.Index(fields=["wallet", "id"], name="dispute_of_wallet"),
        ]
        triggers: ClassVar[list[pgtrigger.Trigger]] = [
            pgtrigger.FSM(
                name="dispute_moves",
                field="state",
                transitions=[(one, other) for one in DISPUTE_MOVES for other in DISPUTE_MOVES[one]],
            ),
            pgtrigger.Protect(name="dispute_is_never_deleted", operation=pgtrigger.Delete),
            pgtrigger.ReadOnly(
                name="dispute_terms_stay",
                fields=[
                    "bucket", "public_id", "top_up", "wallet", "currency", "provider", "provider_ref", "opened_at",
                    "created_at",
                ],
            ),
        ]  # fmt: skip

    def __str__(self) -> str:
        return self.public_id
