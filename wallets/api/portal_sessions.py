"""Ways for the vendor's own pages into the portal: one-time links, and tokens of the widget."""

from __future__ import annotations

from datetime import timedelta
from typing import Any, Final

from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import Body, MomentField, TextField, WholeField
from wallets.portal_links.make import LinkTerms, make_link
from wallets.portal_links.widget import TOKEN_SECONDS, widget_token, widget_url

EXAMPLE: Final = {"account": "acme", "user": "dana@acme.example", "read_only": False, "return_url": "https://app.example.com/"}


class PortalSessionIn(Body):
    """A link to be made."""

    account = TextField(help_text="whose pages it opens")
    user = TextField(required=False, help_text="e-mail of a member, whose role then holds; left out: a guest, who only reads")
    read_only = serializers.BooleanField(required=False, help_text="left out: true")  # type: ignore[assignment]
    ttl_seconds = WholeField(required=False, help_text="in which it must be used, 10 to 3600; left out: 300")
    session_minutes = WholeField(required=False, help_text="how long it is open then, 1 to 720; left out: 30")
    return_url = TextField(required=False, help_text="where the pages lead back to")


class PortalSessionOut(serializers.Serializer[Any]):
    """A link. Its address is told once."""

    id = TextField(source="link.public_id")
    account = TextField(source="link.account.key")
    user = TextField(source="link.user.email", default="")
    read_only = serializers.BooleanField(source="link.read_only")  # type: ignore[assignment]
    url = TextField(help_text="opens the portal once; send the browser there")
    expires_at = MomentField(source="link.expires_at", help_text="until when it can be used")


class PortalSessions(APIView):
    """One-time links into the portal."""

    required_scope = "accounts:write"
    vendor_only = True

    @extend_schema(
        operation_id="make_portal_session",
        request=PortalSessionIn,
        responses={201: PortalSessionOut},
        examples=[OpenApiExample("For a member", value=EXAMPLE, request_only=True)],
    )
    def post(self, request: Request) -> Response:
        """Make a link that opens the portal of one account, once. Its address is told once: asked again, another is made."""
        values = PortalSessionIn.read(request)
        account = account_by_key(key=values.pop("account"))
        made = make_link(account=account, terms=LinkTerms(**values), by=caller_of(request).actor, at=clock.now())
        return Response(PortalSessionOut(made).data, status=201)


class WidgetTokenOut(serializers.Serializer[Any]):
    """What a page of yours needs to show the widget of one account."""

    token = TextField(help_text="for this account's widget and nothing else")
    url = TextField(help_text="for the page's <iframe src>")
    expires_at = MomentField()


class WidgetTokens(APIView):
    """Tokens for the widget."""

    required_scope = "accounts:read"

    @extend_schema(operation_id="make_widget_token", request=Body, responses={201: WidgetTokenOut})
    def post(self, request: Request, key: str) -> Response:
        """Make a token with which a page of yours shows balance and usage of an account for an hour. Nothing is stored."""
        Body.read(request)
        token = widget_token(account=account_by_key(key=key, only_account_id=caller_of(request).account_id))
        made = {"token": token, "url": widget_url(token), "expires_at": clock.now() + timedelta(seconds=TOKEN_SECONDS)}
        return Response(WidgetTokenOut(made).data, status=201)
