"""Credit products, rates of custom credit units, purchases and sign-up credit over HTTP."""

from __future__ import annotations

from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.credit_products.buy import buy_credit
from pricing.credit_products.define import MAX_SLABS, ProductTerms, archive_product, define_product, set_unit_rate
from pricing.credit_products.models import CreditProduct
from pricing.credit_products.queries import all_products, product_by_id, purchases_of, unit_rates
from pricing.credit_products.sign_up import grant_sign_up_credit
from pricing.credit_products.slabs import Slab
from wallets import clock
from wallets.api.caller import caller_of
from wallets.api.credits import LotOut
from wallets.api.fields import AmountField, Body, MomentField, TextField, WholeField
from wallets.api.wallets import wallet_headers
from wallets.balances.queries import wallet_by_id
from wallets.credit.queries import lots_of
from wallets.errors import InvalidInput, NotFound

EXAMPLE_FIXED: Final = {
    "code": "start-100", "name": "110 for 100", "currency": "USD", "amount": "110", "price": "100", "validity_days": 365,
}  # fmt: skip
EXAMPLE_OPEN: Final = {
    "code": "any",
    "name": "As much as you like",
    "currency": "USD",
    "least": "10",
    "most": "10000",
    "slabs": [{"from_amount": "100", "percent": "5"}, {"from_amount": "500", "percent": "10"}],
}


class SlabIn(Body):
    """From this amount of credit on, this many percent of it on top."""

    from_amount = AmountField()
    percent = AmountField()


class NewProductIn(Body):
    """A product to be sold: `amount` for `price`, or any payment from `least` to `most`."""

    code = TextField()
    name = TextField()
    currency = TextField(help_text="of the credit")
    price_currency = TextField(required=False, allow_null=True, help_text="of the money; left out: the same")
    amount = AmountField(required=False, allow_null=True, help_text="paid credit")
    price = AmountField(required=False, allow_null=True)
    bonus = AmountField(required=False, help_text="promotional credit beside it")
    least = AmountField(required=False, allow_null=True)
    most = AmountField(required=False, allow_null=True)
    slabs = serializers.ListField(child=SlabIn(), required=False, max_length=MAX_SLABS)
    validity_days = WholeField(required=False, allow_null=True)
    meters = serializers.ListField(child=TextField(), required=False, help_text="meter codes; empty: all")
    priority = WholeField(required=False)


class SlabOut(serializers.Serializer[Any]):
    """A bonus slab."""

    from_amount = AmountField()
    percent = AmountField()


class ProductOut(serializers.Serializer[Any]):
    """A credit product."""

    id = TextField(source="public_id")
    code = TextField()
    name = TextField()
    currency = TextField()
    price_currency = TextField()
    amount = AmountField(allow_null=True)
    price = AmountField(allow_null=True)
    bonus = AmountField()
    least = AmountField(allow_null=True)
    most = AmountField(allow_null=True)
    slabs = SlabOut(many=True)
    validity_days = WholeField(allow_null=True)
    meters = serializers.ListField(child=TextField())
    priority = WholeField()
    created_at = MomentField()
    archived_at = MomentField(allow_null=True)


class NewRateIn(Body):
    """What a custom credit unit costs from a moment on."""

    unit = TextField(help_text="CREDITS")
    currency = TextField(help_text="of money")
    units = AmountField(help_text="so many for 1 of the currency")
    effective_at = MomentField(required=False, allow_null=True, help_text="left out: now")


class RateOut(serializers.Serializer[Any]):
    """A rate of a custom credit unit."""

    unit = TextField()
    currency = TextField()
    units = AmountField()
    effective_at = MomentField()


class NewPurchaseIn(Body):
    """A payment made elsewhere, and what it was for."""

    product = TextField(help_text="its id or code")
    payment_reference = TextField(help_text="the payment's id; a payment buys once")
    paid = AmountField(required=False, allow_null=True, help_text="for a product whose buyer chooses what to pay")
    source = TextField(required=False, help_text="the provider the money comes through")  # type: ignore[assignment] # a field of ours, not the source of this one


class PurchaseOut(serializers.Serializer[Any]):
    """A purchase."""

    id = TextField(source="public_id")
    product = TextField(source="product.public_id")
    wallet = TextField(source="wallet.public_id")
    payment_reference = TextField()
    price = AmountField()
    price_currency = TextField()
    amount = AmountField(source="lot.amount")
    lot = TextField(source="lot.public_id")
    bonus = AmountField(source="bonus_lot.amount", default=None, allow_null=True)
    bonus_lot = TextField(source="bonus_lot.public_id", default=None, allow_null=True)
    at = MomentField()


class SignUpIn(Body):
    """Credit for signing up."""

    verified_email = TextField(help_text="an address whose holder has proved it")
    amount = AmountField()
    validity_days = WholeField(required=False, allow_null=True)


