"""Events that wait for a price, over HTTP: list, replay."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.ingest.dead_letters import dead_letters_waiting, replay_dead_letters
from wallets import clock
from wallets.api.fields import AmountField, Body, MomentField, TextField


class DeadLetterOut(serializers.Serializer[Any]):
    """Why an event is not charged yet."""

    id = TextField(source="event.event_id")
    account = TextField(source="account.key")
    type = TextField(source="event.type")
    time = MomentField(source="event.time")
    reason = TextField()
    detail = TextField()
    parked_at = MomentField()
    attempts = serializers.IntegerField()


class ReplayOut(serializers.Serializer[Any]):
    """What a replay did."""

    replayed = serializers.IntegerField()
    still_waiting = serializers.IntegerField()
    charged = serializers.DictField(child=AmountField(), help_text="currency -> amount")


class DeadLetters(GenericAPIView[Any]):
    """Events that wait for a price."""

    required_scope = "reports:read"
    vendor_only = True
    page_by = "id"
    serializer_class = DeadLetterOut

    @extend_schema(operation_id="list_dead_letters", responses=DeadLetterOut(many=True))
    def get(self, request: Request) -> Response:  # noqa: ARG002 - the paginator reads it
        """List events that could not be rated, oldest first."""
        return self.get_paginated_response(DeadLetterOut(self.paginate_queryset(dead_letters_waiting()), many=True).data)


class DeadLetterReplay(APIView):
    """Replaying them."""

    required_scope: ClassVar = "events:write"
    vendor_only = True
    idempotent = True

    @extend_schema(operation_id="replay_dead_letters", request=Body, responses=ReplayOut)
    def post(self, request: Request) -> Response:
        """Rate and charge everything that waits, at the prices in force at each event's time."""
        Body.read(request)
        return Response(ReplayOut(replay_dead_letters(at=clock.now())).data)
