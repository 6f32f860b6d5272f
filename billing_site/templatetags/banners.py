"""The banner on the customer's pages."""

from __future__ import annotations

from typing import Any

from django import template
from django.utils import translation

from notifications.alerts.banner import Banner, banners_of
from wallets.clock import now

register = template.Library()


@register.inclusion_tag("components/banners.html", takes_context=True)
def banners(context: dict[str, Any], account_key: str) -> dict[str, Any]:
    """What stands in the banner of the account a page is about; the page has asked whether it may be seen. One query."""
    found: list[Banner] = banners_of(account_key=account_key, language=translation.get_language() or "en", at=now())
    request = context["request"]
    may = getattr(request, "support_visit", None) is None
    return {
        "banners": found,
        "account_key": account_key,
        "may": may,
        "here": request.get_full_path(),
        "csrf_token": context.get("csrf_token"),
    }
