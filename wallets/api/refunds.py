"""Money back over HTTP: refund a top-up, read its refunds; list, read and cancel withdrawals. A withdrawal is asked for in the
portal, by a person who is known again."""

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
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField
from wallets.balances.queries import wallet_by_id
from wallets.payments.find import top_up_by_id
from wallets.refunds.find import refund_by_id, refunds_of, withdrawal_by_id, withdrawals_of
from wallets.refunds.models import Refund
from wallets.refunds.refund import Why, refund_top_up
from wallets.refunds.send import send_refund
from wallets.refunds.withdraw import cancel_withdrawal

EXAMPLE_REFUND: Final = {
    "id": "ref_7hQ2mZ9cT5bYxW3qK1vR8n",
    "top_up": "top_4fW8nQ2xK7vR1mZ9cT5bYh",
    "status": "succeeded",
    "currency": "EUR",
    "amount": "30.00",
    "tax": "5.70",
    "fee": "0.00",
    "total": "35.70",
    "used": "0.00",
    "bonus": "0.00",
    "origin": "api",
    "withdrawal": None,
    "reason": "requested_by_customer",
    "failure_code": "",
    "created_at": "2026-11-23T10:00:00Z",
}
EXAMPLE_WITHDRAWAL: Final = {
    "id": "wdr_5kT1bN8xW3qZ7mR2vC9hYf",
    "wallet": "wal_9YhQ3mZ1kT5cB7xR2vN8pL",
    "status": "confirmed",
    "currency": "EUR",
    "amount": "65.00",
    "paid": "0.00",
    "failure": "",
    "created_at": "2026-11-23T10:00:00Z",
    "confirmed_at": "2026-11-23T10:04:00Z",
    "payable_at": "2026-11-26T10:04:00Z",
}


class NewRefundIn(Body):
    """What to refund."""

    amount = AmountField(help_text="unused paid credit to take back; its share of tax is given back on top of it")
    reason = TextField(help_text="up to 120 characters, for the books")
    note = TextField(required=False)


class RefundOut(serializers.Serializer[Any]):
    """A refund."""

    id = TextField(source="public_id")
    top_up = TextField(source="top_up.public_id")
    status = LowerField(source="state", help_text="waiting, created, pending, succeeded, failed or declined")
    currency = TextField()
    amount = AmountField(source="credit", help_text="paid credit taken back")
    tax = AmountField()
    fee = AmountField()
    total = AmountField(help_text="money: amount, tax and fee")
    used = AmountField(source="owed", help_text="of the amount, what was used already and is owed now")
    bonus = AmountField(help_text="promotional credit taken back beside")
    origin = TextField(help_text="finance, api, withdrawal or provider")
    withdrawal = TextField(source="withdrawal.public_id", default=None, allow_null=True)
    reason = TextField()
    failure_code = TextField()
    created_at = MomentField()


class WithdrawalOut(serializers.Serializer[Any]):
    """A withdrawal."""

    id = TextField(source="public_id")
    wallet = TextField(source="wallet.public_id")
    status = LowerField(
        source="state", help_text="requested, confirmed, approved, paying, paid, cancelled, declined, lapsed or failed"
    )
    currency = TextField()
    amount = AmountField(help_text="paid credit")
    paid = AmountField(help_text="money that was sent, with tax")
    failure = TextField()
    created_at = MomentField()
    confirmed_at = MomentField(allow_null=True)
    payable_at = MomentField(allow_null=True, help_text="it is not paid before, and can be cancelled")


