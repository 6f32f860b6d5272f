"""Credit that holds depend on cannot leave: a lot with it is not voided, and when its end comes what holds need of it stays,
out of reach of anything else, until they have ended (`backing.py`)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal

from wallets.balances.lock import LockedWallet
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.money import ZERO


def grace_of(wallet: LockedWallet) -> Decimal:
    """How far below zero the wallet may go."""
    return wallet.grace_limit if wallet.on_empty == Wallet.OnEmpty.GRACE else ZERO


def kept_for_holds(wallet: LockedWallet, *, leaving: Iterable[CreditLot]) -> Mapping[int, Decimal]:
    """How much of each lot that is to leave a locked wallet holds depend on, by lot row id; lots they do not need are left
    out. Only credit without a scope counts as what stays."""
    lots = [lot for lot in leaving if not lot.unit_meter]
    if not wallet.held or not lots:
        return {}
    lacking = wallet.held - (_unscoped(wallet, without={lot.pk for lot in lots}) - wallet.overdraft + grace_of(wallet))
    kept: dict[int, Decimal] = {}
    for lot in sorted(lots, key=lambda one: bool(one.meters)):
        part = min(lacking, lot.remaining)
        if part <= ZERO:
            break
        kept[lot.pk] = part
        lacking -= part
    return kept


def _unscoped(wallet: LockedWallet, *, without: Collection[int]) -> Decimal:
    lots = CreditLot.objects.filter(
        bucket=wallet.bucket, wallet_id=wallet.id, state=CreditLot.State.OPEN, unit_meter="", meters=[]
    ).exclude(pk__in=without)
    return sum(lots.values_list("remaining", flat=True), ZERO)
