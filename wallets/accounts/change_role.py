"""Give a member another role."""

from __future__ import annotations

from django.db import transaction

from wallets.accounts.models import Account, Member, User
from wallets.accounts.team import Role, check_owner_acts, check_owner_stays, check_role, lock_team, member_of


def change_role(*, account: Account, user_id: int, role: str, by: User) -> Member:
    """Give the member this role. Raises InvalidInput, NotAMember, OwnersOnly, LastOwner."""
    check_role(role)
    with transaction.atomic():
        lock_team(account.pk)
        member = member_of(account=account, user_id=user_id)
        check_owner_acts(account=account, by=by, roles=(member.role, role))
        if member.role == Role.OWNER and role != Role.OWNER:
            check_owner_stays(account=account, without=member)
        member.role = role
        member.save(update_fields=["role"])
    return member
