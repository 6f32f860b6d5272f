"""API keys in the back office: issued once, revoked, the hash never shown."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Api
from tests.factories.shop import Shop, text_of
from wallets.api_keys.models import ApiKey

pytestmark = pytest.mark.django_db

ISSUE = "admin:wallets_apikey_issue"


def test_a_key_is_shown_once_and_works(shop: Shop, finance: Client) -> None:
    answers = {"name": "gateway", "scopes": ["accounts:read"], "account": "acme", "step": "confirm", "token": "t"}
    response = finance.post(reverse(ISSUE), answers)
    assert response.status_code == 200
    assert "no-store" in response["Cache-Control"]
    secret = re.search(r"key_\w{12}_[\w-]+", response.content.decode())
    assert secret is not None
    assert Api(secret[0]).get("/accounts/acme").status_code == 200
    assert Api(secret[0]).get("/accounts/globex").status_code == 404
    key = ApiKey.objects.get(name="gateway")
    page = finance.get(reverse("admin:wallets_apikey_change", args=[key.pk])).content.decode()
    assert secret[0] not in page
    assert bytes(key.key_hash).hex() not in page


def test_sending_the_form_again_does_not_issue_another(shop: Shop, finance: Client) -> None:
    answers = {"name": "gateway", "scopes": ["gate:check"], "step": "confirm", "token": "t"}
    finance.post(reverse(ISSUE), answers)
    assert finance.post(reverse(ISSUE), answers).status_code == 422
    assert ApiKey.objects.filter(name="gateway").count() == 1


def test_a_key_for_an_account_that_is_not_there_is_refused(shop: Shop, finance: Client) -> None:
    answers = {"name": "x", "scopes": ["gate:check"], "account": "nobody", "step": "confirm", "token": "t"}
    response = finance.post(reverse(ISSUE), answers)
    assert response.status_code == 422
    assert "There is no account nobody." in text_of(response)


def test_a_revoked_key_stops_working(shop: Shop, finance: Client, django_capture_on_commit_callbacks: object) -> None:
    key = ApiKey.objects.get(name="acme itself")
    url = reverse("admin:wallets_apikey_revoke", args=[key.pk])
    with django_capture_on_commit_callbacks(execute=True):  # type: ignore[operator]
        finance.post(url, {"reason": "Leaked", "step": "confirm", "token": "t"})
    assert shop.acme.api.get("/accounts/acme").status_code == 401
    page = text_of(finance.get(reverse("admin:wallets_apikey_change", args=[key.pk])))
    assert "revoked" in page
    assert finance.post(url, {"reason": "Again", "step": "confirm", "token": "u"}).status_code == 422


def test_support_sees_keys_and_issues_none(shop: Shop, support: Client) -> None:
    assert support.get(reverse("admin:wallets_apikey_changelist")).status_code == 200
    assert support.get(reverse(ISSUE)).status_code == 403
