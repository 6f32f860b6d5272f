"""Usage events over HTTP: send, find, explain, void."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, ClassVar, Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from metering.api.event_answers import (
    EventOut,
    EventQuery,
    ExplanationOut,
    IngestOut,
    VoidIn,
    answer_of,
    explanation_of,
)
from metering.ingest.batch import ingest_max_age
from metering.ingest.body import unpack
from metering.ingest.cloudevents import BATCH, STRUCTURED, decode_batch, decode_binary, decode_structured
from metering.ingest.decode import Decoded, decode_events, only_of_account
from metering.ingest.group_commit import group_commit
from metering.ingest.tally import tally_rejected
from metering.usage.events import events_of
from metering.usage.explain import event_pk_of, explain_event
from metering.usage.void import void_event
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.errors import NotFound

EXAMPLE_EVENT: Final = {
    "id": "req_8f3",
    "type": "llm.request",
    "account": "acme",
    "time": "2026-11-23T10:00:00.123Z",
    "properties": {"model": "gpt-5", "endpoint": "/v1/chat/completions", "input_tokens": 812, "output_tokens": 96},
}
_DECODERS: Final[dict[str, Callable[[bytes], Decoded]]] = {STRUCTURED: decode_structured, BATCH: decode_batch}


class Events(GenericAPIView[Any]):
    """All usage events."""

    required_scope: ClassVar = {"POST": "events:write", "GET": "reports:read"}
    parser_classes = ()
    page_by = "-id"
    serializer_class = EventOut

    @extend_schema(
        operation_id="send_events",
        request={
            "application/json": OpenApiTypes.OBJECT,
            STRUCTURED: OpenApiTypes.OBJECT,
            BATCH: OpenApiTypes.OBJECT,
        },
        responses={200: IngestOut},
        examples=[OpenApiExample("One event", value=EXAMPLE_EVENT, request_only=True)],
    )
    def post(self, request: Request) -> HttpResponse:
        """Send one event, a list of up to 10,000, or CloudEvents 1.0; gzip and zstd are accepted.

        An id charges once per account, however often it is sent. 200 also when some were refused: `rejected` says which.
        """
        at = clock.now()
        decoded = _decode(request)
        own = caller_of(request).account_key
        if own is not None:
            decoded = only_of_account(decoded, own)
        result = group_commit.ingest(events=decoded.events, at=at, max_age=ingest_max_age())
        tally_rejected(len(decoded.rejected), at=at)
        return answer_of(decoded, result)

    @extend_schema(operation_id="find_events", parameters=[EventQuery], responses=EventOut(many=True))
    def get(self, request: Request) -> Response:
        """Find events of an account by the time of the usage (`from` inclusive, `to` exclusive), last received first."""
        query = EventQuery.of(request)
        account = account_by_key(key=query["account"], only_account_id=caller_of(request).account_id)
        events = events_of(account_id=account.pk, start=query.get("from"), end=query.get("to"))
        return self.get_paginated_response(EventOut(self.paginate_queryset(events), many=True).data)


class OneEvent(APIView):
    """An event."""

    required_scope = "reports:read"

    @extend_schema(
        operation_id="explain_event",
        parameters=[OpenApiParameter("account", str, description="needed when several accounts sent this id")],
        responses=ExplanationOut,
    )
    def get(self, request: Request, event_id: str) -> Response:
        """Explain an event: quantities, price version, tiers, lots drawn, journal entry."""
        event_pk = event_pk_of(event_id=event_id, account_key=_account(request))
        return Response(explanation_of(explain_event(event_pk=event_pk), caller_of(request)))


class EventVoid(APIView):
    """Voiding an event."""

    required_scope = "events:write"
    idempotent = True

    @extend_schema(operation_id="void_event", request=VoidIn, responses=ExplanationOut)
    def post(self, request: Request, event_id: str) -> Response:
        """Take an event back: its charge returns to the lots it came from. Once."""
        values = VoidIn.read(request)
        own, named = caller_of(request).account_key, values.get("account")
        if named and own not in (None, named):
            raise NotFound(f"There is no account {named[:120]}.")
        event_pk = event_pk_of(event_id=event_id, account_key=named or _account(request))
        void_event(event_pk=event_pk, at=clock.now(), reason=values.get("reason", ""), actor=caller_of(request).actor)
        return Response(explanation_of(explain_event(event_pk=event_pk), caller_of(request)))


def _decode(request: Request) -> Decoded:
    """The events of a request, by its content type. Raises the refusals of `decode`, `cloudevents` and `body`."""
    body = unpack(request._request.body, request.headers.get("Content-Encoding", ""))  # noqa: SLF001 - DRF parses nothing here
    content_type = (request.content_type or "").partition(";")[0].strip().lower()
    if content_type in _DECODERS:
        return _DECODERS[content_type](body)
    if "ce-id" in request.headers:
        return decode_binary(body, {name.lower(): value for name, value in request.headers.items()})
    return decode_events(body)


def _account(request: Request) -> str | None:
    """The account a request is about: its key's, where it is confined to one."""
    return caller_of(request).account_key or request.query_params.get("account") or None
