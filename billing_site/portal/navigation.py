"""The pages of an account, in groups: who may open which, and where one is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from django.urls import reverse
from django.utils.translation import gettext_lazy as _

from billing_site.portal.access import MAY, MAY_BY_LINK, Customer
from wallets.accounts.models import Member


class Page(NamedTuple):
    """A page: what it is called, its URL's name, who may open it (a word of MAY), and the pages below it. in_query: the account
    stands in the query, not in the path. of_person: about who looks, so not for support that looks at a customer's pages."""

    label: Any
    name: str
    right: str = "read"
    below: tuple[str, ...] = ()
    in_query: bool = False
    of_person: bool = False


GROUPS: Final[tuple[tuple[Any, tuple[Page, ...]], ...]] = (
    (
        _("Overview"),
        (Page(_("Overview"), "balance", in_query=True),),
    ),
    (_("Usage"), (Page(_("Usage"), "usage", below=("usage_events", "charge")),)),
    (
        _("Credit"),
        (
            Page(_("Credit and vouchers"), "credit", below=("lot",)),
            Page(_("Plan"), "plan", in_query=True),
        ),
    ),
    (
        _("Payments"),
        (
            Page(_("Payments"), "payments", below=("receipt",)),
            Page(_("Top up"), "top_up", "pay"),
            Page(_("Auto-recharge"), "auto_recharge"),
            Page(_("Cards"), "cards", "pay"),
            Page(_("Withdraw"), "withdraw", "pay", below=("confirm_withdraw",)),
        ),
    ),
    (_("Statements"), (Page(_("Statements"), "statements", below=("statement", "statement_line", "credit_note")),)),
    (_("Alerts"), (Page(_("Alerts"), "alerts"), Page(_("Webhooks"), "webhooks", below=("webhook",)))),
    (_("Developers"), (Page(_("API keys"), "developers", "keys"), Page(_("Spend caps"), "caps"))),
    (
        _("Settings"),
        (
            Page(_("Billing details"), "billing"),
            Page(_("Team"), "team"),
            Page(_("Security"), "security", in_query=True, of_person=True),
            Page(_("Privacy"), "privacy", of_person=True),
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Link:
    """A link. here: one is on it, or on a page below it."""

    label: Any
    address: str
    here: bool


@dataclass(frozen=True, slots=True)
class Navigation:
    """The groups, each leading to its first page, and the pages of the one in which one is (none where it is the only one)."""

    groups: list[Link]
    pages: list[Link]


def navigation_of(customer: Customer, account_key: str, *, here: str) -> Navigation:
    """What of an account this person may open. here: name of the URL one is on. One query."""
    role = None
    if customer.linked is not None:
        role = customer.linked_role
    elif customer.visiting is None:
        found = Member.objects.filter(account__key=account_key, user=customer.user)
        role = found.values_list("role", flat=True).first()
    groups: list[Link] = []
    pages: list[Link] = []
    for label, of_group in GROUPS:
        if customer.visiting is None:
            open_to = [page for page in of_group if role in MAY[page.right] and _open_by(customer, page)]
        else:
            open_to = [page for page in of_group if not page.of_person]
        if not open_to:
            continue
        links = [Link(page.label, address_of(page, account_key), here in (page.name, *page.below)) for page in open_to]
        inside = any(link.here for link in links)
        groups.append(Link(label, links[0].address, inside))
        if inside and len(links) > 1:
            pages = links
    return Navigation(groups, pages)


def _open_by(customer: Customer, page: Page) -> bool:
    return customer.linked is None or (page.right in MAY_BY_LINK and not page.of_person)


def address_of(page: Page, account_key: str) -> str:
    """Where a page of an account is."""
    if page.in_query:
        return f"{reverse(f'portal:{page.name}')}?{urlencode({'account': account_key})}"
    return reverse(f"portal:{page.name}", args=[account_key])
