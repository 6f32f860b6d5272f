"""Close an account for good. The gate refuses it from then on; its books stay."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.accounts.models import Account, Invitation
from wallets.accounts.team import lock_team
from wallets.errors import Conflict
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news


class AccountClosed(Conflict):
    """The account is closed."""

    code = "account_closed"


def close_account(*, account: Account, at: datetime) -> Account:
    """Suspend the account for good and withdraw its invitations. What it holds and owes is looked at by whoever calls this.

    Raises AccountClosed.
    """
    with transaction.atomic():
        locked = lock_team(account.pk)
        if locked.closed_at is not None:
            raise AccountClosed(f"Account {locked.key} is closed already.")
        locked.status, locked.closed_at = Account.Status.SUSPENDED, at
        locked.save(update_fields=["status", "closed_at"])
        pending = Invitation.objects.filter(account=locked, state=Invitation.State.PENDING)
        pending.update(state=Invitation.State.REVOKED, ended_at=at)
        add_news([("", AccountsChanged([locked.pk]))], at=at, bucket=locked.bucket)
    return locked
