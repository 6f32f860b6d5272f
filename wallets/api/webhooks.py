"""Where the payment provider's webhooks arrive. Stored first, handled later; 200 for everything it signed."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST

from wallets import clock
from wallets.errors import Refusal
from wallets.payments.receive_event import receive_event


@csrf_exempt
@require_POST
def stripe_webhook(request: HttpRequest) -> HttpResponse:
    """Store a webhook. 400 for what is not signed by the provider, or was signed too long ago."""
    try:
        receive_event(body=request.body, signature=request.headers.get("Stripe-Signature", ""), at=clock.now())
    except Refusal as refusal:
        return HttpResponse(refusal.message, status=400, content_type="text/plain")
    return HttpResponse(status=200)
