"""The people of an account under one lock: its row. Whoever changes the team takes it first, so that two owners cannot make
each other something less at the same moment and leave the account without one."""

from __future__ import annotations

from wallets.accounts.models import Account, Member, User
from wallets.errors import Conflict, InvalidInput

Role = Member.Role


class LastOwner(Conflict):
    """The account would be left without an owner."""

    code = "last_owner"


class OwnersOnly(Conflict):
    """Only an owner makes owners, or changes and removes one."""

    code = "owners_only"


class NotAMember(Conflict):
    """This person is no member of the account."""

    code = "not_a_member"


def lock_team(account_id: int) -> Account:
    """The account's row, locked until the transaction ends."""
    return Account.objects.select_for_update(of=("self",)).get(pk=account_id)


def member_of(*, account: Account, user_id: int) -> Member:
    """This person's membership. Raises NotAMember. The team is locked."""
    member = Member.objects.select_related("user").filter(account=account, user_id=user_id).first()
    if member is None:
        raise NotAMember("This person is not a member of the account any more.")
    return member


def check_role(role: str) -> None:
    """Raises InvalidInput when there is no such role."""
    if role not in Role.values:
        raise InvalidInput("Choose a role.", fields={"role": f"one of {', '.join(Role.values)}"})


def check_owner_acts(*, account: Account, by: User, roles: tuple[str, ...]) -> None:
    """Raises OwnersOnly when one of the roles is OWNER and `by` is no owner."""
    if Role.OWNER in roles and not Member.objects.filter(account=account, user=by, role=Role.OWNER).exists():
        raise OwnersOnly("Only an owner makes owners, or changes one. Ask an owner of the account.")


def check_owner_stays(*, account: Account, without: Member) -> None:
    """Raises LastOwner when nobody else is an owner."""
    if not Member.objects.filter(account=account, role=Role.OWNER).exclude(pk=without.pk).exists():
        raise LastOwner("An account has at least one owner. Make somebody else an owner first.")
