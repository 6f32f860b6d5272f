"""Keep credit back until somebody decides about it: a hold without an end of its own, which no work is charged to."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from wallets.balances.held import change_held, store_held
from wallets.balances.lock import LockedWallet
from wallets.credit.backing import can_leave, settle_due
from wallets.holds.models import KEPT_BY, Hold
from wallets.money import ZERO

# Every hold has an end; nobody waits for this one.
FOR_SECONDS: Final = int(timedelta(days=3_650).total_seconds())


def keep_credit(wallet: LockedWallet, amount: Decimal, *, subject: str, at: datetime) -> Hold | None:
    """Set aside `amount` of a locked wallet, or what there is of it; None when there is nothing (it repaid what was owed).

    Unlike `place_hold` it is not refused by a frozen wallet or a suspended account. `release_hold` ends it.
    """
    kept = min(amount, can_leave(wallet, settle_due(wallet, at=at)))
    if kept <= ZERO:
        return None
    hold = Hold.objects.create(
        bucket=wallet.bucket,
        wallet_id=wallet.id,
        amount=kept,
        subject=subject,
        actor=KEPT_BY,
        ttl_seconds=FOR_SECONDS,
        placed_at=at,
        expires_at=at + timedelta(seconds=FOR_SECONDS),
    )
    change_held(wallet, kept, until=hold.expires_at)
    store_held([wallet], bucket=wallet.bucket, at=at)
    return hold
