"""The queue of approvals: whoever asked sees it and cannot decide it; another person can, once."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from billing_site.backoffice.roles import grant_roles
from tests.cast import PASSWORD
from tests.factories.approvals import asked
from tests.factories.shop import NOW, Shop, browser_of, text_of
from wallets.accounts.models import User
from wallets.admin.action_page import Change
from wallets.admin.approval_kinds import KINDS, ApprovalKind
from wallets.approvals.models import Approval

pytestmark = pytest.mark.django_db
LIST = reverse("admin:wallets_approval_changelist")
CONFIRM = {"step": "confirm", "token": "t"}


@pytest.fixture
def carried_out(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """What was done about approvals of the kind `favour`."""
    done: list[tuple[str, str]] = []

    def approved(approval: Approval, at: datetime) -> str:
        done.append(("approved", approval.subject))
        return "Carried out."

    kind = ApprovalKind(
        "Goodwill credit", approved, lambda approval, at: done.append(("declined", approval.subject)),
        changes=lambda approval: [Change("Balance", approval.amount, approval.amount * 2, approval.currency)],
    )  # fmt: skip
    monkeypatch.setitem(KINDS, "favour", kind)
    return done


@pytest.fixture
def approval(shop: Shop, fiona: User, carried_out: Any) -> Approval:
    """Fiona has asked for it."""
    return asked(by=fiona, account=shop.acme.account, note="Ticket 7")


@pytest.fixture
def approver(apollo: User) -> Client:
    """Apollo's browser."""
    return browser_of(apollo)


def address(verb: str, approval: Approval) -> str:
    return reverse(f"admin:wallets_approval_{verb}", args=[approval.pk])


def test_the_queue_shows_what_waits(approval: Approval, approver: Client) -> None:
    page = text_of(approver.get(LIST))
    for words in ("Goodwill credit", "Acme", "500.00", "Complaint", "fiona@vendor.example", "Approvals 1"):
        assert words in page, words


def test_who_asked_sees_it_and_cannot_approve_it(
    approval: Approval, finance: Client, carried_out: list[tuple[str, str]]
) -> None:
    page = finance.get(address("change", approval)).content.decode()
    assert "another person has to decide it" in page
    assert address("approve", approval) not in page
    assert address("withdraw", approval) in page
    refused = finance.post(address("approve", approval), CONFIRM)
    assert refused.status_code == 422
    assert "You asked for this yourself" in text_of(refused)
    approval.refresh_from_db()
    assert (approval.state, carried_out) == ("WAITING", [])


def test_another_person_approves_and_it_is_carried_out_once(
    approval: Approval, approver: Client, apollo: User, carried_out: list[tuple[str, str]]
) -> None:
    assert address("approve", approval) in approver.get(address("change", approval)).content.decode()
    review = text_of(approver.post(address("approve", approval), {"step": "review", "token": "t", "answer": "Fine"}))
    assert "asked by fiona@vendor.example" in review
    assert "1,000.00" in review
    assert approver.post(address("approve", approval), CONFIRM | {"answer": "Fine"}).status_code == 302
    approval.refresh_from_db()
    assert (approval.state, approval.decided_by, approval.decided_at, approval.answer) == ("APPROVED", apollo, NOW, "Fine")
    assert carried_out == [("approved", "thing_1")]
    assert approver.post(address("approve", approval), {"step": "confirm", "token": "u"}).status_code == 422
    assert carried_out == [("approved", "thing_1")]
    assert "apollo@vendor.example" in text_of(approver.get(address("change", approval)))
    assert "Acme" not in text_of(approver.get(LIST))
    assert "Acme" in text_of(approver.get(LIST, {"state": "approved"}))


def test_declining_and_withdrawing_say_why(
    approval: Approval, approver: Client, finance: Client, carried_out: list[tuple[str, str]]
) -> None:
    assert approver.post(address("decline", approval), CONFIRM).status_code == 422
    assert approver.post(address("withdraw", approval), CONFIRM | {"reason": "Not mine"}).status_code == 403
    assert finance.post(address("withdraw", approval), CONFIRM | {"reason": "Wrong customer"}).status_code == 302
    approval.refresh_from_db()
    assert (approval.state, approval.answer, carried_out) == ("WITHDRAWN", "Wrong customer", [("declined", "thing_1")])


def test_roles_ask_decide_or_only_look(approval: Approval, support: Client, shop: Shop) -> None:
    grant_roles()
    for role, may_decide in (("operator", False), ("approver", True), ("support", False)):
        person = User.objects.create_user(f"{role.split()[0]}@vendor.example", PASSWORD, is_staff=True)
        person.groups.add(Group.objects.get(name=role))
        browser = browser_of(person)
        page = browser.get(address("change", approval))
        assert page.status_code == 200
        assert (address("approve", approval) in page.content.decode()) is may_decide, role
        assert browser.get(address("approve", approval)).status_code == (200 if may_decide else 403), role
        assert browser.get(reverse("admin:wallets_approvallimit_changelist")).status_code == 403
    assert support.post(address("approve", approval), CONFIRM).status_code == 403
    assert browser_of(shop.acme.owner).post(address("approve", approval), CONFIRM).status_code == 302  # to the sign-in page


def test_administrators_set_limits(finance: Client, shop: Shop) -> None:
    grant_roles()
    role = Group.objects.get(name="operator")
    url = reverse("admin:wallets_approvallimit_add")
    assert finance.post(url, {"role": role.pk, "kind": "goodwill", "currency": "USD", "amount": "20"}).status_code == 302
    assert role.approval_limits.get(kind="goodwill").amount == 20  # type: ignore[attr-defined]
    assert role.approval_limits.get(kind="", currency="USD").amount == 100  # type: ignore[attr-defined]


def test_the_front_page_says_what_waits(approval: Approval, finance: Client) -> None:
    assert "Waits for somebody: Approvals 1" in text_of(finance.get(reverse("admin:index")))
