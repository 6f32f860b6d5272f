"""What usage would cost at a price, over HTTP. Nothing is stored."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.api.price_fields import PriceIn, price_terms
from pricing.books.preview import MAX_USAGE, Usage, preview_charges
from wallets.api.fields import AmountField, Body, TextField
from wallets.money import ZERO

EXAMPLE = {
    "price": {
        "model": "graduated",
        "tiers": [{"up_to": "1000", "unit_price": "0.02", "flat_price": "5"}, {"up_to": None, "unit_price": "0.01"}],
    },
    "usage": [{"quantity": "1000"}, {"quantity": "0.5"}],
    "prior_quantity": "0",
}
EXAMPLE_ANSWER = {
    "charges": [
        {
            "quantity": "1000.00",
            "amount": "25.00",
            "tiers": [{"up_to": "1000.00", "quantity": "1000.00", "unit_price": "0.02", "amount": "25.00"}],
        },
        {
            "quantity": "0.50",
            "amount": "0.005",
            "tiers": [{"up_to": None, "quantity": "0.50", "unit_price": "0.01", "amount": "0.005"}],
        },
    ],
    "amount": "25.005",
}


class PreviewedPriceIn(PriceIn):
    """A price as a version has it; a meter need not be named."""

    meter = TextField(required=False, allow_null=True)


class UsageIn(Body):
    """An event that is priced."""

    quantity = AmountField()
    properties = serializers.DictField(required=False, help_text="where a dynamic price finds its own")


class PreviewIn(Body):
    """A price and usage of one month in order."""

    price = PreviewedPriceIn()
    usage = serializers.ListField(child=UsageIn(), max_length=MAX_USAGE)
    prior_quantity = AmountField(required=False, help_text="used before in the month; left out: 0")


class TierUsedOut(serializers.Serializer[Any]):
    """The part of a quantity that one tier priced; negative: what the month's total had cost in another tier."""

    up_to = AmountField(allow_null=True)
    quantity = AmountField()
    unit_price = AmountField()
    amount = AmountField()


class PreviewedChargeOut(serializers.Serializer[Any]):
    """What an event would be charged."""

    quantity = AmountField()
    amount = AmountField()
    tiers = TierUsedOut(many=True)


class PreviewOut(serializers.Serializer[Any]):
    """The charges, and what they add up to; exact, not rounded."""

    charges = PreviewedChargeOut(many=True)
    amount = AmountField()


class PricePreview(APIView):
    """Pricing usage that did not happen."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(
        operation_id="preview_price",
        request=PreviewIn,
        responses=PreviewOut,
        examples=[
            OpenApiExample("Two tiers", value=EXAMPLE, request_only=True),
            OpenApiExample("What they cost", value=EXAMPLE_ANSWER, response_only=True, status_codes=["200"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Price usage at a price, exactly. Nothing is stored."""
        values = PreviewIn.read(request)
        charges = preview_charges(
            price=price_terms({**values["price"], "meter": values["price"].get("meter") or ""}),
            usage=[Usage(used["quantity"], used.get("properties", {})) for used in values["usage"]],
            prior_quantity=values.get("prior_quantity", ZERO),
        )
        amount = sum((charge.amount for charge in charges), Decimal(0))
        return Response(PreviewOut({"charges": charges, "amount": amount}).data)
