"""The frame of the customer's pages."""

from __future__ import annotations

from typing import Any

from django import template

from billing_site.brand_pages import colours_address
from billing_site.portal.access import customer_of
from billing_site.portal.navigation import navigation_of
from wallets.brand.read import brand

register = template.Library()


@register.simple_tag
def colours_of_brand() -> str:
    """Where the brand's style sheet is; empty without a colour."""
    return colours_address(brand())


@register.inclusion_tag("portal/nav.html", takes_context=True)
def pages_of(context: dict[str, Any], account_key: str) -> dict[str, Any]:
    """The pages of an account that whoever looks may open."""
    request = context["request"]
    customer = customer_of(request)
    match = request.resolver_match
    return {"navigation": navigation_of(customer, account_key, here=match.url_name if match else "")}
