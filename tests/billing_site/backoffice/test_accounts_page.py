"""Customers in the back office: opened with a wallet, suspended, reinstated."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.shop import Shop, text_of
from wallets.accounts.models import Account

pytestmark = pytest.mark.django_db

OPEN = "admin:wallets_account_open"


def test_an_account_opens_with_its_first_wallet(shop: Shop, finance: Client) -> None:
    answers = {
        "account": "initech",
        "name": "Initech",
        "currency": "eur",
        "time_zone": "Europe/Berlin",
        "step": "confirm",
        "token": "t",
    }
    finance.post(reverse(OPEN), answers)
    account = Account.objects.get(key="initech")
    wallet = account.wallets.get()
    assert (account.currency, wallet.currency, wallet.is_default) == ("EUR", "EUR", True)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"account": "acme"}, "There is an account acme already."),
        ({"time_zone": "Mars/Olympus"}, "IANA time zone"),
        ({"email": "nobody"}, "valid email"),
        ({"account": "-"}, "starting with a letter or digit"),
    ],
)
def test_an_account_that_cannot_be_is_refused(wrong: dict[str, str], said: str, shop: Shop, finance: Client) -> None:
    answers = {
        "account": "initech",
        "name": "I",
        "currency": "USD",
        "time_zone": "UTC",
        "step": "confirm",
        "token": "t",
    } | wrong
    response = finance.post(reverse(OPEN), answers)
    assert response.status_code == 422
    assert said in text_of(response)
    assert not Account.objects.filter(key="initech").exists()


def test_an_account_is_suspended_and_reinstated(shop: Shop, finance: Client) -> None:
    account = shop.acme.account
    for name, status in (("suspend", "SUSPENDED"), ("reinstate", "ACTIVE")):
        url = reverse(f"admin:wallets_account_{name}", args=[account.pk])
        assert finance.post(url, {"reason": "Review", "step": "confirm", "token": name}).status_code == 302
        account.refresh_from_db()
        assert account.status == status


def test_the_page_shows_wallets_people_and_keys(shop: Shop, finance: Client) -> None:
    page = text_of(finance.get(reverse("admin:wallets_account_change", args=[shop.acme.account.pk])))
    assert shop.acme.wallet.public_id in page
    assert "owner@acme.example" in page
    assert "acme itself" in page
    assert "globex" not in page


def test_a_further_wallet_is_opened(shop: Shop, finance: Client) -> None:
    url = reverse("admin:wallets_account_open_wallet", args=[shop.acme.account.pk])
    finance.post(url, {"currency": "EUR", "name": "Europe", "step": "confirm", "token": "t"})
    assert shop.acme.account.wallets.filter(currency="EUR", name="Europe").exists()
