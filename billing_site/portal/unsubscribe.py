"""Unsubscribing from a kind of mail by the link in it: no sign-in. Mail programs POST it with one click (RFC 8058); a person
who follows it is asked, since programs that look at links must not unsubscribe anybody."""

from __future__ import annotations

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_http_methods

from notifications.alerts.unsubscribe import read_token
from notifications.alerts.unsubscribe import unsubscribe as do_unsubscribe
from notifications.channels.topics import TOPICS
from wallets.errors import NotFound


@csrf_exempt  # the signed link is the permission, and mail programs have no cookie
@require_http_methods(["GET", "HEAD", "POST"])
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """GET asks, POST does it."""
    done = request.method == "POST"
    try:
        recipient, topic = do_unsubscribe(token=token) if done else read_token(token)
    except NotFound:
        raise Http404 from None
    return render(request, "portal/unsubscribe.html", {"done": done, "email": recipient.email, "says": TOPICS[topic].says})
