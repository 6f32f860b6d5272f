"""What is agreed with one account over HTTP: negotiated prices, and versions it is pinned to."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.api.price_books import VersionLineOut, VersionWithPricesOut, version_answer
from pricing.api.price_fields import EXAMPLE_PRICE, PriceIn, price_terms
from pricing.books.negotiate import negotiate_prices
from pricing.books.pin import end_pin, pin_version
from pricing.books.queries import negotiated_versions, pin_by_id, pins_of, version_by_id
from pricing.books.validate import MAX_PRICES
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import AmountField, Body, MomentField, TextField
from wallets.money import ZERO


class OverridesIn(Body):
    """Prices agreed with an account."""

    percent_off = AmountField(required=False, help_text="of every list price but those below")
    prices = serializers.ListField(child=PriceIn(), max_length=MAX_PRICES, required=False, help_text="instead of list prices")
    effective_at = MomentField(required=False, allow_null=True, help_text="left out: now")
    until = MomentField(required=False, allow_null=True, help_text="left out: without end")
    reason = TextField(required=False)


class NewPinIn(Body):
    """A version an account keeps."""

    version = TextField(help_text="a published version, `prv_…`")
    effective_at = MomentField(required=False, allow_null=True, help_text="left out: now")
    until = MomentField(help_text="from then on its book's prices again")
    reason = TextField(required=False)


class PinOut(serializers.Serializer[Any]):
    """A pin."""

    id = TextField(source="public_id")
    account = TextField(source="account.key")
    version = TextField(source="version.public_id")
    price_book = TextField(source="version.book.public_id")
    effective_at = MomentField()
    until = MomentField()
    reason = TextField()
    created_at = MomentField()


class AccountOverrides(GenericAPIView[Any]):
    """Negotiated prices of an account."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = True
    idempotent = True
    page_by = "-id"
    serializer_class = VersionLineOut

    @extend_schema(operation_id="list_overrides", responses=VersionLineOut(many=True))
    def get(self, request: Request, key: str) -> Response:
        """List the versions of an account's negotiated prices, newest first. A change of the list prices makes another."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(negotiated_versions(account=account))
        return self.get_paginated_response(VersionLineOut(page, many=True).data)

    @extend_schema(
        operation_id="negotiate_prices",
        request=OverridesIn,
        responses={201: VersionWithPricesOut},
        examples=[
            OpenApiExample("A fifth off", value={"percent_off": "20", "until": "2028-01-01T00:00:00Z"}, request_only=True),
            OpenApiExample("One price", value={"prices": [EXAMPLE_PRICE], "reason": "Contract 2027"}, request_only=True),
        ],
    )
    def post(self, request: Request, key: str) -> Response:
        """Let an account pay less than the list, or prices of its own, from a time on. What was agreed before ends then. Each
        price names the list price it came from; changes of the list are followed."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        values, at = OverridesIn.read(request), clock.now()
        version = negotiate_prices(
            account=account,
            percent_off=values.get("percent_off", ZERO),
            prices=[price_terms(price) for price in values.get("prices", [])],
            effective_at=values.get("effective_at") or at,
            until=values.get("until"),
            reason=values.get("reason", ""),
            at=at,
        )
        return version_answer(version, status=201)


class AccountPins(GenericAPIView[Any]):
    """Versions an account is pinned to."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = True
    idempotent = True
    page_by = "-id"
    serializer_class = PinOut

    @extend_schema(operation_id="list_pins", responses=PinOut(many=True))
    def get(self, request: Request, key: str) -> Response:
        """List an account's pins, newest first."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        return self.get_paginated_response(PinOut(self.paginate_queryset(pins_of(account=account)), many=True).data)

    @extend_schema(
        operation_id="pin_version",
        request=NewPinIn,
        responses={201: PinOut},
        examples=[
            OpenApiExample(
                "Old prices for a year",
                value={"version": "prv_8FkQ2mZ1kT5cB7", "until": "2028-01-01T00:00:00Z", "reason": "Contract 2027"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request, key: str) -> Response:
        """Let an account pay the prices of one version until a date, whatever is published meanwhile."""
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        values, at = NewPinIn.read(request), clock.now()
        pin = pin_version(
            account=account,
            version=version_by_id(public_id=values["version"]),
            effective_at=values.get("effective_at") or at,
            until=values["until"],
            at=at,
            reason=values.get("reason", ""),
        )
        return Response(PinOut(pin).data, status=201)


class PinEnd(APIView):
    """The end of a pin."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="end_pin", request=None, responses=PinOut)
    def post(self, request: Request, pin_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Let the account go back to its book's prices now."""
        return Response(PinOut(end_pin(pin=pin_by_id(public_id=pin_id), at=clock.now())).data)
