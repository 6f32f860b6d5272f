"""Auto-recharge over HTTP: the rule, the schedule, and every decision, in the words the customer reads."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets import clock
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField, WholeField
from wallets.balances.models import Wallet
from wallets.balances.queries import wallet_by_id
from wallets.recharge.configure import COOL_DOWN, RechargeTerms, set_auto_recharge
from wallets.recharge.log import decisions_of, text_of
from wallets.recharge.models import RechargeDecision
from wallets.recharge.queries import rule_of, schedule_of
from wallets.recharge.schedule import schedule_top_up

EXAMPLE_RULE: Final = {
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "is_on": True,
    "threshold": "10.00",
    "amount": "50.00",
    "target": None,
    "monthly_cap": "500.00",
    "cool_down_seconds": 300,
    "changed_at": "2026-11-23T10:00:00Z",
    "changed_by": "ada@acme.example",
}
EXAMPLE_SCHEDULE: Final = {
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "is_on": True,
    "amount": "100.00",
    "day": 1,
    "next_at": "2026-12-01T00:00:00Z",
}
EXAMPLE_DECISION: Final = {
    "id": "rch_4fW8nQ2xK7vR1mZ9cT5bYh",
    "at": "2026-11-23T10:00:00Z",
    "cause": "crossing",
    "status": "not_done",
    "reason": "cap_reached",
    "text": "balance 4.10 below 5.00; not recharged: monthly cap 200.00 reached, next possible 1 Dec",
    "balance": "4.10",
    "amount": "50.00",
    "total": "50.00",
    "top_up": None,
    "needs_confirmation": False,
    "next_at": "2026-12-01T00:00:00Z",
}


class AutoRechargeIn(Body):
    """A rule: either an amount or a target."""

    is_on = serializers.BooleanField(required=False, default=True)
    threshold = AmountField(help_text="recharge when the balance falls below it")
    amount = AmountField(required=False, help_text="credit bought each time")
    target = AmountField(required=False, help_text="buy what is missing to this balance instead")
    monthly_cap = AmountField(help_text="charged at most in a month of the account's time zone, tax and fee included")
    cool_down_seconds = WholeField(required=False, help_text="from one recharge to the next; left out: 300")


class AutoRechargeOut(serializers.Serializer[Any]):
    """A wallet's rule; one that never had a rule is off and has no figures."""

    wallet = TextField(source="wallet.public_id")
    is_on = serializers.BooleanField()
    threshold = AmountField(allow_null=True)
    amount = AmountField(allow_null=True)
    target = AmountField(allow_null=True)
    monthly_cap = AmountField(allow_null=True)
    cool_down_seconds = WholeField()
    changed_at = MomentField(allow_null=True)
    changed_by = TextField()


class ScheduleIn(Body):
    """A top-up every month."""

    is_on = serializers.BooleanField(required=False, default=True)
    amount = AmountField()
    day = WholeField(help_text="of the month, 1 to 31; a shorter month's last day; in the account's time zone")


class ScheduleOut(serializers.Serializer[Any]):
    """A wallet's top-up of the calendar; one that never had one is off."""

    wallet = TextField(source="wallet.public_id")
    is_on = serializers.BooleanField()
    amount = AmountField(allow_null=True)
    day = WholeField(allow_null=True)
    next_at = MomentField(allow_null=True)


class DecisionOut(serializers.Serializer[Any]):
    """One decision: what was charged, or why nothing was."""

    id = TextField(source="public_id")
    at = MomentField(source="decided_at")
    cause = TextField(help_text="crossing: a debit fell below; look: a later look; schedule: a day of the calendar")
    status = LowerField(source="state", help_text="not_done, in_flight, succeeded or failed")
    reason = TextField(help_text="why not: cap_reached, cooling_down, card_declined, card_stopped, no_card, …; else empty")
    text = serializers.SerializerMethodField(help_text="the decision as a sentence, as the customer reads it")
    balance = AmountField()
    amount = AmountField(allow_null=True, help_text="would become credit")
    total = AmountField(allow_null=True, help_text="would be charged, with tax and fee")
    top_up = TextField(source="top_up.public_id", default=None, allow_null=True)
    needs_confirmation = serializers.SerializerMethodField(help_text="the card's holder has to confirm, on the top-up's page")
    next_at = MomentField(allow_null=True, help_text="when it is possible again; null: when somebody does something")

    def get_text(self, decision: RechargeDecision) -> str:
        """As everybody reads it."""
        return text_of(decision)

    def get_needs_confirmation(self, decision: RechargeDecision) -> bool:
        """It waits for the card's holder."""
        return decision.state == "IN_FLIGHT" and decision.asked_at is not None


