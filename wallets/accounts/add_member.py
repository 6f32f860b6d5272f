"""Make somebody a member of an account."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.accounts.models import Account, Member, User
from wallets.accounts.team import check_role, lock_team
from wallets.errors import Conflict
from wallets.outbox.topics import MemberAdded
from wallets.outbox.write import add_news


class AlreadyAMember(Conflict):
    """This person is a member of the account."""

    code = "already_a_member"


def add_member(*, account: Account, user: User, role: str, at: datetime, actor: str = "") -> Member:
    """Make `user` a member with this role. actor: who asked for it; empty: the person. Raises AlreadyAMember, InvalidInput."""
    check_role(role)
    with transaction.atomic():
        lock_team(account.pk)
        if Member.objects.filter(account=account, user=user).exists():
            raise AlreadyAMember(f"{user.email} is a member of {account.name} already.")
        member = Member.objects.create(account=account, user=user, role=role, created_at=at)
        add_news([("", MemberAdded(account.pk, user.email, role, actor or user.email))], at=at, bucket=account.bucket)
    return member
