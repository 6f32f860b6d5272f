"""Price books over HTTP: create one, draft its versions. What is done with a version is in `versions.py`."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.api.csv_body import WITH_CSV
from pricing.api.price_fields import EXAMPLE_NIGHT, EXAMPLE_PRICE, EXAMPLE_TIERS, PriceIn, PriceOut, price_terms
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import PriceVersion
from pricing.books.price_files import named_by_row, read_csv
from pricing.books.queries import all_books, book_by_id, prices_of, version_by_id, versions_of
from pricing.books.roll_forward import roll_forward
from pricing.books.validate import MAX_PRICES
from wallets import clock
from wallets.api.fields import AmountField, Body, LowerField, MomentField, TextField, WholeField


class NewBookIn(Body):
    """A price book to be created."""

    name = TextField()
    currency = TextField()
    is_default = serializers.BooleanField(required=False, help_text="used by accounts without a book of their own")


class BookOut(serializers.Serializer[Any]):
    """A price book."""

    id = TextField(source="public_id")
    name = TextField()
    currency = TextField()
    is_default = serializers.BooleanField()
    created_at = MomentField()


class NewVersionIn(Body):
    """A version to be drafted."""

    prices = serializers.ListField(child=PriceIn(), max_length=MAX_PRICES, required=False)
    from_version = TextField(required=False, help_text="instead of prices: the version (`prv_…`) whose prices it begins with")
    note = TextField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Prices, or where they come from."""
        if ("prices" in attrs) == ("from_version" in attrs):
            raise serializers.ValidationError({"prices": "Expected prices or from_version, one of them."})
        return attrs


class VersionOut(serializers.Serializer[Any]):
    """A version of a price book."""

    id = TextField(source="public_id")
    price_book = TextField(source="book.public_id")
    number = WholeField()
    status = LowerField(help_text="draft or published")
    effective_at = MomentField(allow_null=True)
    published_at = MomentField(allow_null=True)
    note = TextField()
    derived_from = TextField(source="derived_from.public_id", allow_null=True, default=None, help_text="of negotiated prices")
    percent_off = AmountField(help_text="of the prices it is derived from")
    created_at = MomentField()


class VersionLineOut(VersionOut):
    """A version in a list."""

    price_count = WholeField()


class VersionWithPricesOut(VersionOut):
    """A version with its prices."""

    prices = PriceOut(many=True)


def version_answer(version: PriceVersion, *, status: int = 200) -> Response:
    """A version with its prices; three queries however many there are."""
    head = VersionOut(version).data
    return Response({**head, "prices": PriceOut(prices_of(version=version), many=True).data}, status=status)


class PriceBooks(GenericAPIView[Any]):
    """All price books."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = True
    idempotent = True
    page_by = "id"
    serializer_class = BookOut

    @extend_schema(operation_id="list_price_books", responses=BookOut(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the paginator reads it
        """List price books, oldest first."""
        return self.get_paginated_response(BookOut(self.paginate_queryset(all_books()), many=True).data)

    @extend_schema(
        operation_id="create_price_book",
        request=NewBookIn,
        responses={201: BookOut},
        examples=[OpenApiExample("List prices", value={"name": "List prices", "currency": "USD"}, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Create a price book without prices."""
        values = NewBookIn.read(request)
        return Response(BookOut(create_price_book(at=clock.now(), **values)).data, status=201)


class OnePriceBook(APIView):
    """A price book."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(operation_id="read_price_book", responses=BookOut)
    def get(self, request: Request, book_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Read a price book."""
        return Response(BookOut(book_by_id(public_id=book_id)).data)


class BookVersions(GenericAPIView[Any]):
    """A price book's versions."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = True
    idempotent = True
    parser_classes = WITH_CSV
    page_by = "-id"
    serializer_class = VersionLineOut

    @extend_schema(operation_id="list_price_versions", responses=VersionLineOut(many=True))
    def get(self, request: Request, book_id: str) -> Response:  # noqa: ARG002 - the paginator reads it
        """List a book's versions, newest first."""
        page = self.paginate_queryset(versions_of(book=book_by_id(public_id=book_id)))
        return self.get_paginated_response(VersionLineOut(page, many=True).data)

    @extend_schema(
        operation_id="draft_price_version",
        request={"application/json": NewVersionIn, "text/csv": OpenApiTypes.STR},
        responses={201: VersionWithPricesOut},
        examples=[
            OpenApiExample("One price", value={"prices": [EXAMPLE_PRICE]}, request_only=True),
            OpenApiExample("Tiers", value={"prices": [EXAMPLE_TIERS]}, request_only=True),
            OpenApiExample("By night", value={"prices": [EXAMPLE_NIGHT]}, request_only=True),
            OpenApiExample("Rolled forward", value={"from_version": "prv_8FkQ2mZ1kT5cB7"}, request_only=True),
        ],
    )
    def post(self, request: Request, book_id: str) -> Response:
        """Draft a version, from prices, from a table (text/csv) or from another version. Every price that is not acceptable
        is named by row and field."""
        book, at = book_by_id(public_id=book_id), clock.now()
        if isinstance(request.data, bytes):
            rows = read_csv(request.data)
            with named_by_row(rows):
                return version_answer(draft_version(book=book, prices=[row.terms for row in rows], at=at), status=201)
        values = NewVersionIn.read(request)
        note = values.get("note", "")
        if "from_version" in values:
            source = version_by_id(public_id=values["from_version"])
            return version_answer(roll_forward(book=book, version=source, at=at, note=note), status=201)
        prices = [price_terms(price) for price in values["prices"]]
        return version_answer(draft_version(book=book, prices=prices, at=at, note=note), status=201)
