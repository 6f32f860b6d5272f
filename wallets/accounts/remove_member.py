"""Take a member out of an account, or let one leave."""

from __future__ import annotations

from django.db import transaction

from wallets.accounts.models import Account, Member, User
from wallets.accounts.team import Role, check_owner_acts, check_owner_stays, lock_team, member_of


def remove_member(*, account: Account, user_id: int, by: User) -> Member:
    """End a membership; anybody may end their own. Gives what it was. Raises NotAMember, OwnersOnly, LastOwner."""
    with transaction.atomic():
        lock_team(account.pk)
        member = member_of(account=account, user_id=user_id)
        if user_id != by.pk:
            check_owner_acts(account=account, by=by, roles=(member.role,))
        if member.role == Role.OWNER:
            check_owner_stays(account=account, without=member)
        Member.objects.filter(pk=member.pk).delete()
    return member
