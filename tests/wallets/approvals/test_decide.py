"""A second person decides, once; nobody decides what they asked for, by whichever way they try."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.contrib.auth.models import Group
from django.db import IntegrityError, ProgrammingError, transaction

from tests.factories.approvals import asked
from tests.factories.balances import AT
from tests.threads import at_once
from wallets.accounts.models import User
from wallets.approvals.decide import AlreadyDecided, ApprovalWaits, OwnApproval, approve, decline, withdraw_approval
from wallets.approvals.limits import needs_approval
from wallets.approvals.models import Approval, ApprovalLimit
from wallets.errors import InvalidInput, NotFound

LATER = AT + timedelta(hours=1)


def test_another_person_approves(fiona: User, apollo: User) -> None:
    approval = asked(by=fiona)
    approve(approval_id=approval.public_id, by=apollo, at=LATER, answer="Seen the mail")
    approval.refresh_from_db()
    assert (approval.state, approval.decided_by, approval.decided_at, approval.answer) == (
        "APPROVED", apollo, LATER, "Seen the mail",
    )  # fmt: skip


def test_nobody_decides_what_they_asked_for(fiona: User) -> None:
    approval = asked(by=fiona)
    with pytest.raises(OwnApproval):
        approve(approval_id=approval.public_id, by=fiona, at=LATER)
    with pytest.raises(OwnApproval):
        decline(approval_id=approval.public_id, by=fiona, at=LATER, answer="Changed my mind")
    approval.refresh_from_db()
    assert approval.state == "WAITING"


def test_the_database_forbids_it_too(fiona: User) -> None:
    approval = asked(by=fiona)
    with pytest.raises(IntegrityError, match="approval_is_not_ones_own"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(state="APPROVED", decided_by=fiona, decided_at=LATER)
    with pytest.raises(IntegrityError, match="approval_says_who_decided"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(state="APPROVED", decided_at=LATER)


def test_the_database_keeps_what_was_asked_and_decided(fiona: User, apollo: User) -> None:
    approval = asked(by=fiona)
    for change in ({"amount": D(1)}, {"asked_by": apollo}, {"subject": "thing_2"}):
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            Approval.objects.filter(pk=approval.pk).update(**change)
    decline(approval_id=approval.public_id, by=apollo, at=LATER, answer="No ticket")
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).update(state="APPROVED")
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        Approval.objects.filter(pk=approval.pk).delete()


def test_what_is_decided_is_decided_once(fiona: User, apollo: User) -> None:
    approval = asked(by=fiona)
    decline(approval_id=approval.public_id, by=apollo, at=LATER, answer="No ticket")
    with pytest.raises(AlreadyDecided, match="declined already"):
        approve(approval_id=approval.public_id, by=apollo, at=LATER)
    with pytest.raises(AlreadyDecided):
        withdraw_approval(approval_id=approval.public_id, at=LATER)


def test_declining_says_why(fiona: User, apollo: User) -> None:
    approval = asked(by=fiona)
    with pytest.raises(InvalidInput):
        decline(approval_id=approval.public_id, by=apollo, at=LATER, answer=" ")


def test_a_thing_waits_once_at_a_time(fiona: User, apollo: User) -> None:
    first = asked(by=fiona)
    with pytest.raises(ApprovalWaits):
        asked(by=apollo)
    withdraw_approval(approval_id=first.public_id, at=LATER)
    asked(by=apollo, at=LATER)


def test_an_approval_that_is_not_there(fiona: User) -> None:
    with pytest.raises(NotFound):
        approve(approval_id="apr_nothing", by=fiona, at=LATER)


@pytest.mark.parametrize(
    ("limits", "amount", "needed"),
    [
        ([], "0.01", True),
        ([("", "USD", "100")], "100", False),
        ([("", "USD", "100")], "100.01", True),
        ([("", "EUR", "100")], "1", True),
        ([("", "USD", "100"), ("goodwill", "USD", "20")], "21", True),
        ([("", "USD", "20"), ("goodwill", "USD", "100")], "100", False),
        ([("withdrawal", "USD", "100")], "1", True),
    ],
)
def test_limits_are_by_role_kind_and_currency(
    fiona: User, limits: list[tuple[str, str, str]], amount: str, needed: Any
) -> None:
    role = Group.objects.create(name="clerks")
    fiona.groups.add(role)
    for kind, currency, limit in limits:
        ApprovalLimit.objects.create(role=role, kind=kind, currency=currency, amount=D(limit))
    assert needs_approval(user=fiona, amount=D(amount), currency="USD", kind="goodwill") is needed


def test_of_several_roles_the_one_that_may_most_counts(fiona: User) -> None:
    for name, limit in (("clerks", "10"), ("heads", "1000")):
        role = Group.objects.create(name=name)
        fiona.groups.add(role)
        ApprovalLimit.objects.create(role=role, currency="USD", amount=D(limit))
    assert not needs_approval(user=fiona, amount=D(1000), currency="USD", kind="goodwill")
    assert needs_approval(user=fiona, amount=D(1001), currency="USD", kind="goodwill")


@pytest.mark.django_db(transaction=True)
def test_of_two_who_decide_at_once_one_does(fiona: User, apollo: User) -> None:
    helena = User.objects.create_user("helena@vendor.example", is_staff=True)
    approval = asked(by=fiona)
    answers = at_once(
        [
            lambda: approve(approval_id=approval.public_id, by=apollo, at=LATER),
            lambda: decline(approval_id=approval.public_id, by=helena, at=LATER, answer="No ticket"),
        ]
    )
    assert [type(one) for one in answers].count(AlreadyDecided) == 1
    assert [type(one) for one in answers].count(Approval) == 1
    approval.refresh_from_db()
    assert approval.decided_by == (apollo if isinstance(answers[0], Approval) else helena)
