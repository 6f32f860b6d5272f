"""Meters over HTTP: define, list, read, archive."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from pricing.meters.define import archive_meter, define_meter
from pricing.meters.queries import all_meters, meter_by_code
from wallets import clock
from wallets.api.fields import Body, MomentField, TextField

EXAMPLE_METER = {
    "code": "llm.output_tokens",
    "name": "Output tokens",
    "unit": "token",
    "event_type": "llm.request",
    "aggregation": "sum",
    "property": "output_tokens",
    "filters": {},
    "dimensions": ["model", "endpoint"],
}
EXAMPLE_EXPRESSION = {
    "code": "llm.fresh_input_tokens",
    "event_type": "llm.request",
    "aggregation": "sum",
    "expression": "input_tokens - coalesce(cached_tokens, 0)",
}


class NewMeterIn(Body):
    """A meter to be defined."""

    code = TextField()
    event_type = TextField()
    aggregation = TextField(help_text="count, sum, max, unique or latest; the last three charge the increase in a month")
    property = TextField(required=False, help_text="measured property; left out for count")
    expression = TextField(required=False, help_text="measured instead of a property: input_tokens - cached_tokens")
    filters = serializers.DictField(required=False, help_text="property -> value or list of values it must have")
    dimensions = serializers.ListField(child=TextField(), required=False, help_text="properties usage is reported by")
    name = TextField(required=False)
    unit = TextField(required=False, help_text="what one is called: token, call, second")


class MeterOut(serializers.Serializer[Any]):
    """A meter."""

    code = TextField()
    name = TextField()
    unit = TextField()
    event_type = TextField()
    aggregation = TextField()
    property = TextField(help_text="empty for count, and where there is an expression")
    expression = TextField(help_text="empty where there is none")
    filters = serializers.DictField()
    dimensions = serializers.ListField(child=TextField())
    created_at = MomentField()
    archived_at = MomentField(allow_null=True)


class Meters(GenericAPIView[Any]):
    """All meters."""

    required_scope: ClassVar = {"GET": "pricing:read", "POST": "pricing:write"}
    vendor_only = True
    idempotent = True
    page_by = "id"
    serializer_class = MeterOut

    @extend_schema(operation_id="list_meters", responses=MeterOut(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the paginator reads it
        """List meters, oldest first, archived ones too."""
        return self.get_paginated_response(MeterOut(self.paginate_queryset(all_meters()), many=True).data)

    @extend_schema(
        operation_id="define_meter",
        request=NewMeterIn,
        responses={201: MeterOut},
        examples=[
            OpenApiExample("Output tokens by model", value=EXAMPLE_METER, request_only=True),
            OpenApiExample("Computed from properties", value=EXAMPLE_EXPRESSION, request_only=True),
        ],
    )
    def post(self, request: Request) -> Response:
        """Define a meter. What it measures never changes."""
        values = NewMeterIn.read(request)
        return Response(MeterOut(define_meter(at=clock.now(), **values)).data, status=201)


class OneMeter(APIView):
    """A meter."""

    required_scope = "pricing:read"
    vendor_only = True

    @extend_schema(operation_id="read_meter", responses=MeterOut)
    def get(self, request: Request, code: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Read a meter."""
        return Response(MeterOut(meter_by_code(code=code)).data)


class MeterArchive(APIView):
    """Archiving a meter."""

    required_scope = "pricing:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="archive_meter", request=None, responses=MeterOut)
    def post(self, request: Request, code: str) -> Response:  # noqa: ARG002 - DRF's signature
        """Stop measuring new events on this meter; what was charged stays."""
        return Response(MeterOut(archive_meter(meter=meter_by_code(code=code), at=clock.now())).data)
