"""Credit lots over HTTP: grant, list, void."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets import clock
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField, WholeField
from wallets.api.wallets import wallet_headers, with_headers
from wallets.balances.queries import wallet_by_id
from wallets.credit.grant import grant_allowance, grant_credit
from wallets.credit.queries import lot_by_id, lots_of
from wallets.credit.void import void_lot

EXAMPLE_LOT = {
    "id": "lot_7dK2pQ9wXb4mT1zN6sR3vH",
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "currency": "USD",
    "kind": "paid",
    "state": "open",
    "meter": "",
    "amount": "100.00",
    "remaining": "41.20",
    "price_paid": "90.00",
    "priority": 50,
    "effective_at": "2026-11-01T00:00:00Z",
    "expires_at": None,
    "meters": [],
    "reason": "Invoice 2026-118",
    "source": "manual",
    "created_at": "2026-11-01T00:00:00Z",
}


class NewCreditIn(Body):
    """Credit to be granted."""

    amount = AmountField(required=False)
    meter = TextField(required=False, help_text="of an allowance, with `quantity` instead of `amount`: a meter's code")
    quantity = AmountField(required=False, help_text="of an allowance: units of the meter")
    kind = TextField(required=False, help_text="paid, promotional, trial, compensation or plan")
    price_paid = AmountField(required=False, allow_null=True, help_text="what was paid for it; for paid credit, its amount")
    priority = WholeField(required=False, help_text="lower is drawn first")
    effective_at = MomentField(required=False, allow_null=True, help_text="can be drawn from then on, inclusive")
    expires_at = MomentField(required=False, allow_null=True, help_text="can be drawn until then, exclusive")
    meters = serializers.ListField(child=TextField(), required=False, help_text="meter codes; empty: all")
    reason = TextField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Money has an amount and a kind; an allowance has a meter and a quantity and is for this meter alone."""
        if "meter" in attrs or "quantity" in attrs:
            wrong = {name: "An allowance has no such field." for name in ("amount", "price_paid", "meters") if attrs.get(name)}
            wrong |= {name: "This field is required." for name in ("meter", "quantity") if name not in attrs}
        else:
            wrong = {name: "This field is required." for name in ("amount", "kind") if name not in attrs}
        if wrong:
            raise serializers.ValidationError(wrong)
        return attrs


class CreditVoidIn(Body):
    """Why a lot is taken back."""

    reason = TextField(required=False)


class LotOut(serializers.Serializer[Any]):
    """A credit lot."""

    id = TextField(source="public_id")
    wallet = TextField(source="wallet.public_id")
    currency = TextField(source="wallet.currency")
    kind = TextField()
    state = LowerField(help_text="scheduled, open, exhausted, expired or voided")
    meter = TextField(source="unit_meter", help_text="of an allowance: amount and remaining count its units; empty: money")
    amount = AmountField()
    remaining = AmountField()
    price_paid = AmountField()
    priority = WholeField()
    effective_at = MomentField()
    expires_at = MomentField(allow_null=True)
    meters = serializers.ListField(child=TextField())
    reason = TextField()
    source = TextField()  # type: ignore[assignment] # a field of ours, not the source of this one
    created_at = MomentField()


class WalletCredits(GenericAPIView[Any]):
    """A wallet's credit lots."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "wallets:write"}
    vendor_only = ("POST",)  # a customer's own key must not make money
    idempotent = True
    page_by = "-id"
    serializer_class = LotOut

    @extend_schema(operation_id="list_credits", responses=LotOut(many=True))
    def get(self, request: Request, wallet_id: str) -> Response:
        """List a wallet's lots, newest first, those that are used up too."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(lots_of(wallet_id=wallet.pk))
        return with_headers(self.get_paginated_response(LotOut(page, many=True).data), wallet)

    @extend_schema(
        operation_id="grant_credit",
        request=NewCreditIn,
        responses={201: LotOut},
        examples=[
            OpenApiExample("Paid credit", value={"amount": "100", "kind": "paid", "price_paid": "90"}, request_only=True),
            OpenApiExample(
                "A promotion for one meter",
                value={
                    "amount": "10",
                    "kind": "promotional",
                    "priority": 10,
                    "expires_at": "2027-01-01T00:00:00Z",
                    "meters": ["llm.output_tokens"],
                    "reason": "Welcome",
                },
                request_only=True,
            ),
            OpenApiExample(
                "An allowance",
                value={"meter": "api.calls", "quantity": "1000000", "kind": "plan", "expires_at": "2027-01-01T00:00:00Z"},
                request_only=True,
            ),
            OpenApiExample("The lot", value=EXAMPLE_LOT, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        """Grant credit as a new lot. What the wallet owes is repaid from it first. With a meter and a quantity instead of an
        amount, the lot is an allowance: usage of the meter takes from it before it is priced."""
        caller = caller_of(request)
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller.account_id)
        values = NewCreditIn.read(request)
        if "meter" in values:
            terms = {name: value for name, value in values.items() if name not in ("price_paid", "meters")}
            lot = grant_allowance(wallet_id=wallet.pk, at=clock.now(), actor=caller.actor, source="manual", **terms)
        else:
            lot = grant_credit(wallet_id=wallet.pk, at=clock.now(), actor=caller.actor, **values)
        wallet.refresh_from_db()
        return Response(LotOut(lot).data, status=201, headers=wallet_headers(wallet))


class CreditVoid(APIView):
    """Voiding a lot."""

    required_scope = "wallets:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="void_credit", request=CreditVoidIn, responses=LotOut)
    def post(self, request: Request, lot_id: str) -> Response:
        """Take back what is left of a lot."""
        caller = caller_of(request)
        lot = lot_by_id(public_id=lot_id, only_account_id=caller.account_id)
        values = CreditVoidIn.read(request)
        voided = void_lot(lot_public_id=lot.public_id, at=clock.now(), reason=values.get("reason", ""), actor=caller.actor)
        wallet = wallet_by_id(public_id=lot.wallet.public_id)
        return Response(LotOut(voided).data, headers=wallet_headers(wallet))
