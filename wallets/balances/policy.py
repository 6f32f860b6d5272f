"""What the gate does when a wallet is empty."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.input import Input
from wallets.outbox.topics import AccountsChanged
from wallets.outbox.write import add_news

MAX_PER_MINUTE: Final = 1_000_000


def set_policy(
    *,
    wallet_id: int,
    at: datetime,
    on_empty: str | None = None,
    grace_limit: Decimal | None = None,
    throttle_per_minute: int | None = None,
) -> Wallet:
    """Change a wallet's policy; None leaves a part as it is.

    on_empty: block, throttle or grace.  grace_limit: how far below zero grace goes, in the wallet's currency.
    throttle_per_minute: calls let through when empty. Raises InvalidInput, WalletClosed, LockBusy, NotFound.
    """
    check = Input()
    changes: dict[str, object] = {}
    if on_empty is not None:
        changes["on_empty"] = check.choice("policy.on_empty", on_empty, [str(value) for value in Wallet.OnEmpty])
    if grace_limit is not None:
        changes["grace_limit"] = check.amount("policy.grace_limit", grace_limit)
    if throttle_per_minute is not None:
        changes["throttle_per_minute"] = check.whole(
            "policy.throttle_per_minute", throttle_per_minute, least=1, most=MAX_PER_MINUTE
        )
    check.expect("policy", changes or check.wrong, "at least one of on_empty, grace_limit, throttle_per_minute")
    check.refuse("The policy is not acceptable.")
    with transaction.atomic():
        locked = lock_wallet(wallet_id)
        if locked.status == Wallet.Status.CLOSED:
            raise WalletClosed(f"Wallet {locked.public_id} is closed.")
        Wallet.objects.filter(bucket=locked.bucket, pk=wallet_id).update(**changes)
        add_news([("", AccountsChanged([locked.account_id]))], at=at, bucket=locked.bucket)
    return Wallet.objects.select_related("account").get(pk=wallet_id)
