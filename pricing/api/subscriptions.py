"""Subscriptions over HTTP: subscribe, list, read with periods and history, change, pause, resume, cancel.

Subscribing, changing and resuming may ask a card's bank, which no transaction may wait for, so they take no Idempotency-Key:
sent twice, the second one is refused with what the first one did.
"""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.plans.cancel import cancel_subscription
from pricing.plans.change import change_plan
from pricing.plans.models import Plan, Subscription
from pricing.plans.pause import pause_subscription, resume_subscription
from pricing.plans.queries import changes_of, periods_of, plan_on_sale, subscription_by_id, subscriptions_seen
from pricing.plans.subscribe import subscribe
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField, WholeField
from wallets.balances.models import Wallet
from wallets.errors import InvalidInput, NotFound

EXAMPLE_SUBSCRIPTION: Final = {
    "id": "sub_4kW8qN2vB7xR1mZ9pL5cTd",
    "account": "acme",
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "plan": "pln_6sR3vH7dK2pQ9wXb4mT1zN",
    "plan_code": "pro",
    "plan_version": 1,
    "next_plan": None,
    "state": "active",
    "pay_by": "wallet",
    "time_zone": "Europe/Berlin",
    "period": 3,
    "period_start": "2027-01-30T23:00:00Z",
    "period_end": "2027-02-27T23:00:00Z",
    "cancel_at_period_end": False,
    "past_due_since": None,
    "created_at": "2026-11-29T23:00:00Z",
    "ended_at": None,
}


class NewSubscriptionIn(Body):
    """What to subscribe to."""

    plan = TextField(help_text="its code, or the id of a version")
    wallet = TextField(required=False, allow_null=True, help_text="left out: the default one in the plan's currency")
    pay_by = TextField(required=False, help_text="wallet or card")


class ChangePlanIn(Body):
    """Another plan."""

    plan = TextField(help_text="its code, or the id of a version")
    when = TextField(required=False, allow_null=True, help_text="now or period_end; left out: upgrades now, the rest later")
    reason = TextField(required=False)


class CancelIn(Body):
    """When and why it ends."""

    now = serializers.BooleanField(required=False, help_text="left out: at the end of the period")
    refund = serializers.BooleanField(required=False, help_text="with now: give the unused part of the fee back; left out: yes")
    reason = TextField(required=False)


class WhyIn(Body):
    """Why."""

    reason = TextField(required=False)


class SubscriptionOut(serializers.Serializer[Any]):
    """A subscription."""

    id = TextField(source="public_id")
    account = TextField(source="account.key")
    wallet = TextField(source="wallet.public_id")
    plan = TextField(source="plan.public_id")
    plan_code = TextField()
    plan_version = WholeField(source="plan.version")
    next_plan = serializers.SerializerMethodField()
    state = LowerField(help_text="trialing, active, past_due, paused or cancelled")
    pay_by = TextField()
    time_zone = TextField()
    period = WholeField(source="period_index", help_text="0 is the trial")
    period_start = MomentField()
    period_end = MomentField()
    cancel_at_period_end = serializers.BooleanField()
    past_due_since = MomentField(allow_null=True)
    created_at = MomentField()
    ended_at = MomentField(allow_null=True)

    def get_next_plan(self, subscription: Any) -> str | None:
        """The plan it changes to at the end of the period."""
        return None if subscription.next_plan is None else str(subscription.next_plan.public_id)


class FeeOut(serializers.Serializer[Any]):
    """The fee of a plan for a period, or the rest of it."""

    plan = TextField(source="plan.public_id")
    since = MomentField()
    amount = AmountField()
    refunded = AmountField()


class PeriodAllowanceOut(serializers.Serializer[Any]):
    """Units a period got."""

    meter = TextField(source="meter.code")
    quantity = AmountField()
    remaining = AmountField(source="lot.remaining", default=None, allow_null=True)
    lot = TextField(source="lot.public_id", default=None, allow_null=True)
    granted_in = WholeField(source="origin", help_text="the period they were granted in first")
    rolled_from = TextField(source="rolled_from.public_id", default=None, allow_null=True, help_text="a lot")


class PeriodOut(serializers.Serializer[Any]):
    """A period of a subscription."""

    period = WholeField(source="index")
    starts_at = MomentField()
    ends_at = MomentField()
    fees = FeeOut(many=True)
    allowances = PeriodAllowanceOut(many=True)


class ChangeOut(serializers.Serializer[Any]):
    """A line of a subscription's history."""

    at = MomentField()
    what = TextField()
    before = LowerField()
    after = LowerField()
    reason = TextField()
    actor = TextField()


class OneSubscriptionOut(SubscriptionOut):
    """A subscription with its history, newest first."""

    history = ChangeOut(many=True)


HISTORY_SHOWN: Final = 100


def plan_named(name: str) -> Plan:
    """The plan a body names. Raises InvalidInput."""
    try:
        return plan_on_sale(name=name)
    except NotFound as error:
        raise InvalidInput(error.message, fields={"plan": "the code of a plan on sale, or a plan's id"}) from error


def answer(subscription: Subscription, *, status: int = 200) -> Response:
    """One subscription with its history."""
    history = ChangeOut(changes_of(subscription=subscription)[:HISTORY_SHOWN], many=True).data
    return Response({**SubscriptionOut(subscription).data, "history": history}, status=status)


