"""The log of a webhook endpoint over HTTP, and sending again."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.alerts.resend import deliveries_of, delivery_to, resend, resend_one
from notifications.alerts.send_test import send_test
from notifications.channels.webhook.endpoints import endpoint_by_id
from wallets import clock
from wallets.api.caller import caller_of
from wallets.api.fields import Body, LowerField, MomentField, TextField, WholeField


class DeliveryOut(serializers.Serializer[Any]):
    """An event on its way to an endpoint. answer: the first words of the last answer."""

    id = TextField(source="public_id")
    event = TextField(source="alert.public_id")
    type = TextField(source="alert.topic")
    state = LowerField()
    reason = TextField()
    attempts = WholeField()
    next_at = MomentField(allow_null=True)
    sent_at = MomentField(allow_null=True)
    answer_status = WholeField(allow_null=True)
    answer = TextField()
    created_at = MomentField()


class ResendIn(Body):
    """Events of which time, `until` excluded."""

    since = MomentField()
    until = MomentField()


class ResendOut(serializers.Serializer[Any]):
    """How many are sent again."""

    resent = WholeField()


class AttemptOut(serializers.Serializer[Any]):
    """One try. status: of HTTP; null: no answer."""

    number = WholeField()
    at = MomentField()
    milliseconds = WholeField()
    status = WholeField(allow_null=True)
    answer = TextField()


class DeliveryWithAttemptsOut(DeliveryOut):
    """An event on its way to an endpoint, with every try."""

    tries = AttemptOut(many=True)


class WebhookDeliveries(GenericAPIView[Any]):
    """The log."""

    required_scope = "accounts:read"
    page_by = "-id"
    serializer_class = DeliveryOut

    @extend_schema(operation_id="list_webhook_deliveries", responses=DeliveryOut(many=True))
    def get(self, request: Request, endpoint_id: str) -> Response:
        """List what was sent to an endpoint, the newest first."""
        endpoint = endpoint_by_id(public_id=endpoint_id, only_account_id=caller_of(request).account_id)
        page = self.paginate_queryset(deliveries_of(endpoint))
        return self.get_paginated_response(DeliveryOut(page, many=True).data)


class WebhookResend(APIView):
    """Sending again."""

    required_scope = "accounts:write"
    idempotent = True

    @extend_schema(operation_id="resend_webhooks", request=ResendIn, responses=ResendOut)
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send every event of a range of time again, with the ids they had."""
        endpoint = endpoint_by_id(public_id=endpoint_id, only_account_id=caller_of(request).account_id)
        said = ResendIn.read(request)
        count = resend(endpoint=endpoint, since=said["since"], until=said["until"], at=clock.now())
        return Response(ResendOut({"resent": count}).data)


class OneWebhookDelivery(APIView):
    """One of the log."""

    required_scope = "accounts:read"

    @extend_schema(operation_id="read_webhook_delivery", responses=DeliveryWithAttemptsOut)
    def get(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        """Read a delivery with its attempts and their answers."""
        endpoint = endpoint_by_id(public_id=endpoint_id, only_account_id=caller_of(request).account_id)
        delivery = delivery_to(endpoint, public_id=delivery_id)
        tries = delivery.tries.order_by("number")
        return Response({**DeliveryOut(delivery).data, "tries": AttemptOut(tries, many=True).data})


class WebhookDeliveryResend(APIView):
    """One again."""

    required_scope = "accounts:write"
    idempotent = True

    @extend_schema(operation_id="resend_webhook", request=Body, responses=DeliveryOut)
    def post(self, request: Request, endpoint_id: str, delivery_id: str) -> Response:
        """Send one event again, with the id it had, whatever became of it."""
        Body.read(request)
        endpoint = endpoint_by_id(public_id=endpoint_id, only_account_id=caller_of(request).account_id)
        resend_one(delivery=delivery_to(endpoint, public_id=delivery_id), at=clock.now())
        return Response(DeliveryOut(delivery_to(endpoint, public_id=delivery_id)).data)


class WebhookTest(APIView):
    """A test."""

    required_scope = "accounts:write"
    idempotent = True

    @extend_schema(operation_id="test_webhook_endpoint", request=Body, responses={201: DeliveryOut})
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send a `test` event to this endpoint and no other; its answer is in the log."""
        Body.read(request)
        endpoint = endpoint_by_id(public_id=endpoint_id, only_account_id=caller_of(request).account_id)
        return Response(DeliveryOut(send_test(endpoint=endpoint, at=clock.now())).data, status=201)
