"""Holds, made through the verbs."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal

from tests.factories.balances import AT
from wallets.balances.models import Wallet
from wallets.holds.models import Hold
from wallets.holds.place import Work, place_hold

TTL = 300


def later(seconds: int) -> datetime:
    """So many seconds after AT."""
    return AT + timedelta(seconds=seconds)


def hold_on(wallet: Wallet, amount: str, *, ttl: int = TTL, at: datetime = AT, meters: tuple[str, ...] = ()) -> Hold:
    """A hold of this amount."""
    return place_hold(wallet_id=wallet.pk, amount=Decimal(amount), ttl_seconds=ttl, at=at, work=Work(meters))


def figures(wallet: Wallet) -> tuple[str, str, str]:
    """(balance, held, available) as they stand, without trailing zeros."""
    now = Wallet.objects.get(pk=wallet.pk)
    return tuple(f"{value.normalize():f}" for value in (now.balance, now.held, now.available))  # type: ignore[return-value]
