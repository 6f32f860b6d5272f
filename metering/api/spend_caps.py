"""Spend caps of an account over HTTP: list, set, remove. A key confined to the account may do all of it for its own account."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.caps.models import SpendCap
from metering.caps.queries import cap_of, caps_in_force
from metering.caps.set_cap import CapTerms, remove_cap, set_cap
from wallets import clock
from wallets.accounts.models import Account
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, MomentField, TextField

EXAMPLE_CAP = {
    "id": "cap_9YhQ3mZ1kT5cB7xR2vN8pL",
    "account": "acme",
    "scope": "user",
    "value": "",
    "window": "month",
    "currency": "USD",
    "meter": None,
    "limit": "20.00",
    "state": "active",
    "set_at": "2026-11-23T10:00:00Z",
}


class CapIn(Body):
    """A spend cap."""

    account = TextField()
    scope = TextField(help_text="account, team, user, api_key or cost_centre")
    value = TextField(required=False, help_text="which of them; left out: each for itself")
    window = TextField(help_text="day, month or total; days and months of the account's time zone")
    limit = AmountField()
    currency = TextField(required=False, help_text="of the limit; either this or a meter")
    meter = TextField(required=False, help_text="the limit is units of this meter")


class CapsQuery(serializers.Serializer[Any]):
    """Whose caps."""

    account = TextField()


class CapOut(serializers.Serializer[Any]):
    """A spend cap."""

    id = TextField(source="public_id")
    account = TextField(source="account.key")
    scope = TextField()
    value = TextField()
    window = TextField()
    currency = TextField()
    meter = serializers.CharField(source="meter.code", allow_null=True, default=None)
    limit = AmountField()
    state = serializers.SerializerMethodField()
    set_at = MomentField()

    def get_state(self, cap: SpendCap) -> str:
        """As the wire writes states."""
        return cap.state.lower()


class CapsOut(serializers.Serializer[Any]):
    """All caps in force; there are no pages."""

    data = CapOut(many=True)  # type: ignore[assignment]  # a field that has the name of DRF's attribute
    next_cursor = serializers.CharField(allow_null=True)


class SpendCaps(APIView):
    """Spend caps of an account."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "accounts:write"}
    idempotent = True

    @extend_schema(operation_id="list_spend_caps", parameters=[CapsQuery], responses=CapsOut)
    def get(self, request: Request) -> Response:
        """The spend caps of an account that are in force, as the gate checks them."""
        query = CapsQuery(data=request.query_params.dict())
        query.is_valid(raise_exception=True)
        caps = caps_in_force(account_id=_account(request, query.validated_data["account"]).pk)
        return Response({"data": CapOut(caps, many=True).data, "next_cursor": None})

    @extend_schema(
        operation_id="set_spend_cap",
        request=CapIn,
        responses={201: CapOut},
        examples=[
            OpenApiExample(
                "Each user",
                value={"account": "acme", "scope": "user", "window": "month", "limit": "20", "currency": "USD"},
                request_only=True,
            ),
            OpenApiExample("Set", value=EXAMPLE_CAP, response_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Set a cap; one for the same thing gets the new limit. What was charged since the window began counts."""
        said = CapIn.read(request)
        account = _account(request, said.pop("account"))
        cap = set_cap(account=account, terms=CapTerms(**said), at=clock.now(), actor=caller_of(request).actor)
        return Response(CapOut(cap).data, status=201)


class SpendCapRemoval(APIView):
    """Removing one."""

    required_scope: ClassVar = "accounts:write"
    idempotent = True

    @extend_schema(operation_id="remove_spend_cap", request=Body, responses=CapOut)
    def post(self, request: Request, cap_id: str) -> Response:
        """Let go of a cap; the gate does not look at it any more."""
        Body.read(request)
        caller = caller_of(request)
        cap = cap_of(cap_id=cap_id, only_account_id=caller.account_id)
        return Response(CapOut(remove_cap(cap=cap, at=clock.now(), actor=caller.actor)).data)


def _account(request: Request, key: str) -> Account:
    return account_by_key(key=key, only_account_id=caller_of(request).account_id)
