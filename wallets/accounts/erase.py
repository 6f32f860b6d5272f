"""Forget a person, or who an account was, and keep the books: rows that money points to stay, without a name on them."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import transaction

from wallets.accounts.billing_models import BillingDetails
from wallets.accounts.models import Account, Invitation, Member, User
from wallets.accounts.remove_member import remove_member
from wallets.errors import Conflict

NOBODY: Final = "deleted.invalid"


class StillOpen(Conflict):
    """An open account has to know whose it is."""

    code = "account_still_open"


class StaffStay(Conflict):
    """What staff did is theirs to answer for."""

    code = "staff_stay"


def erase_person(*, user: User) -> str:
    """End their memberships and take their name and address out. Gives the address they had, for whoever keeps more of it.

    Raises LastOwner when an open account would be left without an owner, StaffStay.
    """
    if user.is_staff:
        raise StaffStay("Staff cannot delete themselves. Ask an administrator.")
    address = user.email
    with transaction.atomic():
        for member in Member.objects.filter(user=user).select_related("account").order_by("account_id"):
            if member.account.closed_at is None:
                remove_member(account=member.account, user_id=user.pk, by=user)
            else:
                member.delete()
        Invitation.objects.filter(email=address).update(email=f"deleted@{NOBODY}")
        user.email, user.first_name, user.last_name, user.is_active = f"deleted-{user.pk}@{NOBODY}", "", "", False
        user.set_unusable_password()
        user.save(update_fields=["email", "first_name", "last_name", "is_active", "password"])
    return address


def erase_account(*, account: Account, at: datetime) -> Account:
    """Take name and address out of a closed account. Raises StillOpen."""
    with transaction.atomic():
        locked = Account.objects.select_for_update(of=("self",)).get(pk=account.pk)
        if locked.closed_at is None:
            raise StillOpen("Close the account first.")
        locked.name, locked.email = f"Deleted on {at:%Y-%m-%d}", ""
        locked.save(update_fields=["name", "email"])
        BillingDetails.objects.filter(account=locked).delete()
        Invitation.objects.filter(account=locked).update(email=f"deleted@{NOBODY}")
    return locked