class WalletAutoRecharge(APIView):
    """A wallet's rule."""

    required_scope: ClassVar = {"GET": "accounts:read", "PUT": "wallets:write"}

    @extend_schema(
        operation_id="read_auto_recharge",
        responses=AutoRechargeOut,
        examples=[OpenApiExample("The rule", value=EXAMPLE_RULE, response_only=True)],
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        """Read when a wallet recharges itself, by how much, and how much a month may cost."""
        wallet = _wallet(request, wallet_id)
        return Response(AutoRechargeOut(rule_of(wallet)).data)

    @extend_schema(
        operation_id="set_auto_recharge",
        request=AutoRechargeIn,
        responses=AutoRechargeOut,
        examples=[
            OpenApiExample(
                "Fifty below ten", value={"threshold": "10", "amount": "50", "monthly_cap": "500"}, request_only=True
            ),
            OpenApiExample("The rule", value=EXAMPLE_RULE, response_only=True),
        ],
    )
    def put(self, request: Request, wallet_id: str) -> Response:
        """Set the rule in place of the one there was. Declines so far are forgotten, and the balance is looked at at once."""
        wallet = _wallet(request, wallet_id)
        said = AutoRechargeIn.read(request)
        terms = RechargeTerms(
            threshold=said["threshold"],
            monthly_cap=said["monthly_cap"],
            amount=said.get("amount"),
            target=said.get("target"),
            cool_down_seconds=said.get("cool_down_seconds", int(COOL_DOWN.total_seconds())),
        )
        actor = caller_of(request).actor
        set_auto_recharge(wallet_id=wallet.pk, terms=terms, is_on=said["is_on"], at=clock.now(), actor=actor)
        return Response(AutoRechargeOut(rule_of(wallet)).data)


class WalletSchedule(APIView):
    """A wallet's top-up of the calendar."""

    required_scope: ClassVar = {"GET": "accounts:read", "PUT": "wallets:write"}

    @extend_schema(
        operation_id="read_scheduled_top_up",
        responses=ScheduleOut,
        examples=[OpenApiExample("The first of each month", value=EXAMPLE_SCHEDULE, response_only=True)],
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        """Read which day of the month a wallet is topped up, and by how much."""
        return Response(ScheduleOut(schedule_of(_wallet(request, wallet_id))).data)

    @extend_schema(
        operation_id="set_scheduled_top_up",
        request=ScheduleIn,
        responses=ScheduleOut,
        examples=[OpenApiExample("The first of each month", value={"amount": "100", "day": 1}, request_only=True)],
    )
    def put(self, request: Request, wallet_id: str) -> Response:
        """Top the wallet up every month from the next such day on. The cap of auto-recharge does not count it."""
        wallet = _wallet(request, wallet_id)
        said = ScheduleIn.read(request)
        schedule_top_up(wallet_id=wallet.pk, at=clock.now(), actor=caller_of(request).actor, **said)
        return Response(ScheduleOut(schedule_of(wallet)).data)


class WalletRechargeDecisions(GenericAPIView[Any]):
    """A wallet's decision log."""

    required_scope = "accounts:read"
    page_by = "-id"
    serializer_class = DecisionOut

    @extend_schema(
        operation_id="list_recharge_decisions",
        responses=DecisionOut(many=True),
        examples=[OpenApiExample("Not recharged", value=EXAMPLE_DECISION, response_only=True)],
    )
    def get(self, request: Request, wallet_id: str) -> Response:
        """List why a wallet was recharged or was not, newest first."""
        wallet = _wallet(request, wallet_id)
        page = self.paginate_queryset(decisions_of(wallet_id=wallet.pk))
        return self.get_paginated_response(DecisionOut(page, many=True).data)


def _wallet(request: Request, wallet_id: str) -> Wallet:
    return wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
