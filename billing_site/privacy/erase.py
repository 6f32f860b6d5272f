"""Forget a person or an account in every app, and keep the books: the one operation that spans all of them. Each app decides
what has to stay; `register.py` says it in words."""

from __future__ import annotations

from datetime import datetime

from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from django.db import transaction

from notifications.alerts import erase as told
from wallets.accounts import erase as accounts
from wallets.accounts.models import Account, User
from wallets.visits.sign_ins import forget_addresses


def erase_person(*, user: User) -> None:
    """Take a person's name, addresses, passwords and devices out; what they did in the books stays, by nobody.

    Raises LastOwner, StaffStay.
    """
    with transaction.atomic():
        address = accounts.erase_person(user=user)
        told.erase_address(address=address)
        forget_addresses(user=user)
        EmailAddress.objects.filter(user=user).delete()
        Authenticator.objects.filter(user=user).delete()
        for session in UserSession.objects.filter(user=user):
            session.end()


def erase_account(*, account: Account, at: datetime) -> None:
    """Take the names and addresses out of a closed account. Raises StillOpen."""
    with transaction.atomic():
        accounts.erase_account(account=account, at=at)
        told.erase_account(account=account, at=at)
