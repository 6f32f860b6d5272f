"""What a mail service says about mailboxes: that one does not exist, or that somebody called our mail spam."""

from __future__ import annotations

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.alerts.bounces import note_bounce, note_complaint
from wallets import clock
from wallets.api.fields import Body, TextField, WholeField
from wallets.errors import InvalidInput

KINDS: Final = {"bounce": note_bounce, "complaint": note_complaint}


class BounceIn(Body):
    """One piece of news about one mailbox."""

    kind = TextField(help_text="bounce: it does not exist; complaint: its owner called our mail spam")
    email = TextField(help_text="the mailbox")
    delivery = TextField(required=False, help_text="which mail: the part of its Message-ID before the @ (`dlv_…`)")


class BounceOut(serializers.Serializer[Any]):
    """What it changed."""

    recipients = WholeField(help_text="how many recipients have this mailbox")


class Bounces(APIView):
    """The door for a mail service's notices."""

    required_scope = "accounts:write"
    vendor_only = True
    idempotent = True

    @extend_schema(
        operation_id="note_bounce",
        request=BounceIn,
        responses=BounceOut,
        examples=[
            OpenApiExample(
                "A mailbox that does not exist",
                value={"kind": "bounce", "email": "gone@acme.example", "delivery": "dlv_5kT1bN8xW3qZ7mR2vC9hYf"},
                request_only=True,
            )
        ],
    )
    def post(self, request: Request) -> Response:
        """Tell of a hard bounce (nothing more is sent there) or of a complaint (only what is mandatory is). Soft bounces are
        not told: the mail service tries again by itself."""
        said = BounceIn.read(request)
        note = KINDS.get(said["kind"])
        if note is None:
            raise InvalidInput("This cannot be noted.", fields={"kind": f"one of {', '.join(KINDS)}"})
        return Response(
            BounceOut({"recipients": note(email=said["email"], delivery=said.get("delivery", ""), at=clock.now())}).data
        )
