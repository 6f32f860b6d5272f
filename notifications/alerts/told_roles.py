"""Roles of an account whose members are told, beside the addresses it names. Each member gets a row of their own when there is
first something to tell, so that quiet hours, a digest and unsubscribing are theirs; who loses the role is told no more."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db import transaction

from notifications.alerts.models import Recipient, ToldRole
from wallets.accounts.models import Account, Member
from wallets.input import Input


def told_roles(account: Account) -> list[str]:
    """The roles, in the order of `Member.Role`."""
    told = set(ToldRole.objects.filter(account=account).values_list("role", flat=True))
    return [role for role in Member.Role.values if role in told]


def tell_roles(*, account: Account, roles: Iterable[str]) -> list[str]:
    """From now on these roles are told, and no others. Raises InvalidInput."""
    asked = Input()
    wanted = set(roles)
    asked.expect("roles", wanted <= set(Member.Role.values), f"of {', '.join(Member.Role.values)}")
    asked.refuse("These cannot be told.")
    with transaction.atomic():
        ToldRole.objects.filter(account=account).exclude(role__in=wanted).delete()
        made = [ToldRole(account=account, role=role) for role in sorted(wanted)]
        ToldRole.objects.bulk_create(made, ignore_conflicts=True)
    return told_roles(account)


def told_of_account(account_id: int, *, at: datetime) -> list[Recipient]:
    """Everybody who is told by mail: whom the account names, and the members of its told roles, each address once."""
    recipients = list(Recipient.objects.filter(account_id=account_id).order_by("id"))
    members = Member.objects.filter(
        account_id=account_id, role__in=ToldRole.objects.filter(account_id=account_id).values("role")
    ).select_related("user")
    people = {member.user.email.lower(): member.user for member in members if member.user.is_active}
    known = {recipient.email.lower() for recipient in recipients}
    new = [
        Recipient(account_id=account_id, email=person.email, time_zone=person.time_zone, by_role=True, created_at=at)
        for email, person in sorted(people.items())
        if email not in known
    ]
    if new:
        Recipient.objects.bulk_create(new, ignore_conflicts=True)
        recipients = list(Recipient.objects.filter(account_id=account_id).order_by("id"))
    return [one for one in recipients if not one.by_role or one.email.lower() in people]
