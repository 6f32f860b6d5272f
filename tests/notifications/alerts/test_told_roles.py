"""Roles whose members are told: whoever has one, as long as they have it, each address once."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from notifications.alerts.models import Delivery, Recipient
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.recipients import RecipientTerms, add_recipient
from notifications.alerts.told_roles import tell_roles, told_roles
from tests.cast import Company
from tests.factories.balances import AT
from wallets.accounts.models import Member, User
from wallets.errors import InvalidInput

pytestmark = pytest.mark.django_db


def member(company: Company, name: str, role: str) -> Member:
    person = User.objects.create_user(f"{name}@acme.example", time_zone="Europe/Berlin")
    return Member.objects.create(account=company.account, user=person, role=role, created_at=AT)


def told(company: Company, number: int) -> set[str]:
    alert = raise_alert(
        topic="threshold_crossed", key=f"t:{company.account.pk}:{number}", account_id=company.account.pk,
        wallet_id=company.wallet.pk, facts={"balance": "1", "percent": "5", "currency": "USD"}, at=AT,
    )  # fmt: skip
    found = Delivery.objects.filter(alert=alert, state=Delivery.State.WAITING)
    addresses = list(found.values_list("address", flat=True))
    assert len(addresses) == len(set(addresses))
    return set(addresses)


def test_members_of_a_told_role_are_told_while_they_have_it(acme: Company, globex: Company) -> None:
    bea, bob = member(acme, "bea", "BILLING"), member(acme, "bob", "BILLING")
    member(acme, "dan", "DEVELOPER")
    add_recipient(account=acme.account, terms=RecipientTerms("Bob@acme.example"), at=AT)
    assert told(acme, 1) == {"Bob@acme.example"}
    assert tell_roles(account=acme.account, roles=["BILLING"]) == ["BILLING"]
    assert told(acme, 2) == {"Bob@acme.example", "bea@acme.example"}, "and Bob once"
    assert Recipient.objects.get(email="bea@acme.example").time_zone == "Europe/Berlin"
    bea.delete()
    bob.delete()
    assert told(acme, 3) == {"Bob@acme.example"}, "who is named is told whatever role they have"
    assert told(globex, 4).isdisjoint({"bea@acme.example", "Bob@acme.example"})


def test_what_a_member_unsubscribed_from_stays_so_when_they_are_named(acme: Company) -> None:
    member(acme, "bea", "BILLING")
    tell_roles(account=acme.account, roles=["BILLING"])
    told(acme, 1)
    Recipient.objects.filter(email="bea@acme.example").update(unsubscribed=["threshold_crossed"])
    named = add_recipient(account=acme.account, terms=RecipientTerms("bea@acme.example", digest=True), at=AT)
    assert (named.unsubscribed, named.by_role, named.digest) == (["threshold_crossed"], False, True)
    assert Recipient.objects.filter(account=acme.account).count() == 1
    assert told(acme, 2) == set()


def test_the_page_sets_them(acme: Company, globex: Company) -> None:
    page = reverse("portal:alerts", args=["acme"])
    browser, stranger = Client(), Client()
    browser.force_login(acme.owner)
    stranger.force_login(globex.owner)
    wanted: dict[str, Any] = {"what": "roles", "role": ["OWNER", "BILLING"]}
    assert stranger.post(page, wanted).status_code == 404
    assert browser.post(page, wanted).status_code == 302
    assert told_roles(acme.account) == ["OWNER", "BILLING"]
    assert told(acme, 1) == {"owner@acme.example"}
    assert browser.post(page, {"what": "roles"}).status_code == 302
    assert told_roles(acme.account) == []
    with pytest.raises(InvalidInput):
        tell_roles(account=acme.account, roles=["KING"])
