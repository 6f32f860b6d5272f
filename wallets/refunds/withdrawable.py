"""How much of a wallet can be withdrawn, and from which payments: the oldest first."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db.models import Sum

from wallets.balances.lock import LockedWallet
from wallets.credit.backing import can_leave, settle_due
from wallets.credit.models import CreditLot
from wallets.money import ZERO
from wallets.payments.models import TopUp
from wallets.payments.states import SUCCEEDED
from wallets.refunds.shares import floor_to_step
from wallets.refunds.standing import credit_gone


def withdrawable(wallet: LockedWallet, *, at: datetime) -> Decimal:
    """What can be withdrawn of a locked wallet: unused credit of its payments that nothing holds and nobody is owed."""
    in_lots = sum((unused for _, unused in unused_of(wallet)), ZERO)
    lots = settle_due(wallet, at=at)
    if not wallet.held and not wallet.overdraft:
        return in_lots
    given = CreditLot.objects.filter(bucket=wallet.bucket, wallet_id=wallet.id, state=CreditLot.State.OPEN, unit_meter="")
    given_away = given.exclude(kind=CreditLot.Kind.PAID).aggregate(all=Sum("remaining"))["all"] or ZERO
    return floor_to_step(min(in_lots, max(can_leave(wallet, lots) - given_away, ZERO)), wallet.currency)


def unused_of(wallet: LockedWallet) -> list[tuple[TopUp, Decimal]]:
    """The payments of a locked wallet of which something is unused, the oldest first, with how much of each can go back."""
    found = TopUp.objects.select_related("wallet__account", "method", "lot").filter(
        bucket=wallet.bucket, wallet_id=wallet.id, state=SUCCEEDED, lot__state=CreditLot.State.OPEN
    )
    parts = []
    top_ups = list(found.order_by("settled_at", "id"))
    credit = credit_gone(top_ups)
    for top_up in top_ups:
        assert top_up.lot is not None, top_up.public_id
        gone, waiting = credit[top_up.pk]
        unused = floor_to_step(min(top_up.lot.remaining - waiting, top_up.amount - gone - waiting), top_up.currency)
        if unused:
            parts.append((top_up, unused))
    return parts
