"""Asking for and deciding adjustments by program: through a personal key, and never one's own."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest
from django.contrib.auth.models import Permission
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse

from tests.cast import OPENED_AT, Api, Company
from tests.factories.adjustments import reason
from tests.factories.shop import browser_of, text_of
from wallets.accounts.models import User
from wallets.adjustments.models import Adjustment
from wallets.api_keys.issue import issue_api_key
from wallets.api_keys.models import ApiKey
from wallets.approvals.models import Approval
from wallets.audit.models import AuditEvent

SCOPES = ("approvals:read", "approvals:write")


def key_of(person: User) -> Api:
    return Api(issue_api_key(name="own", scopes=SCOPES, at=OPENED_AT, person=person).secret)


def ask(api: Api, company: Company, amount: str = "500") -> Any:
    body = {"kind": "goodwill", "amount": amount, "reason": reason(), "note": "Ticket 7"}
    return api.post(f"/wallets/{company.wallet.public_id}/adjustments", body)


def balance(company: Company) -> D:
    company.wallet.refresh_from_db()
    return company.wallet.balance


@pytest.mark.usefixtures("books_hold")
def test_one_asks_another_approves(acme: Company, fiona: User, apollo: User) -> None:
    asked = ask(key_of(fiona), acme).json()
    assert (asked["status"], asked["amount"], balance(acme)) == ("waiting", "500.00", 0)
    listed = key_of(apollo).get("/approvals?status=waiting").json()["data"]
    assert [(one["id"], one["asked_by"], one["subject"]) for one in listed] == [(asked["approval"], fiona.email, asked["id"])]
    decided = key_of(apollo).post(f"/approvals/{asked['approval']}/approve", {"answer": "Seen"}).json()
    assert (decided["status"], decided["decided_by"], decided["answer"]) == ("approved", apollo.email, "Seen")
    assert balance(acme) == 500
    assert key_of(apollo).post(f"/approvals/{asked['approval']}/decline", {"answer": "No"}).json()["code"] == (
        "approval_already_decided"
    )
    assert [one.action for one in AuditEvent.objects.order_by("id")] == [
        "POST /wallets/<str:wallet_id>/adjustments", "POST /approvals/<str:approval_id>/approve",
    ]  # fmt: skip


def test_ones_own_is_refused_by_the_api_the_page_and_the_database(acme: Company, fiona: User) -> None:
    asked = ask(key_of(fiona), acme).json()
    for decision in ("approve", "decline"):
        refused = key_of(fiona).post(f"/approvals/{asked['approval']}/{decision}", {"answer": "Mine"})
        assert (refused.status_code, refused.json()["code"]) == (409, "own_approval")
    approval = Approval.objects.get()
    browser: Client = browser_of(fiona)
    address = reverse("admin:wallets_approval_approve", args=[approval.pk])
    page = browser.get(reverse("admin:wallets_approval_change", args=[approval.pk])).content.decode()
    assert "another person has to decide" in page
    assert address not in page
    refused = browser.post(address, {"step": "confirm", "token": "t"})
    assert (refused.status_code, "You asked for this yourself" in text_of(refused)) == (422, True)
    with pytest.raises(IntegrityError, match="approval_is_not_ones_own"), transaction.atomic():
        Approval.objects.update(state="APPROVED", decided_by=fiona, decided_at=OPENED_AT)
    assert (Approval.objects.get().state, Adjustment.objects.get().state, balance(acme)) == ("WAITING", "WAITING", 0)


def test_a_key_that_is_nobodys_or_of_one_who_may_not_does_nothing(
    acme: Company, vendor: Api, fiona: User, sam: User, apollo: User
) -> None:
    asked = ask(key_of(fiona), acme).json()
    address = f"/approvals/{asked['approval']}/approve"
    assert ask(vendor, acme).json()["code"] == vendor.post(address).json()["code"] == "personal_key_needed"
    assert ask(key_of(sam), acme).json()["code"] == "personal_key_needed"
    assert key_of(sam).post(address).json()["code"] == "may_not_decide"
    api = key_of(apollo)
    User.objects.filter(pk=apollo.pk).update(is_active=False)
    assert api.post(address).json()["code"] == "personal_key_needed"
    assert acme.api.post(address).json()["code"] == "key_confined"
    assert Approval.objects.get().state == "WAITING"


def test_who_may_makes_a_personal_key_for_themselves_only(fiona: User, sam: User, db: None) -> None:
    address = reverse("admin:wallets_apikey_own")
    assert browser_of(sam).get(address).status_code == 403
    sam.user_permissions.add(Permission.objects.get(codename="change_approval"))
    sam = User.objects.get(pk=sam.pk)
    said = {"name": "my shell", "step": "confirm", "token": "t", "person": fiona.pk}
    assert "key_" in browser_of(sam).post(address, said).content.decode()
    key = ApiKey.objects.get()
    assert (key.person, key.account, key.scopes) == (sam, None, list(SCOPES))
