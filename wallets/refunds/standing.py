"""How a payment stands: what of it has gone back, what still can, and what that makes of its top-up. All of it is read under
the wallet's lock when something follows from it."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.conf import settings

from wallets.balances.lock import LockedWallet
from wallets.credit.backing import can_leave, settle_due
from wallets.credit.models import CreditLot
from wallets.credit.money_back import MoneyBack
from wallets.money import ZERO
from wallets.payments.models import TopUp
from wallets.payments.move import move_top_up
from wallets.payments.states import DISPUTED, PAID, REFUNDED, SUCCEEDED
from wallets.refunds.models import Dispute, Refund
from wallets.refunds.shares import NOTHING, Parts, floor_to_step, parts_of_credit, parts_of_money
from wallets.refunds.states import FROZEN, TAKEN, WAITING


@dataclass(frozen=True, slots=True)
class Refundable:
    """Of a top-up, in its currency. unused: what can be refunded; at_most: what finance can, with approval, if it overrides
    that the rest was used."""

    unused: Decimal
    at_most: Decimal


@dataclass(frozen=True, slots=True)
class Sources:
    """Where credit that goes back comes from."""

    from_lot: Decimal
    owed: Decimal
    bonus: Decimal


def payment_parts(top_up: TopUp) -> Parts:
    """What the whole payment was made of."""
    return Parts(top_up.amount, top_up.tax, top_up.fee, top_up.bonus)


def gone_of(top_up: TopUp, *, waiting: bool = False, but: Refund | None = None) -> Parts:
    """What of a payment has gone back, or is on its way or in dispute; with `waiting`, also what waits for approval, `but` for
    one refund."""
    states = (*TAKEN, WAITING) if waiting else TAKEN
    gone = NOTHING
    refunds = Refund.objects.filter(bucket=top_up.bucket, top_up_id=top_up.pk, state__in=states)
    for refund in refunds:
        if but is not None and refund.pk == but.pk:
            continue
        gone = gone.plus(Parts(refund.credit, refund.tax, refund.fee))
    for dispute in Dispute.objects.filter(bucket=top_up.bucket, top_up_id=top_up.pk, state__in=FROZEN):
        gone = gone.plus(Parts(dispute.credit, dispute.tax, dispute.fee))
    return gone


def credit_gone(top_ups: Collection[TopUp]) -> dict[int, tuple[Decimal, Decimal]]:
    """Of each payment of one wallet: the credit that has gone back, or is on its way or in dispute, and that of refunds which
    wait for approval. Two queries, however many payments."""
    found = {top_up.pk: (ZERO, ZERO) for top_up in top_ups}
    buckets = {top_up.bucket for top_up in top_ups}
    refunds = Refund.objects.filter(bucket__in=buckets, top_up_id__in=found, state__in=(*TAKEN, WAITING))
    for pk, state, credit in refunds.values_list("top_up_id", "state", "credit"):
        gone, waiting = found[pk]
        found[pk] = (gone, waiting + credit) if state == WAITING else (gone + credit, waiting)
    disputes = Dispute.objects.filter(bucket__in=buckets, top_up_id__in=found, state__in=FROZEN)
    for pk, credit in disputes.values_list("top_up_id", "credit"):
        gone, waiting = found[pk]
        found[pk] = (gone + credit, waiting)
    return found


def split_credit(top_up: TopUp, gone: Parts, credit: Decimal) -> Parts:
    """A refund of `credit`, with its share of tax, and of the fee where fees are given back (REFUNDS_RETURN_FEE)."""
    parts = payment_parts(top_up)
    return parts_of_credit(parts, gone, credit, currency=top_up.currency, with_fee=settings.REFUNDS_RETURN_FEE)


def split_money(top_up: TopUp, gone: Parts, money: Decimal) -> Parts:
    """What money that the bank moved is made of."""
    parts = payment_parts(top_up)
    return parts_of_money(parts, gone, money, currency=top_up.currency, with_fee=settings.REFUNDS_RETURN_FEE)


def refundable(wallet: LockedWallet, top_up: TopUp, *, at: datetime, but: Refund | None = None) -> Refundable:
    """What can go back of a top-up of a locked wallet. Credit that holds need, or that the wallet owes, cannot. `but`: a refund
    that waits and is not to count."""
    gone = gone_of(top_up).credit
    waiting = gone_of(top_up, waiting=True, but=but).credit - gone
    left = max(top_up.amount - gone - waiting, ZERO)
    open_lots = settle_due(wallet, at=at)
    held_by = _lots_of(top_up)
    paid = held_by.get(top_up.lot_id, ZERO) - waiting
    beside = held_by.get(top_up.bonus_lot_id, ZERO)
    free = max(can_leave(wallet, open_lots) - beside, ZERO) if wallet.held or wallet.overdraft else paid
    return Refundable(floor_to_step(min(paid, left, free), top_up.currency), left)


def sources_of(top_up: TopUp, parts: Parts) -> Sources:
    """Where this part of a payment can be taken from now: its lots as far as they go; the bonus that was used stays given."""
    held_by = _lots_of(top_up)
    from_lot = min(parts.credit, held_by.get(top_up.lot_id, ZERO))
    bonus = min(parts.bonus, held_by.get(top_up.bonus_lot_id, ZERO))
    return Sources(from_lot, parts.credit - from_lot, bonus)


def money_back(top_up: TopUp, row: Refund | Dispute, *, reason: str, actor: str) -> MoneyBack:
    """A refund or a dispute as the journal books it."""
    assert top_up.lot_id is not None, top_up.public_id
    return MoneyBack(
        lot_id=top_up.lot_id,
        bonus_lot_id=top_up.bonus_lot_id,
        from_lot=row.from_lot,
        owed=row.owed,
        bonus=row.bonus,
        tax=row.tax,
        tax_country=top_up.tax_country,
        fee=row.fee,
        provider=top_up.provider,
        reference=row.public_id,
        reason=reason[:500],
        actor=actor,
    )


def restate_top_up(top_up: TopUp, *, at: datetime) -> None:
    """Bring the state of a paid top-up to what its refunds and disputes make of it."""
    assert top_up.state in PAID, (top_up.public_id, top_up.state)
    state = SUCCEEDED
    if Dispute.objects.filter(bucket=top_up.bucket, top_up_id=top_up.pk, state__in=FROZEN).exists():
        state = DISPUTED
    elif _sum_of_credit(top_up, [SUCCEEDED]) >= top_up.amount:
        state = REFUNDED
    if state != top_up.state:
        move_top_up(top_up, state, at=at)


def _sum_of_credit(top_up: TopUp, states: Collection[str]) -> Decimal:
    refunds = Refund.objects.filter(bucket=top_up.bucket, top_up_id=top_up.pk, state__in=states)
    return sum(refunds.values_list("credit", flat=True), ZERO)


def _lots_of(top_up: TopUp) -> dict[int | None, Decimal]:
    """What the lots of a top-up hold now."""
    lots = CreditLot.objects.filter(bucket=top_up.bucket, pk__in=[top_up.lot_id, top_up.bonus_lot_id])
    return dict(lots.values_list("pk", "remaining"))
