"""POST /authorize: the gate for a vendor's own services. Says whether a call may go ahead, and reserves its estimate until the
event arrives that carries the authorization, or it lapses."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, ClassVar, Final, get_args

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.api.gate_check import balance_headers
from metering.caps.properties import named_in
from metering.gate.check import UnknownAccount, check_account, lease_until
from metering.gate.client.redis_decision import Lease
from metering.gate.decide import SCOPES, Call, Decision, Reason, Verdict
from metering.gate.estimate import price_estimate
from metering.gate.quotas import stop_at_quota
from metering.gate.top_up import top_up_url
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, TextField, WholeField
from wallets.api_keys.verify import Caller
from wallets.balances.publish import publish_wallets
from wallets.balances.reserved import LONGEST_LEASE_SECONDS
from wallets.errors import NotFound
from wallets.input import Input
from wallets.money import to_scale

LEASE_SECONDS: Final = 60

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
    ttl_seconds = WholeField(
        default=LEASE_SECONDS, help_text=f"how long the estimate stays reserved, at most {LONGEST_LEASE_SECONDS}"
    )
    team = TextField(required=False, help_text="who calls, for spend caps; else read from the properties")
    user = TextField(required=False)
    api_key = TextField(required=False)
    cost_centre = TextField(required=False)

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
    authorization = TextField(allow_null=True, help_text="null unless the call is allowed; to be sent with its event")


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
        at = clock.now()
        lease = lease_until(at + timedelta(seconds=_ttl_seconds(call)))
        decision = _decide(caller_of(request), call, lease, at)
        answer = {
            "decision": decision.verdict,
            "reason": decision.reason,
            "available": decision.available,
            "currency": decision.currency,
            "retry_after": decision.retry_after_seconds,
            "top_up_url": top_up_url(call["account"]),
            "authorization": lease.id if decision.verdict == "allow" else None,
        }
        return Response(DecisionOut(answer).data, headers=balance_headers(decision))


def _ttl_seconds(call: Mapping[str, Any]) -> int:
    """How long the call asks to reserve. Raises InvalidInput."""
    check = Input()
    seconds = check.whole("ttl_seconds", call["ttl_seconds"], least=1, most=LONGEST_LEASE_SECONDS)
    check.refuse("The call cannot be authorised like this.")
    return seconds


def _decide(caller: Caller, asked: Mapping[str, Any], lease: Lease, at: datetime) -> Decision:
    key: str = asked["account"]
    amount: Decimal | None = asked.get("amount")
    currency: str | None = asked.get("currency")
    check = Input()
    if amount is not None:
        check.amount("amount", amount)
    if currency is not None:
        check.currency(currency)
    check.refuse("The call cannot be authorised like this.")
    if caller.account_key not in (None, key):
        raise UnknownAccount(f"There is no account {key[:120]}.")
    scopes: dict[str, str] = {scope: asked[scope] for scope in SCOPES if scope in asked}
    if "type" not in asked:
        exact = None if amount is None else to_scale(amount)
        return check_account(account_key=key, amount=exact, currency=currency, at=at, call=Call(scopes), lease=lease)
    account_id = _account_id(key)
    properties = asked.get("properties") or {}
    estimate = price_estimate(account_id=account_id, event_type=asked["type"], properties=properties, at=at)
    exact = None if estimate.amount is None else to_scale(estimate.amount)
    by = named_in(properties, account_id=account_id) | scopes
    call = Call(by, meters=estimate.meters) if exact is None else Call(by, estimate.quantities)
    decision = check_account(
        account_key=key, amount=exact, currency=estimate.currency or currency, at=at, call=call, lease=lease
    )
    stopped = stop_at_quota(decision, account_id=account_id, meters=estimate.meters, at=at)
    if stopped.verdict != decision.verdict:
        publish_wallets([], leases=[(key, lease.id)])
    return stopped


def _account_id(key: str) -> int:
    try:
        return account_by_key(key=key).pk
    except NotFound as error:
        raise UnknownAccount(error.message) from error
