"""POST /authorize: the gate for a vendor's own services. Says whether a call may go ahead; nothing is reserved by it yet."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar, get_args

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.api.gate_check import balance_headers
from metering.gate.check import UnknownAccount, check_account
from metering.gate.decide import Decision, Reason, Verdict
from metering.gate.estimate import price_estimate
from metering.gate.quotas import stop_at_quota
from metering.gate.top_up import top_up_url
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, TextField, WholeField
from wallets.api_keys.verify import Caller
from wallets.errors import NotFound
from wallets.ids import new_public_id
from wallets.input import Input
from wallets.money import to_scale

EXAMPLE_CALL = {
    "account": "acme",
    "type": "llm.request",
    "properties": {"model": "gpt-5", "input_tokens": 800, "output_tokens": 200},
}
EXAMPLE_DECISION = {
    "decision": "allow",
    "reason": None,
    "available": "41.20",
    "currency": "USD",
    "retry_after": None,
    "top_up_url": "https://billing.example/portal/top-up?account=acme",
    "authorization": "auth_5Yf0zK3vQm8nR2tWbXcJ1d",
}


class CallIn(Body):
    """A call to be made: what it will cost, or the event it will be, with estimated properties."""

    account = TextField()
    type = TextField(required=False)
    properties = serializers.DictField(required=False)
    amount = AmountField(required=False)
    currency = TextField(required=False, help_text="of `amount`; the account's main one if left out")
    ttl_seconds = WholeField(required=False, help_text="taken for later use: nothing is reserved yet")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of `type` and `amount`."""
        if ("type" in attrs) == ("amount" in attrs):
            raise serializers.ValidationError({"amount": "Expected either an amount, or a type with its properties."})
        return attrs


class DecisionOut(serializers.Serializer[Any]):
    """Whether the call may go ahead."""

    decision = serializers.ChoiceField(get_args(Verdict))
    reason = serializers.ChoiceField(get_args(Reason), allow_null=True)
    available = AmountField()
    currency = TextField()
    retry_after = WholeField(allow_null=True, help_text="seconds")
    top_up_url = TextField()
    authorization = TextField(allow_null=True, help_text="null unless the call is allowed")


class Authorize(APIView):
    """The gate."""

    required_scope: ClassVar = "gate:check"

    @extend_schema(
        operation_id="authorize",
        request=CallIn,
        responses=DecisionOut,
        examples=[
            OpenApiExample("An estimate", value=EXAMPLE_CALL, request_only=True),
            OpenApiExample("An amount", value={"account": "acme", "amount": "0.25"}, request_only=True),
            OpenApiExample("Go ahead", value=EXAMPLE_DECISION, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Ask before a call whether it may go ahead. The answer is 200 whatever is decided."""
        call = CallIn.read(request)
        decision = _decide(caller_of(request), call, clock.now())
        answer = {
            "decision": decision.verdict,
            "reason": decision.reason,
            "available": decision.available,
            "currency": decision.currency,
            "retry_after": decision.retry_after_seconds,
            "top_up_url": top_up_url(call["account"]),
            "authorization": new_public_id("auth") if decision.verdict == "allow" else None,
        }
        return Response(DecisionOut(answer).data, headers=balance_headers(decision))


def _decide(caller: Caller, call: Mapping[str, Any], at: datetime) -> Decision:
    key: str = call["account"]
    amount: Decimal | None = call.get("amount")
    currency: str | None = call.get("currency")
    check = Input()
    if amount is not None:
        check.amount("amount", amount)
    if currency is not None:
        check.currency(currency)
    check.refuse("The call cannot be authorised like this.")
    if caller.account_key not in (None, key):
        raise UnknownAccount(f"There is no account {key[:120]}.")
    if "type" not in call:
        exact = None if amount is None else to_scale(amount)
        return check_account(account_key=key, amount=exact, currency=currency, at=at)
    account_id = _account_id(key)
    estimate = price_estimate(account_id=account_id, event_type=call["type"], properties=call.get("properties") or {}, at=at)
    exact = None if estimate.amount is None else to_scale(estimate.amount)
    decision = check_account(account_key=key, amount=exact, currency=estimate.currency or currency, at=at)
    return stop_at_quota(decision, account_id=account_id, meters=estimate.meters, at=at)


def _account_id(key: str) -> int:
    try:
        return account_by_key(key=key).pk
    except NotFound as error:
        raise UnknownAccount(error.message) from error
