"""API keys of an account: made, rotated with an overlap and revoked by its developers; shown once; confined."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from tests.factories.shop import Shop, browser_of, text_of
from wallets.accounts.models import Member, User
from wallets.api_keys.models import ApiKey
from wallets.api_keys.verify import KeyRefused, verify_api_key
from wallets.audit.models import AuditEvent

pytestmark = pytest.mark.django_db

PAGE = reverse("portal:developers", args=["acme"])
NEW = {"what": "issue", "name": "Nightly job", "scopes": ["events:write", "gate:check"], "life": ""}


def secret_in(response: Any) -> str:
    assert response.status_code == 201
    return re.search(r'<code class="secret">(key_[^<]+)</code>', response.content.decode())[1]  # type: ignore[index]


def works(secret: str, at: datetime) -> bool:
    try:
        return verify_api_key(secret, at=at).account_key == "acme"
    except KeyRefused:
        return False


def test_a_key_is_made_and_shown_once(shop: Shop, customer: Client) -> None:
    secret = secret_in(customer.post(PAGE, NEW))
    assert secret not in customer.get(PAGE).content.decode()
    key = ApiKey.objects.get(name="Nightly job")
    assert (key.account, key.scopes) == (shop.acme.account, ["events:write", "gate:check"])
    assert "Nightly job key_" in text_of(customer.get(PAGE))
    event = {"id": "mine", "type": "llm.request", "account": "acme", "properties": {"model": "gpt-5", "input_tokens": 1}}
    headers = {"Authorization": f"Bearer {secret}"}
    assert customer.post("/api/v1/events", event, "application/json", headers=headers).json()["accepted"] == 1
    assert AuditEvent.objects.filter(action="API key: issue", subject=key.prefix).exists()


def test_a_rotated_key_works_on_until_the_overlap_is_over(customer: Client, clock_at_now: datetime) -> None:
    old = secret_in(customer.post(PAGE, NEW))
    key = ApiKey.objects.get(name="Nightly job")
    new = secret_in(customer.post(PAGE, {"what": "rotate", "key": key.prefix, "overlap": "24"}))
    at = clock_at_now
    assert works(old, at)
    assert works(new, at)
    assert not works(old, at + timedelta(hours=25))
    assert works(new, at + timedelta(hours=25))


def test_a_revoked_key_ends_at_once_and_cannot_be_rotated(customer: Client, clock_at_now: datetime) -> None:
    secret = secret_in(customer.post(PAGE, NEW))
    key = ApiKey.objects.get(name="Nightly job")
    assert customer.post(PAGE, {"what": "revoke", "key": key.prefix}).status_code == 302
    key.refresh_from_db()
    assert key.revoked_at is not None
    assert not works(secret, clock_at_now)
    refused = customer.post(PAGE, {"what": "rotate", "key": key.prefix, "overlap": "0"})
    assert refused.status_code == 422
    assert "does not work any more" in text_of(refused)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"name": ""}, "The key cannot be issued like this."),
        ({"scopes": []}, "The key cannot be issued like this."),
        ({"scopes": ["wallets:write"]}, "A key cannot have this."),
        ({"life": "soon"}, "Choose when it ends."),
        ({"what": "borrow", "key": ""}, "There is no such key."),
    ],
)
def test_what_cannot_be_is_refused(customer: Client, change: dict[str, Any], problem: str) -> None:
    before = ApiKey.objects.count()
    response = customer.post(PAGE, NEW | change)
    assert (response.status_code, ApiKey.objects.count()) == (422, before)
    assert problem in text_of(response)


@pytest.mark.parametrize(("role", "status"), [("ADMIN", 200), ("DEVELOPER", 200), ("BILLING", 403), ("VIEWER", 403)])
def test_keys_are_for_those_who_may(shop: Shop, role: str, status: int) -> None:
    person = User.objects.create_user(f"{role.lower()}@acme.example")
    Member.objects.create(account=shop.acme.account, user=person, role=role, created_at=shop.acme.account.created_at)
    assert browser_of(person).get(PAGE).status_code == status


def test_a_strangers_key_is_no_key(shop: Shop, customer: Client, stranger: Client) -> None:
    secret_in(customer.post(PAGE, NEW))
    assert stranger.get(PAGE).status_code == 404
    theirs = ApiKey.objects.get(name="Nightly job").prefix
    own = reverse("portal:developers", args=["globex"])
    assert stranger.post(own, {"what": "revoke", "key": theirs}).status_code == 422
    assert ApiKey.objects.get(prefix=theirs).revoked_at is None


@pytest.fixture
def clock_at_now() -> datetime:
    from wallets.clock import now  # noqa: PLC0415 - the clock of the test

    return now()
