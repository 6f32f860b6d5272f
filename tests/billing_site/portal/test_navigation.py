"""The navigation: whoever looks sees the pages they may open, and every page of the portal is reached from it."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from billing_site.portal.navigation import GROUPS
from billing_site.portal.urls import urlpatterns
from tests.factories.shop import Shop, browser_of
from wallets.accounts.models import Member, User

pytestmark = pytest.mark.django_db

# Pages that are no page of an account: reached by a link in a mail, by a form, or by a link on a page.
NOT_FROM_HERE = (
    "login", "logout", "enter", "leave", "widget",
    "start", "invitation", "unsubscribe", "support", "end_support", "look", "begin_card", "keep_card",
    "dismiss", "change_card", "statement_pdf", "statement_csv", "usage_csv", "download", "close", "delete_me",
    "statement_events", "credit_note_pdf", "credit_note_csv",
)  # fmt: skip


@pytest.mark.parametrize("role", Member.Role.values)
def test_every_link_opens_for_whoever_sees_it(shop: Shop, role: str) -> None:
    person = User.objects.create_user(f"a.{role.lower()}@acme.example")
    Member.objects.create(account=shop.acme.account, user=person, role=role, created_at=shop.acme.account.created_at)
    browser = browser_of(person)
    seen: set[str] = set()
    waiting = [f"{reverse('portal:balance')}?account=acme"]
    while waiting:
        address = waiting.pop()
        if address in seen:
            continue
        seen.add(address)
        response = browser.get(address)
        assert response.status_code == 200, address
        nav = re.search(r'<nav class="pages".*?</nav>', response.content.decode(), re.DOTALL)
        assert nav, address
        waiting += [link.replace("&amp;", "&") for link in re.findall(r'href="([^"]+)"', nav[0])]
    assert (reverse("portal:top_up", args=["acme"]) in seen) == (role in {"OWNER", "ADMIN", "BILLING"})
    assert (reverse("portal:developers", args=["acme"]) in seen) == (role in {"OWNER", "ADMIN", "DEVELOPER"})


def test_no_page_is_left_out() -> None:
    reached = {name for _, pages in GROUPS for page in pages for name in (page.name, *page.below)}
    assert {str(pattern.name) for pattern in urlpatterns} - reached - set(NOT_FROM_HERE) == set()


def test_it_says_where_one_is(shop: Shop, customer: Client) -> None:
    page = customer.get(reverse("portal:cards", args=["acme"])).content.decode()
    assert re.search(r'aria-current="true">Payments</a>', page)
    assert re.search(r'aria-current="page">Cards</a>', page)
