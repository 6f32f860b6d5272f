"""What the rules found, in the back office: seen, taken, cleared or confirmed, with a reason."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.reviews import reviewed
from tests.factories.shop import NOW, Shop, text_of
from wallets.accounts.models import User
from wallets.risk.models import ReviewItem, VelocityRule

pytestmark = pytest.mark.django_db
CONFIRM = {"step": "confirm", "token": "t", "reason": "Called them"}


@pytest.fixture
def item(shop: Shop) -> ReviewItem:
    return reviewed(shop.acme.wallet, at=NOW)


def address(verb: str, item: ReviewItem) -> str:
    return reverse(f"admin:wallets_reviewitem_{verb}", args=[item.pk])


def test_it_is_seen_taken_and_cleared(item: ReviewItem, finance: Client, fiona: User) -> None:
    page = text_of(finance.get(reverse("admin:wallets_reviewitem_changelist")))
    for words in ("Acme", "the rule", "50.00", "nobody yet", "Reviews 1"):
        assert words in page, words
    page = text_of(finance.get(address("change", item)))
    for words in ("1 attempts by one account within 60 minutes; the rule allows 0.", "192.0.2.1", "fp_1", "pending"):
        assert words in page, words
    assert finance.post(address("take", item), CONFIRM).status_code == 302
    assert finance.post(address("clear", item), CONFIRM | {"token": "u", "reason": ""}).status_code == 422
    assert finance.post(address("clear", item), CONFIRM | {"token": "v"}).status_code == 302
    item.refresh_from_db()
    assert (item.state, item.owner, item.decided_by, item.decided_at, item.note) == (
        "CLEARED",
        fiona,
        fiona,
        NOW,
        "Called them",
    )
    assert finance.post(address("confirm", item), CONFIRM | {"token": "w"}).status_code == 422


def test_support_looks_and_strangers_do_not_get_in(item: ReviewItem, support: Client, stranger: Client) -> None:
    page = support.get(address("change", item))
    assert page.status_code == 200
    assert address("clear", item) not in page.content.decode()
    for verb in ("take", "clear", "confirm"):
        assert support.post(address(verb, item), CONFIRM).status_code == 403
        assert stranger.post(address(verb, item), CONFIRM).status_code == 302  # to the sign-in page
    assert ReviewItem.objects.get().state == "OPEN"


def test_administrators_set_rules(finance: Client, shop: Shop) -> None:
    form = {
        "name": "Much", "measure": "AMOUNT", "per": "CARD", "window_minutes": "60", "limit": "500", "currency": "",
        "then": "REVIEW", "is_active": "on",
    }  # fmt: skip
    url = reverse("admin:wallets_velocityrule_add")
    assert finance.post(url, form).status_code == 200  # an amount needs its currency
    assert finance.post(url, form | {"currency": "USD"}).status_code == 302
    assert VelocityRule.objects.get(name="Much").per == "CARD"