def asked_for(request: Request, subscription_id: str) -> Subscription:
    """The subscription a request is about. Raises NotFound."""
    return subscription_by_id(public_id=subscription_id, only_account_id=caller_of(request).account_id)


class AccountSubscriptions(GenericAPIView[Any]):
    """An account's subscriptions."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "accounts:write"}
    vendor_only = ("POST",)
    page_by = "-id"
    serializer_class = SubscriptionOut

    @extend_schema(operation_id="list_subscriptions", responses=SubscriptionOut(many=True))
    def get(self, request: Request, key: str) -> Response:
        """List an account's subscriptions, newest first, cancelled ones too."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(subscriptions_seen(only_account_id=account.pk))
        return self.get_paginated_response(SubscriptionOut(page, many=True).data)

    @extend_schema(
        operation_id="subscribe",
        request=NewSubscriptionIn,
        responses={201: OneSubscriptionOut},
        examples=[
            OpenApiExample("To the plan on sale", value={"plan": "pro"}, request_only=True),
            OpenApiExample(
                "Subscribed", value={**EXAMPLE_SUBSCRIPTION, "history": []}, response_only=True, status_codes=["201"]
            ),
        ],
    )
    def post(self, request: Request, key: str) -> Response:
        """Subscribe: the first fee is charged and its allowances are granted at once, or the trial begins."""
        caller = caller_of(request)
        account = account_by_key(key=key, only_account_id=caller.account_id)
        values = NewSubscriptionIn.read(request)
        name = values.get("wallet")
        wallet = None if name is None else Wallet.objects.filter(account=account, public_id=name).first()
        if name is not None and wallet is None:
            raise InvalidInput("The account has no such wallet.", fields={"wallet": "the id of a wallet of the account"})
        made = subscribe(
            account=account,
            plan=plan_named(values["plan"]),
            wallet=wallet,
            pay_by=values.get("pay_by", "wallet"),
            at=clock.now(),
            actor=caller.actor,
        )
        return answer(made, status=201)


class OneSubscription(APIView):
    """A subscription."""

    required_scope = "accounts:read"

    @extend_schema(operation_id="read_subscription", responses=OneSubscriptionOut)
    def get(self, request: Request, subscription_id: str) -> Response:
        """Read a subscription with its history."""
        return answer(asked_for(request, subscription_id))


class SubscriptionPeriods(GenericAPIView[Any]):
    """A subscription's periods."""

    required_scope = "accounts:read"
    page_by = "-index"
    serializer_class = PeriodOut

    @extend_schema(operation_id="list_subscription_periods", responses=PeriodOut(many=True))
    def get(self, request: Request, subscription_id: str) -> Response:
        """List what each period cost and included, newest first."""
        page = self.paginate_queryset(periods_of(subscription=asked_for(request, subscription_id)))
        return self.get_paginated_response(PeriodOut(page, many=True).data)


class SubscriptionChangePlan(APIView):
    """Changing the plan."""

    required_scope = "accounts:write"
    vendor_only = True

    @extend_schema(
        operation_id="change_subscription_plan",
        request=ChangePlanIn,
        responses=OneSubscriptionOut,
        examples=[OpenApiExample("Upgrade", value={"plan": "team", "when": "now"}, request_only=True)],
    )
    def post(self, request: Request, subscription_id: str) -> Response:
        """Change the plan now, with fee and allowances by time, or at the end of the period."""
        subscription = asked_for(request, subscription_id)
        values = ChangePlanIn.read(request)
        changed = change_plan(
            subscription=subscription,
            plan=plan_named(values["plan"]),
            when=values.get("when"),
            reason=values.get("reason", ""),
            at=clock.now(),
            actor=caller_of(request).actor,
        )
        return answer(changed)


class SubscriptionPause(APIView):
    """Pausing."""

    required_scope = "accounts:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="pause_subscription", request=WhyIn, responses=OneSubscriptionOut)
    def post(self, request: Request, subscription_id: str) -> Response:
        """Renew nothing until it is resumed; what is paid for stays."""
        subscription = asked_for(request, subscription_id)
        values = WhyIn.read(request)
        return answer(pause_subscription(subscription=subscription, at=clock.now(), actor=caller_of(request).actor, **values))


class SubscriptionResume(APIView):
    """Resuming."""

    required_scope = "accounts:write"
    vendor_only = True

    @extend_schema(operation_id="resume_subscription", request=WhyIn, responses=OneSubscriptionOut)
    def post(self, request: Request, subscription_id: str) -> Response:
        """Go on after a pause, or take a cancellation at period end back."""
        subscription = asked_for(request, subscription_id)
        values = WhyIn.read(request)
        return answer(resume_subscription(subscription=subscription, at=clock.now(), actor=caller_of(request).actor, **values))


class SubscriptionCancel(APIView):
    """Cancelling."""

    required_scope = "accounts:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="cancel_subscription",
        request=CancelIn,
        responses=OneSubscriptionOut,
        examples=[OpenApiExample("Now", value={"now": True, "refund": True, "reason": "Moves away"}, request_only=True)],
    )
    def post(self, request: Request, subscription_id: str) -> Response:
        """Cancel at the end of the period, or now."""
        subscription = asked_for(request, subscription_id)
        values = CancelIn.read(request)
        return answer(cancel_subscription(subscription=subscription, at=clock.now(), actor=caller_of(request).actor, **values))
