"""The search box of the back office (Ctrl K): what `lookup.py` finds, for people who may see it."""

from __future__ import annotations

from django.http import HttpRequest
from django.urls import reverse
from unfold.dataclasses import SearchResult

from billing_site.backoffice.lookup import Match, matches

CUSTOMER = "wallets.view_account"


def find(request: HttpRequest, search_term: str) -> list[SearchResult]:
    """What the term names, for people who may see it. `search_term` comes in lower case; ids need the term as typed."""
    found = [one for one in matches(request.GET.get("s", search_term)) if request.user.has_perm(one.permission)]
    results = [SearchResult(title=one.title, description=one.description, link=page_of(one), icon=one.icon) for one in found]
    if not request.user.has_perm(CUSTOMER):
        return results
    whose = {one.account_id: one.account_name for one in found if one.account_id is not None}
    return results + [
        SearchResult(
            title=name, description="Everything about this customer", link=address_of_customer(pk), icon="person_search"
        )
        for pk, name in whose.items()
    ]


def page_of(match: Match) -> str:
    """The address of what was found."""
    return reverse(f"admin:{match.app_model}_change", args=[match.pk])


def address_of_customer(account_pk: int) -> str:
    """The address of everything about a customer."""
    return reverse("admin:customer", args=[account_pk])
