"""Webhook endpoints over HTTP. A key confined to an account sees and makes that account's; another key makes the vendor's, or
an account's that it names."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, ClassVar, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.channels.topics import TOPICS
from notifications.channels.webhook.endpoints import (
    OVERLAP,
    EndpointTerms,
    change_endpoint,
    enable_endpoint,
    endpoint_by_id,
    endpoints_seen,
    make_endpoint,
    remove_endpoint,
    rotate_secret,
)
from notifications.channels.webhook.models import WebhookEndpoint
from wallets import clock
from wallets.accounts.models import Account
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import Body, LowerField, MomentField, TextField, WholeField
from wallets.api_keys.verify import Caller

EXAMPLE: Final = {
    "id": "whe_5kT1bN8xW3qZ7mR2vC9hYf",
    "account": "acme",
    "kind": "standard",
    "url": "https://acme.example/hooks/billing",
    "description": "production",
    "event_types": ["threshold_crossed", "top_up_succeeded"],
    "state": "active",
    "disabled_reason": "",
    "failing_since": None,
    "previous_secret_until": None,
    "created_at": "2026-11-23T10:00:00Z",
}
EXAMPLE_WITH_SECRET: Final = {**EXAMPLE, "secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw4k3lVQd8wpQ="}


class EndpointIn(Body):
    """A webhook endpoint."""

    account = TextField(required=False, help_text="left out: the vendor's own, told of every account")
    url = TextField(help_text="https, on the public internet")
    description = TextField(required=False)
    event_types = serializers.ListField(child=TextField(), required=False, help_text="left out or empty: all")
    kind = TextField(required=False, help_text="standard, or slack (the vendor's): a Slack-compatible incoming webhook")


class EndpointChangeIn(Body):
    """What changes."""

    url = TextField(required=False)
    description = TextField(required=False)
    event_types = serializers.ListField(child=TextField(), required=False)


class RotationIn(Body):
    """How the secret changes."""

    overlap_hours = WholeField(required=False, help_text="how long the present secret still signs: 0 to 168, 24 if left out")


class EndpointOut(serializers.Serializer[Any]):
    """A webhook endpoint."""

    id = TextField(source="public_id")
    account = serializers.CharField(source="account.key", allow_null=True, default=None)
    kind = LowerField()
    url = TextField()
    description = TextField()
    event_types = serializers.ListField(child=TextField())
    state = LowerField()
    disabled_reason = TextField()
    failing_since = MomentField(allow_null=True)
    previous_secret_until = MomentField(allow_null=True)
    created_at = MomentField()


class EndpointWithSecretOut(EndpointOut):
    """A webhook endpoint and what its requests are signed with."""

    secret = TextField(help_text="for a library of standardwebhooks.com")


class EventTypeOut(serializers.Serializer[Any]):
    """An event that can be chosen."""

    type = TextField()
    group = TextField()
    says = TextField()


class EventTypesOut(serializers.Serializer[Any]):
    """All of them."""

    data = EventTypeOut(many=True)  # type: ignore[assignment] # a field of ours


class WebhookEventTypes(APIView):
    """What an endpoint can choose from."""

    required_scope = "accounts:read"

    @extend_schema(operation_id="list_webhook_event_types", responses=EventTypesOut)
    def get(self, request: Request) -> Response:
        """Every event type, in words."""
        mine = caller_of(request).account_id is not None
        found = [(name, topic) for name, topic in TOPICS.items() if not (topic.mailed or (mine and topic.finance))]
        return Response({"data": [{"type": name, "group": topic.group, "says": topic.says} for name, topic in found]})


class WebhookEndpoints(GenericAPIView[Any]):
    """All endpoints the caller may see."""

    required_scope: ClassVar = {"GET": "accounts:read", "POST": "accounts:write"}
    idempotent = True
    page_by = "id"
    serializer_class = EndpointOut

    @extend_schema(operation_id="list_webhook_endpoints", responses=EndpointOut(many=True))
    def get(self, request: Request) -> Response:
        """List webhook endpoints, the oldest first."""
        page = self.paginate_queryset(endpoints_seen(only_account_id=caller_of(request).account_id))
        return self.get_paginated_response(EndpointOut(page, many=True).data)

    @extend_schema(
        operation_id="make_webhook_endpoint",
        request=EndpointIn,
        responses={201: EndpointWithSecretOut},
        examples=[
            OpenApiExample(
                "An account's", value={"account": "acme", "url": "https://acme.example/hooks/billing"}, request_only=True
            ),
            OpenApiExample("Made", value=EXAMPLE_WITH_SECRET, response_only=True, status_codes=["201"]),
        ],
    )
    def post(self, request: Request) -> Response:
        """Make an endpoint. The answer has its secret; it can be read again and rotated."""
        said = EndpointIn.read(request)
        account = _whose(caller_of(request), said.pop("account", None))
        kind = said.pop("kind", "standard").upper()
        endpoint = make_endpoint(account=account, terms=EndpointTerms(kind=kind, **said), at=clock.now())
        return Response(EndpointWithSecretOut(endpoint).data, status=201)


class OneWebhookEndpoint(APIView):
    """One endpoint."""

    required_scope: ClassVar = {"GET": "accounts:write", "PATCH": "accounts:write", "DELETE": "accounts:write"}

    @extend_schema(
        operation_id="read_webhook_endpoint",
        responses=EndpointWithSecretOut,
        examples=[OpenApiExample("An endpoint", value=EXAMPLE_WITH_SECRET, response_only=True)],
    )
    def get(self, request: Request, endpoint_id: str) -> Response:
        """Read an endpoint with its secret."""
        return Response(EndpointWithSecretOut(_endpoint(request, endpoint_id)).data)

    @extend_schema(operation_id="change_webhook_endpoint", request=EndpointChangeIn, responses=EndpointOut)
    def patch(self, request: Request, endpoint_id: str) -> Response:
        """Change its address, description or event types. Events that still wait go to the new address."""
        said = EndpointChangeIn.read(request, partial=True)
        endpoint = _endpoint(request, endpoint_id)
        present = EndpointTerms(endpoint.url, endpoint.description, endpoint.event_types, endpoint.kind)
        return Response(EndpointOut(change_endpoint(endpoint=endpoint, terms=replace(present, **said))).data)

    @extend_schema(operation_id="remove_webhook_endpoint", responses={204: None})
    def delete(self, request: Request, endpoint_id: str) -> Response:
        """Remove it. What still waits for it is not sent."""
        remove_endpoint(endpoint=_endpoint(request, endpoint_id), at=clock.now())
        return Response(status=204)


class WebhookSecretRotation(APIView):
    """A new secret."""

    required_scope = "accounts:write"
    idempotent = True

    @extend_schema(operation_id="rotate_webhook_secret", request=RotationIn, responses=EndpointWithSecretOut)
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Sign with a new secret. The present one signs beside it for a while, so that no event is lost while you change."""
        said = RotationIn.read(request)
        hours = said.get("overlap_hours", OVERLAP // timedelta(hours=1))
        overlap = timedelta(hours=min(max(hours, -1), 10_000))
        endpoint = rotate_secret(endpoint=_endpoint(request, endpoint_id), at=clock.now(), overlap=overlap)
        return Response(EndpointWithSecretOut(endpoint).data)


class WebhookEndpointEnabling(APIView):
    """Sending again."""

    required_scope = "accounts:write"
    idempotent = True

    @extend_schema(operation_id="enable_webhook_endpoint", request=Body, responses=EndpointOut)
    def post(self, request: Request, endpoint_id: str) -> Response:
        """Send to it again, after it was disabled. What it missed can be sent again from its log."""
        Body.read(request)
        return Response(EndpointOut(enable_endpoint(endpoint=_endpoint(request, endpoint_id))).data)


def _endpoint(request: Request, endpoint_id: str) -> WebhookEndpoint:
    return endpoint_by_id(public_id=endpoint_id, only_account_id=caller_of(request).account_id)


def _whose(caller: Caller, key: str | None) -> Account | None:
    """The account an endpoint is made for: a confined key's own, the one that was named, or none."""
    if key is not None:
        return account_by_key(key=key, only_account_id=caller.account_id)
    return Account.objects.get(pk=caller.account_id) if caller.account_id is not None else None
