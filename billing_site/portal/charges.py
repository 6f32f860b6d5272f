"""One charge explained: the customer's way from an event to the credit that paid for it."""

from __future__ import annotations

from typing import NamedTuple

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from billing_site.portal.access import Customer, customer_page
from metering.usage.explain import explain_event


class OfAccount(NamedTuple):
    """Whose page it is, for its frame."""

    account_key: str
    account_name: str


@require_safe
@customer_page
def charge(request: HttpRequest, customer: Customer, event: int) -> HttpResponse:
    """The explanation of an event of one of the customer's accounts."""
    explanation = explain_event(event_pk=customer.event_pk(event))
    page = OfAccount(explanation.account, explanation.account_name)
    return render(request, "portal/charge.html", {"explanation": explanation, "page": page})
