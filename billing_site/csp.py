"""Content-Security-Policy by path: strict everywhere, and exactly as loose as two packages need under their own paths."""

from __future__ import annotations

from typing import Any, Final

from csp.constants import SELF, UNSAFE_EVAL, UNSAFE_INLINE
from csp.middleware import CSPMiddleware
from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

# Unfold's pages run Alpine.js, which evaluates expressions, and style inline; Swagger's page starts from an inline
# script. Both load from our own host only, and neither shows what a customer typed as HTML.
_LOOSER: Final[dict[str, dict[str, Any]]] = {
    "/admin/": {"script-src": [SELF, UNSAFE_INLINE, UNSAFE_EVAL], "style-src": [SELF, UNSAFE_INLINE]},
    "/api/docs/": {"script-src": [SELF, UNSAFE_INLINE], "style-src": [SELF, UNSAFE_INLINE], "worker-src": ["blob:"]},
}


class PolicyByPathMiddleware(CSPMiddleware):
    """Replaces directives for the paths in the table, unless the view has said something itself."""

    def process_response(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        """Add the header."""
        for path, directives in _LOOSER.items():
            if request.path.startswith(path) and not hasattr(response, "_csp_replace"):
                response._csp_replace = directives  # type: ignore[attr-defined]  # noqa: SLF001 - as csp_replace does
        return super().process_response(request, response)


def allow_card_element(response: HttpResponse) -> HttpResponse:
    """Let this page, and no other, load the payment provider's script and what it needs: its frames and its API."""
    if settings.STRIPE_API_URL:
        extra = {"script-src": [settings.STRIPE_API_URL], "connect-src": [settings.STRIPE_API_URL]}
    else:  # docs.stripe.com/security/guide, "Content security policy"
        frames = ["https://js.stripe.com", "https://*.js.stripe.com"]
        extra = {
            "script-src": frames,
            "connect-src": ["https://api.stripe.com"],
            "frame-src": [*frames, "https://hooks.stripe.com"],
        }
    response._csp_update = extra  # type: ignore[attr-defined]  # noqa: SLF001 - as csp_update does
    return response


def card_element_script() -> str:
    """Where the payment provider's script is."""
    return f"{settings.STRIPE_API_URL}/js.stripe.com/v3/" if settings.STRIPE_API_URL else "https://js.stripe.com/v3/"
