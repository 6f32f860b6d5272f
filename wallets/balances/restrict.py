"""Let fewer calls through while a wallet has credit: slowly, or none. Unlike a freeze this stops calls only: money comes in and
moves as before, so that a top-up can end it."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news


def restrict_wallet(*, wallet_id: int, let_through: str, at: datetime) -> bool:
    """Have the gate let `all` calls through that credit covers, `slowly` (throttle_per_minute of them) or `none`; whether that
    is different from before. Raises LockBusy, NotFound."""
    assert let_through in Wallet.LetThrough.values, let_through
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        wallet = Wallet.objects.filter(bucket=locked.bucket, pk=wallet_id).exclude(let_through=let_through)
        if not wallet.update(let_through=let_through):
            return False
        add_news([("", AccountsChanged([locked.account_id]))], at=at, bucket=locked.bucket)
    return True
