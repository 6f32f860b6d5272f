"""The banner for the vendor's own app: the vendor's backend asks for a token, the browser reads and puts away with it. Pages of
BANNER_ORIGINS may, by CORS; the token is confined to one account and good for an hour."""

from __future__ import annotations

from base64 import b64encode
from datetime import timedelta
from functools import cache
from hashlib import sha384
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.contrib.staticfiles import finders
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.templatetags.static import static
from django.utils import translation
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from notifications.alerts.banner import (
    TOKEN_SECONDS,
    TokenRefused,
    account_of_token,
    allowed_origin,
    banner_token,
    banners_of,
    dismiss,
)
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.caller import caller_of
from wallets.api.fields import Body, MomentField, TextField
from wallets.errors import NotFound

SCRIPT: Final = "billing_site/banner-1.js"
"""A version that is out never changes: what is changed is banner-2.js."""
PREFLIGHT_SECONDS: Final = 600
BEARER: Final = "Bearer "


class BannerTokenOut(serializers.Serializer[Any]):
    """What a page of yours needs to show the banner of one account."""

    token = TextField(help_text="for this account's banner and nothing else")
    expires_at = MomentField()
    script = TextField(help_text="for the page's <script src>")
    integrity = TextField(help_text="for its integrity attribute")


class BannerTokens(APIView):
    """Tokens for browsers."""

    required_scope = "accounts:read"

    @extend_schema(operation_id="make_banner_token", request=Body, responses={201: BannerTokenOut})
    def post(self, request: Request, key: str) -> Response:
        """Make a token with which a browser shows the banner of an account for an hour. Nothing is stored."""
        Body.read(request)
        account = account_by_key(key=key, only_account_id=caller_of(request).account_id)
        made = {
            "token": banner_token(account=account),
            "expires_at": clock.now() + timedelta(seconds=TOKEN_SECONDS),
            "script": f"{settings.SITE_URL}{static(SCRIPT)}",
            "integrity": script_integrity(),
        }
        return Response(BannerTokenOut(made).data, status=201)


@cache
def script_integrity() -> str:
    """The script's hash, as a browser checks it."""
    found = finders.find(SCRIPT)
    assert isinstance(found, str), SCRIPT
    return "sha384-" + b64encode(sha384(Path(found).read_bytes()).digest()).decode()


@csrf_exempt  # the token is the permission, and no cookie is read
@require_http_methods(["GET", "POST", "OPTIONS"])
def banner_alerts(request: HttpRequest) -> HttpResponse:
    """GET the lines of the token's account; POST `alert` puts one away."""
    if request.method == "OPTIONS":
        return _shared(request, HttpResponse(status=204))
    try:
        key = account_of_token(_token(request))
        if request.method == "POST":
            dismiss(account_key=key, alert=request.POST.get("alert", "")[:40], at=clock.now())
    except TokenRefused as refused:
        return _shared(request, _problem(401, refused.code, refused.message))
    except NotFound as missing:
        return _shared(request, _problem(404, missing.code, missing.message))
    language = translation.get_language_from_request(request)
    shown = banners_of(account_key=key, language=language, at=clock.now())
    lines = [{"alert": one.alert, "severity": one.severity, "text": one.text, "link": one.link} for one in shown]
    return _shared(request, JsonResponse({"data": lines}))


def _token(request: HttpRequest) -> str:
    said = request.headers.get("Authorization", "")
    return said[len(BEARER) :].strip() if said.startswith(BEARER) else ""


def _problem(status: int, code: str, detail: str) -> HttpResponse:
    document = {"type": "about:blank", "title": detail, "status": status, "code": code, "detail": detail}
    return JsonResponse(document, status=status, content_type="application/problem+json")


def _shared(request: HttpRequest, response: HttpResponse) -> HttpResponse:
    """Readable by pages of BANNER_ORIGINS, kept by nobody."""
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Vary"] = "Origin, Authorization, Accept-Language"
    origin = allowed_origin(request.headers.get("Origin", ""))
    if origin:
        response.headers["Access-Control-Allow-Origin"] = origin
        response.headers["Access-Control-Allow-Methods"] = "GET, POST"
        response.headers["Access-Control-Allow-Headers"] = "authorization, content-type"
        response.headers["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return response
