"""Vouchers over HTTP: issue, list, stop; redeem."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.credit_products.issue import VoucherTerms, issue_vouchers, stop_vouchers
from pricing.credit_products.queries import all_batches, batch_by_id
from pricing.credit_products.redeem import redeem_voucher
from wallets import clock
from wallets.api.caller import caller_of
from wallets.api.credits import LotOut
from wallets.api.fields import AmountField, Body, MomentField, TextField, WholeField
from wallets.api.wallets import wallet_headers
from wallets.balances.queries import wallet_by_id
from wallets.credit.queries import lots_of

EXAMPLE_BATCH: Final = {
    "name": "Spring campaign",
    "currency": "USD",
    "amount": "25",
    "validity_days": 90,
    "redeem_until": "2027-06-01T00:00:00Z",
    "count": 100,
}


class NewVouchersIn(Body):
    """Vouchers to be issued: `count` codes that we make, or the one `code` that is chosen."""

    name = TextField()
    currency = TextField()
    amount = AmountField(help_text="of credit, for each redemption")
    kind = TextField(required=False, help_text="promotional, trial or compensation")
    validity_days = WholeField(required=False, allow_null=True, help_text="of the credit, from its redemption")
    meters = serializers.ListField(child=TextField(), required=False, help_text="meter codes; empty: all")
    priority = WholeField(required=False)
    redeem_from = MomentField(required=False, allow_null=True)
    redeem_until = MomentField(required=False, allow_null=True, help_text="exclusive")
    uses = WholeField(required=False, help_text="how often one code can be redeemed; left out: once")
    per_account = WholeField(required=False, help_text="how often one account may redeem; left out: once")
    count = WholeField(required=False)
    code = TextField(required=False)


class BatchOut(serializers.Serializer[Any]):
    """Vouchers issued together."""

    id = TextField(source="public_id")
    name = TextField()
    currency = TextField()
    amount = AmountField()
    kind = TextField()
    validity_days = WholeField(allow_null=True)
    meters = serializers.ListField(child=TextField())
    priority = WholeField()
    redeem_from = MomentField()
    redeem_until = MomentField(allow_null=True)
    per_account = WholeField()
    count = WholeField(source="code_count")
    used = WholeField(help_text="redemptions so far")
    uses = WholeField(help_text="redemptions there can be")
    created_at = MomentField()
    stopped_at = MomentField(allow_null=True)


class IssuedOut(BatchOut):
    """Vouchers just issued: their codes are shown this once."""

    codes = serializers.ListField(child=TextField())


class RedeemIn(Body):
    """A code as it was typed."""

    code = TextField()


class VoucherBatches(GenericAPIView[Any]):
    """All voucher batches."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = True
    idempotent = True
    page_by = "-id"
    serializer_class = BatchOut

    @extend_schema(operation_id="list_vouchers", responses=BatchOut(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the paginator reads it
        """List voucher batches, newest first."""
        return self.get_paginated_response(BatchOut(self.paginate_queryset(all_batches()), many=True).data)

    @extend_schema(
        operation_id="issue_vouchers",
        request=NewVouchersIn,
        responses={201: IssuedOut},
        examples=[
            OpenApiExample("A hundred codes", value=EXAMPLE_BATCH, request_only=True),
            OpenApiExample(
                "A promo code",
                value={"name": "Welcome", "currency": "USD", "amount": "10", "code": "WELCOME10", "uses": 1000},
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request) -> Response:
        """Issue vouchers. Their codes are answered this once and kept as hashes only."""
        values = NewVouchersIn.read(request)
        count, code = values.pop("count", 1), values.pop("code", "")
        issued = issue_vouchers(
            terms=VoucherTerms(**values), count=count, code=code, at=clock.now(), actor=caller_of(request).actor
        )
        batch = batch_by_id(public_id=issued.batch.public_id)
        return Response({**BatchOut(batch).data, "codes": list(issued.codes)}, status=201)


class OneVoucherBatch(APIView):
    """A voucher batch."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(operation_id="read_vouchers", responses=BatchOut)
    def get(self, request: Request, batch_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Read a batch: how many codes, how often redeemed."""
        return Response(BatchOut(batch_by_id(public_id=batch_id)).data)


class VoucherBatchStop(APIView):
    """Stopping a batch."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="stop_vouchers", request=None, responses=BatchOut)
    def post(self, request: Request, batch_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Let no code of the batch be redeemed any more."""
        return Response(BatchOut(stop_vouchers(batch=batch_by_id(public_id=batch_id), at=clock.now())).data)


class WalletVouchers(APIView):
    """Redeeming. Takes no Idempotency-Key: a refusal must leave its attempt behind, and a code that is sent twice is redeemed
    once in any case."""

    required_scope = "wallets:write"

    @extend_schema(
        operation_id="redeem_voucher",
        request=RedeemIn,
        responses={201: LotOut},
        examples=[OpenApiExample("As typed", value={"code": "7qxk-91mn-0zrb-4t5w"}, request_only=True)],
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        """Turn a voucher into credit. Twenty attempts per account and hour."""
        caller = caller_of(request)
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller.account_id)
        values = RedeemIn.read(request)
        redemption = redeem_voucher(wallet=wallet, code=values["code"], at=clock.now(), actor=caller.actor)
        lot = lots_of(wallet_id=wallet.pk).get(pk=redemption.lot_id)
        wallet.refresh_from_db()
        return Response(LotOut(lot).data, status=201, headers=wallet_headers(wallet))
