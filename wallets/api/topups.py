"""Top-ups over HTTP: make one, list, read."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
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
from wallets.payments.find import top_up_by_id, top_ups_of
from wallets.payments.models import TopUp
from wallets.payments.start import start_payment
from wallets.payments.top_up import create_top_up

EXAMPLE_TOP_UP: Final = {
    "id": "top_4fW8nQ2xK7vR1mZ9cT5bYh",
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "status": "succeeded",
    "currency": "EUR",
    "amount": "50.00",
    "bonus": "0.00",
    "tax": "9.50",
    "fee": "0.00",
    "total": "59.50",
    "means": "card",
    "payment_method": "card_5kT1bN8xW3qZ7mR2vC9hYf",
    "failure_code": "",
    "failure": "",
    "created_at": "2026-11-23T10:00:00Z",
    "settled_at": "2026-11-23T10:00:02Z",
}


class NewTopUpIn(Body):
    """What to top up by."""

    amount = AmountField(help_text="becomes credit; tax and fee are charged on top of it")
    payment_method = TextField(required=False, help_text="`card_…`; left out: the account's default")
    refund_policy = WholeField(required=False, help_text="the version the customer has accepted")
    off_session = serializers.BooleanField(required=False, help_text="the card's holder is not there to confirm")


class TopUpOut(serializers.Serializer[Any]):
    """A top-up."""

    id = TextField(source="public_id")
    wallet = TextField(source="wallet.public_id")
    status = LowerField(
        source="state", help_text="created, requires_action, processing, succeeded, failed, expired, refunded or disputed"
    )
    currency = TextField()
    amount = AmountField(help_text="becomes paid credit")
    bonus = AmountField(help_text="becomes promotional credit")
    tax = AmountField()
    fee = AmountField()
    total = AmountField(help_text="charged: amount, tax and fee")
    means = TextField(help_text="card, wire, ach, cheque or cash")
    payment_method = TextField(source="method.public_id", default=None, allow_null=True)
    failure_code = TextField()
    failure = TextField(help_text="what the customer is told")
    created_at = MomentField()
    settled_at = MomentField(allow_null=True, help_text="when the credit was granted")


class NewTopUpOut(TopUpOut):
    """A top-up that has just been made."""

    client_secret = TextField(
        required=False, help_text="while status is requires_action: for the provider's script in the customer's browser"
    )


class WalletTopUps(GenericAPIView[Any]):
    """A wallet's top-ups."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "wallets:write"}
    # An Idempotency-Key is kept on the top-up itself: the provider is asked between two transactions, not inside one.
    idempotent = False
    page_by = "-id"
    serializer_class = TopUpOut

    @extend_schema(operation_id="list_top_ups", responses=TopUpOut(many=True))
    def get(self, request: Request, wallet_id: str) -> Response:
        """List a wallet's top-ups, newest first."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(top_ups_of(wallet_id=wallet.pk))
        return with_headers(self.get_paginated_response(TopUpOut(page, many=True).data), wallet)

    @extend_schema(
        operation_id="create_top_up",
        request=NewTopUpIn,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key is the same top-up, charged once."
            )
        ],
        responses={201: NewTopUpOut},
        examples=[
            OpenApiExample("Fifty", value={"amount": "50.00"}, request_only=True),
            OpenApiExample("The top-up", value=EXAMPLE_TOP_UP, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        """Charge a saved card and turn the money into credit. A declined card is an answer with status `failed`; a card that
        asks for its holder is one with `requires_action` and a client secret. The same Idempotency-Key is the same top-up."""
        caller = caller_of(request)
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller.account_id)
        values = NewTopUpIn.read(request)
        key = request.headers.get("Idempotency-Key")
        at = clock.now()
        top_up = create_top_up(
            wallet=wallet,
            amount=values["amount"],
            at=at,
            origin=TopUp.Origin.API,
            actor=caller.actor,
            card_id=values.get("payment_method"),
            accepted_policy=values.get("refund_policy"),
            request_key=None if key is None else f"{caller.prefix}:{key}",
        )
        started = start_payment(top_up=top_up, at=at, off_session=values.get("off_session", False))
        answer = dict(TopUpOut(started.top_up).data)
        if started.client_secret:
            answer["client_secret"] = started.client_secret
        wallet.refresh_from_db()
        replayed = {"Idempotency-Replayed": "true"} if top_up.created_at != at else {}
        return Response(answer, status=201, headers=wallet_headers(wallet) | replayed)


class OneTopUp(APIView):
    """One top-up."""

    required_scope = "accounts:read"

    @extend_schema(
        operation_id="read_top_up",
        responses=TopUpOut,
        examples=[OpenApiExample("The top-up", value=EXAMPLE_TOP_UP, response_only=True)],
    )
    def get(self, request: Request, top_up_id: str) -> Response:
        """Read a top-up."""
        top_up = top_up_by_id(public_id=top_up_id, only_account_id=caller_of(request).account_id)
        return Response(TopUpOut(top_up).data)
