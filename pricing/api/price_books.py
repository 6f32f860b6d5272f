"""Price books over HTTP: create, draft a version, publish it."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.api.price_fields import EXAMPLE_PRICE, EXAMPLE_TIERS, PriceIn, PriceOut, price_terms
from pricing.books.draft import create_price_book, draft_version
from pricing.books.models import PriceVersion
from pricing.books.publish import publish_version
from pricing.books.queries import all_books, book_by_id, prices_of, version_by_id, versions_of
from pricing.books.validate import MAX_PRICES
from wallets import clock
from wallets.api.fields import Body, LowerField, MomentField, TextField, WholeField


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

    prices = serializers.ListField(child=PriceIn(), max_length=MAX_PRICES)
    note = TextField(required=False)


class PublishIn(Body):
    """When a version takes effect."""

    effective_at = MomentField(required=False, allow_null=True, help_text="left out: now")


class VersionOut(serializers.Serializer[Any]):
    """A version of a price book."""

    id = TextField(source="public_id")
    price_book = TextField(source="book.public_id")
    number = WholeField()
    status = LowerField(help_text="draft or published")
    effective_at = MomentField(allow_null=True)
    published_at = MomentField(allow_null=True)
    note = TextField()
    created_at = MomentField()


class VersionLineOut(VersionOut):
    """A version in a list."""

    price_count = WholeField()


class VersionWithPricesOut(VersionOut):
    """A version with its prices."""

    prices = PriceOut(many=True)


def version_answer(version: PriceVersion, *, status: int = 200) -> Response:
    """A version with its prices; three queries however many there are."""
    prices = prices_of(version=version)
    for price in prices:
        price.version = version
    head = VersionOut(version).data
    return Response({**head, "prices": PriceOut(prices, many=True).data}, status=status)


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
    page_by = "-id"
    serializer_class = VersionLineOut

    @extend_schema(operation_id="list_price_versions", responses=VersionLineOut(many=True))
    def get(self, request: Request, book_id: str) -> Response:  # noqa: ARG002 - the paginator reads it
        """List a book's versions, newest first."""
        page = self.paginate_queryset(versions_of(book=book_by_id(public_id=book_id)))
        return self.get_paginated_response(VersionLineOut(page, many=True).data)

    @extend_schema(
        operation_id="draft_price_version",
        request=NewVersionIn,
        responses={201: VersionWithPricesOut},
        examples=[
            OpenApiExample("One price", value={"prices": [EXAMPLE_PRICE]}, request_only=True),
            OpenApiExample("Tiers", value={"prices": [EXAMPLE_TIERS]}, request_only=True),
        ],
    )
    def post(self, request: Request, book_id: str) -> Response:
        """Draft a version. Every price that is not acceptable is named by row and field."""
        book = book_by_id(public_id=book_id)
        values = NewVersionIn.read(request)
        prices = [price_terms(price) for price in values["prices"]]
        version = draft_version(book=book, prices=prices, at=clock.now(), note=values.get("note", ""))
        return version_answer(version, status=201)


class OneVersion(APIView):
    """A version of a price book."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(operation_id="read_price_version", responses=VersionWithPricesOut)
    def get(self, request: Request, version_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Read a version with its prices."""
        return version_answer(version_by_id(public_id=version_id))


class VersionPublish(APIView):
    """Publishing a version."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="publish_price_version",
        request=PublishIn,
        responses=VersionWithPricesOut,
        examples=[OpenApiExample("At New Year", value={"effective_at": "2027-01-01T00:00:00Z"}, request_only=True)],
    )
    def post(self, request: Request, version_id: str) -> Response:
        """Publish a version: it never changes again, and prices usage from `effective_at` on."""
        version = version_by_id(public_id=version_id)
        at = clock.now()
        effective_at = PublishIn.read(request).get("effective_at") or at
        return version_answer(publish_version(version=version, effective_at=effective_at, at=at))
