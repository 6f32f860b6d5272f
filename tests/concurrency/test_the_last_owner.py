"""Two owners leave an account at the same moment: one of them stays. With its control: without the team's lock both find the
other one still there, and nobody owns the account."""

from __future__ import annotations

from threading import Barrier

import pytest

from tests.cast import OPENED_AT, PASSWORD, Company
from tests.threads import at_once
from wallets.accounts import remove_member as leaving
from wallets.accounts.models import Account, Member, User
from wallets.accounts.team import LastOwner, check_owner_stays

pytestmark = pytest.mark.django_db(transaction=True)


def leave_at_once(acme: Company) -> tuple[int, int]:
    """How many left, how many owners are there now."""
    other = User.objects.create_user("other@acme.example", PASSWORD)
    Member.objects.create(account=acme.account, user=other, role="OWNER", created_at=OPENED_AT)
    owners = (acme.owner, other)
    answers = at_once([lambda one=one: leaving.remove_member(account=acme.account, user_id=one.pk, by=one) for one in owners])
    left = sum(isinstance(answer, Member) for answer in answers)
    assert all(isinstance(answer, Member | LastOwner) for answer in answers), answers
    return left, Member.objects.filter(account=acme.account, role="OWNER").count()


def test_one_of_two_owners_stays(acme: Company) -> None:
    assert leave_at_once(acme) == (1, 1)


def test_without_the_lock_nobody_is_left(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    both_have_looked = Barrier(2, timeout=30)

    def look(*, account: Account, without: Member) -> None:
        check_owner_stays(account=account, without=without)
        both_have_looked.wait()

    monkeypatch.setattr(leaving, "lock_team", lambda account_id: Account.objects.get(pk=account_id))
    monkeypatch.setattr(leaving, "check_owner_stays", look)
    assert leave_at_once(acme) == (2, 0)
