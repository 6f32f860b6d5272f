"""The history of sign-ins."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Final

from django.db import connection, transaction

from wallets.accounts.models import User
from wallets.visits.models import SIGN_INS_KEPT_DAYS, SignIn

AGENT: Final = 200


def record_sign_in(*, user: User, outcome: str, method: str, address: str | None, agent: str, at: datetime) -> SignIn:
    """Write down that this person came in, or that somebody tried to in their name. address: IP. agent: the browser's name."""
    return SignIn.objects.create(
        user=user, outcome=outcome, method=method[:60], address=address, agent=agent.replace("\x00", "")[:AGENT], at=at
    )


def purge_sign_ins(*, at: datetime) -> int:
    """Delete those older than SIGN_INS_KEPT_DAYS; how many."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('billing.purges', 'sign_ins', true)")
        gone, _ = SignIn.objects.filter(at__lt=at - timedelta(days=SIGN_INS_KEPT_DAYS)).delete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('billing.purges', '', true)")
    return gone


def forget_addresses(*, user: User) -> int:
    """Take addresses and browsers out of a person's sign-ins; that they were stays."""
    return SignIn.objects.filter(user=user).update(address=None, agent="")
