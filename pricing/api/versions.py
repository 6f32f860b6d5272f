"""Versions of price books over HTTP: read, change a draft, compare, export, publish, withdraw."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.api.csv_body import WITH_CSV
from pricing.api.price_books import VersionWithPricesOut, version_answer
from pricing.api.price_fields import EXAMPLE_PRICE, PriceIn, price_terms
from pricing.books.diff import PriceChange, diff_prices
from pricing.books.models import PriceVersion
from pricing.books.price_files import named_by_row, price_document, read_csv, write_csv, write_json
from pricing.books.price_terms import PriceTerms
from pricing.books.publish import publish_version, withdraw_version
from pricing.books.queries import live_version, terms_of_version, version_by_id
from pricing.books.roll_forward import replace_prices
from pricing.books.validate import MAX_PRICES
from wallets import clock
from wallets.api.fields import Body, MomentField, TextField, WholeField


class DraftIn(Body):
    """What a draft is to hold."""

    prices = serializers.ListField(child=PriceIn(), max_length=MAX_PRICES)
    note = TextField(required=False)


class PublishIn(Body):
    """When a version takes effect."""

    effective_at = MomentField(required=False, allow_null=True, help_text="left out: now")


class WithdrawIn(Body):
    """Why a version is not to take effect."""

    reason = TextField(required=False)


class ChangeOut(serializers.Serializer[Any]):
    """A price before and after."""

    old = serializers.DictField(allow_null=True)
    new = serializers.DictField(allow_null=True)
    fields_changed = serializers.ListField(child=TextField())


class DiffOut(serializers.Serializer[Any]):
    """What differs between two versions."""

    version = TextField()
    against = TextField(allow_null=True)
    added = ChangeOut(many=True)
    removed = ChangeOut(many=True)
    changed = ChangeOut(many=True)
    unchanged = WholeField()


class OneVersion(APIView):
    """A version of a price book."""

    required_scope: ClassVar = {"GET": "pricing:read", "PUT": "pricing:write"}
    vendor_only = True
    parser_classes = WITH_CSV

    @extend_schema(operation_id="read_price_version", responses=VersionWithPricesOut)
    def get(self, request: Request, version_id: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Read a version with its prices."""
        return version_answer(version_by_id(public_id=version_id))

    @extend_schema(
        operation_id="replace_draft_prices",
        request={"application/json": DraftIn, "text/csv": OpenApiTypes.STR},
        responses=VersionWithPricesOut,
        examples=[OpenApiExample("One price", value={"prices": [EXAMPLE_PRICE]}, request_only=True)],
    )
    def put(self, request: Request, version_id: str) -> Response:
        """Let a draft hold these prices instead of those it holds; a table (text/csv) leaves its note."""
        version = version_by_id(public_id=version_id)
        if isinstance(request.data, bytes):
            rows = read_csv(request.data)
            with named_by_row(rows):
                return version_answer(replace_prices(version=version, prices=[row.terms for row in rows]))
        values = DraftIn.read(request)
        prices = [price_terms(price) for price in values["prices"]]
        return version_answer(replace_prices(version=version, prices=prices, note=values.get("note")))


class VersionDiffView(APIView):
    """A version compared."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(
        operation_id="diff_price_versions",
        parameters=[OpenApiParameter("against", str, description="the version before (`prv_…`); left out: the one in force")],
        responses=DiffOut,
    )
    def get(self, request: Request, version_id: str) -> Response:
        """What a version adds, removes and changes. Without a version in force, everything is added."""
        version = version_by_id(public_id=version_id)
        named = request.query_params.get("against")
        against = version_by_id(public_id=named) if named else live_version(book=version.book, at=clock.now())
        diff = diff_prices(terms_of_version(against) if against else [], terms_of_version(version))
        return Response(
            {
                "version": version.public_id,
                "against": against.public_id if against else None,
                "added": _changes(diff.added),
                "removed": _changes(diff.removed),
                "changed": _changes(diff.changed),
                "unchanged": diff.unchanged,
            }
        )


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


class VersionWithdraw(APIView):
    """Withdrawing a version."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="withdraw_price_version",
        request=WithdrawIn,
        responses={201: VersionWithPricesOut},
        examples=[OpenApiExample("Too early", value={"reason": "Announced for February"}, request_only=True)],
    )
    def post(self, request: Request, version_id: str) -> Response:
        """Keep a version published for later from taking effect: the prices before it are published for its time. Answers
        with the version that does so."""
        version = version_by_id(public_id=version_id)
        reason = WithdrawIn.read(request).get("reason", "")
        return version_answer(withdraw_version(version=version, at=clock.now(), reason=reason), status=201)


class VersionCsv(APIView):
    """A version as a table."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(operation_id="export_prices_csv", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request, version_id: str) -> HttpResponse:  # noqa: ARG002 - DRF's signature
        """Export a version's prices as CSV. Imported again, they are the same."""
        return _file(version_by_id(public_id=version_id), "csv", "text/csv; charset=utf-8", write_csv)


class VersionJson(APIView):
    """A version as a document."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(operation_id="export_prices_json", responses={(200, "application/json"): DraftIn})
    def get(self, request: Request, version_id: str) -> HttpResponse:  # noqa: ARG002 - DRF's signature
        """Export a version's prices as JSON, in the form in which a version is drafted."""
        return _file(version_by_id(public_id=version_id), "json", "application/json", write_json)


def _changes(changes: Iterable[PriceChange]) -> list[dict[str, Any]]:
    return [
        {"old": _document(change.old), "new": _document(change.new), "fields_changed": list(change.fields)}
        for change in changes
    ]


def _document(terms: PriceTerms | None) -> dict[str, Any] | None:
    return None if terms is None else price_document(terms)


def _file(version: PriceVersion, kind: str, content_type: str, write: Callable[[Iterable[PriceTerms]], str]) -> HttpResponse:
    name = f"{version.public_id}.{kind}"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return HttpResponse(write(terms_of_version(version)), content_type=content_type, headers=headers)