def product_named(name: str) -> CreditProduct:
    """The product a body names. Raises InvalidInput."""
    try:
        return product_by_id(public_id=name)
    except NotFound as error:
        raise InvalidInput(error.message, fields={"product": "the id or code of a credit product"}) from error


class Products(GenericAPIView[Any]):
    """All credit products."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = ("POST",)
    idempotent = True
    page_by = "id"
    serializer_class = ProductOut

    @extend_schema(operation_id="list_credit_products", responses=ProductOut(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the paginator reads it
        """List credit products, oldest first, archived ones too."""
        return self.get_paginated_response(ProductOut(self.paginate_queryset(all_products()), many=True).data)

    @extend_schema(
        operation_id="define_credit_product",
        request=NewProductIn,
        responses={201: ProductOut},
        examples=[
            OpenApiExample("110 for 100", value=EXAMPLE_FIXED, request_only=True),
            OpenApiExample("Any amount, with bonus slabs", value=EXAMPLE_OPEN, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Put a product on sale. It never changes."""
        values = NewProductIn.read(request)
        slabs = [Slab(**slab) for slab in values.pop("slabs", ())]
        product = define_product(code=values.pop("code"), terms=ProductTerms(slabs=slabs, **values), at=clock.now())
        return Response(ProductOut(product).data, status=201)


class ProductArchive(APIView):
    """Archiving a product."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="archive_credit_product", request=None, responses=ProductOut)
    def post(self, request: Request, product_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Stop selling a product. What was bought stays."""
        return Response(ProductOut(archive_product(product=product_by_id(public_id=product_id), at=clock.now())).data)


class UnitRates(GenericAPIView[Any]):
    """Rates of custom credit units."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = ("POST",)
    idempotent = True
    page_by = "-id"
    serializer_class = RateOut

    @extend_schema(operation_id="list_unit_rates", responses=RateOut(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the paginator reads it
        """List every rate there was, is or will be, newest first."""
        return self.get_paginated_response(RateOut(self.paginate_queryset(unit_rates()), many=True).data)

    @extend_schema(
        operation_id="set_unit_rate",
        request=NewRateIn,
        responses={201: RateOut},
        examples=[
            OpenApiExample("100 for a dollar", value={"unit": "CREDITS", "currency": "USD", "units": "100"}, request_only=True)
        ],
    )
    def post(self, request: Request) -> Response:
        """Set what a custom credit unit costs from a moment on."""
        return Response(RateOut(set_unit_rate(at=clock.now(), **NewRateIn.read(request))).data, status=201)


class WalletPurchases(GenericAPIView[Any]):
    """A wallet's purchases."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "wallets:write"}
    vendor_only = ("POST",)  # a customer's own key must not make money
    idempotent = True
    page_by = "-id"
    serializer_class = PurchaseOut

    @extend_schema(operation_id="list_purchases", responses=PurchaseOut(many=True))
    def get(self, request: Request, wallet_id: str) -> Response:
        """List a wallet's purchases, newest first."""
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller_of(request).account_id)
        return self.get_paginated_response(
            PurchaseOut(self.paginate_queryset(purchases_of(wallet_id=wallet.pk)), many=True).data
        )

    @extend_schema(
        operation_id="buy_credit",
        request=NewPurchaseIn,
        responses={201: PurchaseOut},
        examples=[
            OpenApiExample("Paid", value={"product": "start-100", "payment_reference": "pi_3PqX"}, request_only=True),
        ],
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        """Record a payment made elsewhere and grant what it bought, once per payment."""
        caller = caller_of(request)
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller.account_id)
        values = NewPurchaseIn.read(request)
        product = product_named(values.pop("product"))
        purchase = buy_credit(wallet=wallet, product=product, at=clock.now(), actor=caller.actor, **values)
        wallet.refresh_from_db()
        return Response(PurchaseOut(purchase).data, status=201, headers=wallet_headers(wallet))


class WalletSignUpCredit(APIView):
    """Sign-up credit."""

    required_scope = "wallets:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="grant_sign_up_credit",
        request=SignUpIn,
        responses={201: LotOut},
        examples=[
            OpenApiExample("Five dollars", value={"verified_email": "jane@acme.example", "amount": "5"}, request_only=True),
        ],
    )
    def post(self, request: Request, wallet_id: str) -> Response:
        """Give credit for signing up: once per account, and once per company or mailbox."""
        caller = caller_of(request)
        wallet = wallet_by_id(public_id=wallet_id, only_account_id=caller.account_id)
        given = grant_sign_up_credit(wallet=wallet, at=clock.now(), actor=caller.actor, **SignUpIn.read(request))
        lot = lots_of(wallet_id=wallet.pk).get(pk=given.lot_id)
        wallet.refresh_from_db()
        return Response(LotOut(lot).data, status=201, headers=wallet_headers(wallet))
