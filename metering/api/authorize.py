"""POST /authorize: the gate for a vendor's own services. Says whether a call may go ahead; nothing is reserved by it."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any, ClassVar

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.api.gate_check import balance_headers
from metering.gate.check import UnknownAccount, check_account
from metering.gate.decide import Decision
from metering.gate.estimate import price_estimate
from metering.gate.top_up import top_up_url
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api_keys.verify import Caller
from wallets.ids import new_public_id
from wallets.money import DIGITS, SCALE, plain


class AuthorizeInput(serializers.Serializer[Any]):
    """Either what the call will cost, or the event it will be, with estimated properties."""

    account = serializers.CharField(max_length=120)
    type = serializers.CharField(max_length=120, required=False)
    properties = serializers.DictField(required=False, default=dict)
    amount = serializers.DecimalField(max_digits=DIGITS, decimal_places=SCALE, min_value=Decimal(0), required=False)
    currency = serializers.RegexField(r"\A[A-Z][A-Z0-9_]{1,15}\Z", required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """One of `type` and `amount`."""
        if ("type" in attrs) == ("amount" in attrs):
            raise serializers.ValidationError({"amount": "Give either an amount, or a type with properties."})
        return attrs


class AuthorizeOutput(serializers.Serializer[Any]):
    """The decision. `authorization` is null unless the call is allowed."""

    decision = serializers.ChoiceField(["allow", "throttle", "refuse"])
    reason = serializers.ChoiceField(
        ["balance_exhausted", "spend_cap", "wallet_frozen", "account_suspended", "rate_limited"], allow_null=True
    )
    available = serializers.CharField()
    currency = serializers.CharField()
    retry_after = serializers.IntegerField(allow_null=True, help_text="seconds")
    top_up_url = serializers.CharField()
    authorization = serializers.CharField(allow_null=True)


class Authorize(APIView):
    """Ask before a call whether it may go ahead."""

    required_scope: ClassVar[str] = "gate:check"

    def post(self, request: Request) -> Response:
        """Decide for an account and an amount, or an account and an estimate."""
        asked = AuthorizeInput(data=request.data)
        asked.is_valid(raise_exception=True)
        decision = _decide(request.auth, asked.validated_data, clock.now())
        return Response(_answer(decision, asked.validated_data["account"]), headers=balance_headers(decision))


def _decide(caller: Caller, asked: dict[str, Any], at: datetime) -> Decision:
    key, amount, currency = asked["account"], asked.get("amount"), asked.get("currency")
    if caller.account_key not in (None, key):
        raise UnknownAccount(f"There is no account {key!r}.")
    if "type" in asked:
        account = account_by_key(key=key, only_account_id=caller.account_id)
        estimate = price_estimate(
            account_id=account.pk, event_type=asked["type"], properties=asked["properties"], at=at
        )
        amount, currency = estimate.amount, estimate.currency or currency
    return check_account(account_key=key, amount=amount, currency=currency, at=at)


def _answer(decision: Decision, account_key: str) -> dict[str, Any]:
    return {
        "decision": decision.verdict,
        "reason": decision.reason,
        "available": plain(decision.available),
        "currency": decision.currency,
        "retry_after": decision.retry_after_seconds,
        "top_up_url": top_up_url(account_key),
        "authorization": new_public_id("auth") if decision.verdict == "allow" else None,
    }