class TopUpRefunds(GenericAPIView[Any]):
    """A top-up's refunds."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "wallets:write"}
    vendor_only = ("POST",)  # a customer asks for a withdrawal, which a person confirms
    # An Idempotency-Key is kept on the refund itself: the provider is asked between two transactions, not inside one.
    idempotent = False
    page_by = "-id"
    serializer_class = RefundOut

    @extend_schema(
        operation_id="list_refunds",
        responses=RefundOut(many=True),
        examples=[OpenApiExample("A refund", value=EXAMPLE_REFUND, response_only=True)],
    )
    def get(self, request: Request, top_up_id: str) -> Response:
        """List a top-up's refunds, newest first."""
        top_up = top_up_by_id(public_id=top_up_id, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(refunds_of(top_up_id=top_up.pk))
        return self.get_paginated_response(RefundOut(page, many=True).data)

    @extend_schema(
        operation_id="create_refund",
        request=NewRefundIn,
        parameters=[
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same key is the same refund, sent once."
            )
        ],
        responses={201: RefundOut},
        examples=[
            OpenApiExample("Thirty", value={"amount": "30.00", "reason": "requested_by_customer"}, request_only=True),
            OpenApiExample("The refund", value=EXAMPLE_REFUND, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request, top_up_id: str) -> Response:
        """Refund unused credit of a top-up to what it was paid with. While the provider has not answered, status is `created`
        or `pending` and the credit is set aside; a refund that fails puts it back. The same Idempotency-Key is the same
        refund."""
        caller = caller_of(request)
        top_up = top_up_by_id(public_id=top_up_id, only_account_id=caller.account_id)
        values = NewRefundIn.read(request)
        key = request.headers.get("Idempotency-Key")
        at = clock.now()
        refund = refund_top_up(
            top_up=top_up,
            credit=values["amount"],
            why=Why(values["reason"], values.get("note", ""), actor=caller.actor),
            origin=Refund.Origin.API,
            request_key=None if key is None else f"{caller.prefix}:{key}",
            at=at,
        )
        replayed = {"Idempotency-Replayed": "true"} if refund.created_at != at else {}
        sent = send_refund(refund=refund, at=at)
        return Response(RefundOut(sent).data, status=201, headers=replayed)


class OneRefund(APIView):
    """One refund."""

    required_scope = "accounts:read"

    @extend_schema(
        operation_id="read_refund",
        responses=RefundOut,
        examples=[OpenApiExample("The refund", value=EXAMPLE_REFUND, response_only=True)],
    )
    def get(self, request: Request, refund_id: str) -> Response:
        """Read a refund."""
        return Response(RefundOut(refund_by_id(public_id=refund_id, only_account_id=caller_of(request).account_id)).data)


class WalletWithdrawals(GenericAPIView[Any]):
    """A wallet's withdrawals."""

    required_scope = "accounts:read"
    page_by = "-id"
    serializer_class = WithdrawalOut

    @extend_schema(operation_id="list_withdrawals", responses=WithdrawalOut(many=True))
    def get(self, request: Request, wallet_id: str) -> Response:
        """List a wallet's withdrawals, newest first."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(withdrawals_of(wallet_id=wallet.pk))
        return self.get_paginated_response(WithdrawalOut(page, many=True).data)


class OneWithdrawal(APIView):
    """One withdrawal."""

    required_scope = "accounts:read"

    @extend_schema(
        operation_id="read_withdrawal",
        responses=WithdrawalOut,
        examples=[OpenApiExample("The withdrawal", value=EXAMPLE_WITHDRAWAL, response_only=True)],
    )
    def get(self, request: Request, withdrawal_id: str) -> Response:
        """Read a withdrawal."""
        found = withdrawal_by_id(public_id=withdrawal_id, only_account_id=caller_of(request).account_id)
        return Response(WithdrawalOut(found).data)


class WithdrawalCancel(APIView):
    """Stop a payout."""

    required_scope = "wallets:write"
    idempotent = True

    @extend_schema(
        operation_id="cancel_withdrawal",
        request=None,
        responses=WithdrawalOut,
        examples=[OpenApiExample("The withdrawal", value=EXAMPLE_WITHDRAWAL | {"status": "cancelled"}, response_only=True)],
    )
    def post(self, request: Request, withdrawal_id: str) -> Response:
        """Cancel a withdrawal, at any step before it is paid; its credit is free again."""
        found = withdrawal_by_id(public_id=withdrawal_id, only_account_id=caller_of(request).account_id)
        return Response(WithdrawalOut(cancel_withdrawal(withdrawal=found, at=clock.now())).data)
