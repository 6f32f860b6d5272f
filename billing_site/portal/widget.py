"""Balance and usage of an account in a frame on the vendor's own page: no script, no cookie, no form. It loads itself again
every minute, as long as its token is good."""

from __future__ import annotations

from typing import Final

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer
from billing_site.portal.balance import read_balance_page
from wallets.accounts.models import Member, User
from wallets.brand.read import brand
from wallets.clock import now
from wallets.errors import Refusal
from wallets.portal_links.widget import account_of_widget

REFRESH_SECONDS: Final = 60
THEMES: Final = frozenset({"light", "dark"})


@require_safe
@xframe_options_exempt
def widget(request: HttpRequest, token: str) -> HttpResponse:
    """Show it; `?theme=light` or `dark`, else the viewer's; `?wallet=wal_…`, else the account's first."""
    theme = request.GET.get("theme", "")
    context = {"theme": theme if theme in THEMES else "", "refresh": REFRESH_SECONDS}
    status = 200
    try:
        account = account_of_widget(token)
    except Refusal as refusal:
        context["problem"], status = refusal.message, 404
    else:
        guest = Customer(User(email=""), linked=account, linked_role=Member.Role.VIEWER)
        wallet = request.GET.get("wallet") or None
        context["page"] = read_balance_page(guest, account_key=account.key, wallet_id=wallet, span="", at=now())
    response = render(request, "portal/widget.html", context, status=status)
    response.headers["Cache-Control"] = "private, no-store"
    response.headers["Referrer-Policy"] = "no-referrer"
    response._csp_replace = {  # type: ignore[attr-defined]  # noqa: SLF001 - as csp_replace does
        "script-src": ["'self'"], "connect-src": ["'self'"], "form-action": ["'none'"],
        "frame-ancestors": list(brand().embed_origins) or ["'none'"],
    }  # fmt: skip
    return response
