"""Disputes: the customer's bank takes a payment back, and gives it back or not. Whoever learns how a dispute stands hands it in
here, in any order and as often as they like; each state is booked once, also when its beginning was never seen.

    INQUIRY, CLOSED   the bank asks; nothing is booked
    OPEN              what is left of the lot is frozen, what was used is owed, and the wallet is frozen where the vendor wants
                      that (DISPUTE_FREEZES_WALLET)
    WON               everything is back
    LOST              the money is gone; what is owed of it is written off (DISPUTE_LOST_IS_WRITTEN_OFF), or stays owed. A
                      wallet that was frozen stays so until finance thaws it.

A dispute that is won after it was lost undoes the loss too.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from django.conf import settings
from django.db import transaction

from wallets.balances.freeze import freeze_wallet, thaw_wallet
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.credit.adjust import Correction, write_off
from wallets.credit.money_back import MoneyBack, freeze_for_dispute, lose_dispute, return_from_dispute, unlose_dispute
from wallets.money import ZERO
from wallets.outbox.topics import DisputeChanged
from wallets.outbox.write import add_news
from wallets.payments.event_models import PaymentException
from wallets.payments.exceptions import open_exception
from wallets.payments.find import lock_top_up
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import DisputeOutcome, ProviderDispute
from wallets.payments.states import PAID
from wallets.refunds.models import Dispute
from wallets.refunds.move import move
from wallets.refunds.standing import gone_of, money_back, restate_top_up, sources_of, split_money
from wallets.refunds.states import CLOSED, FROZEN, INQUIRY, LOST, OPEN, WON

LOSS: Final = "dispute"
"""The qualifier of the account on which losses are booked: bad_debt:dispute."""
NOTHING_FROZEN: Final = dict.fromkeys(("credit", "tax", "fee", "from_lot", "owed", "bonus", "written_off"), ZERO) | {
    "froze_wallet": False
}
_AFTER: Final[Mapping[DisputeOutcome, str]] = {
    DisputeOutcome.INQUIRY: INQUIRY,
    DisputeOutcome.OPEN: OPEN,
    DisputeOutcome.WON: WON,
    DisputeOutcome.LOST: LOST,
    DisputeOutcome.CLOSED: CLOSED,
}


def settle_dispute(*, top_up_id: int, found: ProviderDispute, at: datetime) -> Dispute | None:
    """Bring the books to where a dispute over a paid top-up (row id) stands at the provider.

    None when it cannot be booked (the wallet is closed, or the currency is another): an exception says so. Raises LockBusy.
    """
    with transaction.atomic():
        top_up = lock_top_up(top_up_id)
        assert top_up.state in PAID, (top_up.public_id, top_up.state)
        wallet = lock_wallets([top_up.wallet_id], bucket=top_up.bucket)[top_up.wallet_id]
        if wallet.status == Wallet.Status.CLOSED or found.currency != top_up.currency:
            _refuse(top_up, found, at=at)
            return None
        dispute, is_new = _row(top_up, found, at=at)
        dispute.top_up = top_up
        after = _AFTER[found.outcome]
        if after == dispute.state and not (is_new and after == INQUIRY):
            _note(dispute, found)
            return dispute
        if after in FROZEN and dispute.state not in FROZEN:
            _freeze(wallet, top_up, dispute, found, at=at)
        if dispute.state == LOST:
            unlose_dispute(wallet, _back(top_up, dispute), at=at)
        if after == LOST:
            _lose(wallet, top_up, dispute, at=at)
        changes: dict[str, object] = {"reason": found.reason[:60], "evidence_due_at": found.evidence_due_at}
        if dispute.state in FROZEN and after not in FROZEN:
            _release(wallet, top_up, dispute, at=at)
            changes |= NOTHING_FROZEN
        move(dispute, after, at=at, **changes)
        restate_top_up(top_up, at=at)
        _tell(dispute, at=at)
    return dispute


def _row(top_up: TopUp, found: ProviderDispute, *, at: datetime) -> tuple[Dispute, bool]:
    """The dispute's row, and whether it was made now; nothing is booked by that."""
    return Dispute.objects.get_or_create(
        provider=top_up.provider,
        provider_ref=found.id,
        defaults={
            "bucket": top_up.bucket,
            "top_up": top_up,
            "wallet_id": top_up.wallet_id,
            "state": INQUIRY,
            "currency": top_up.currency,
            "total": found.amount,
            "reason": found.reason[:60],
            "evidence_due_at": found.evidence_due_at,
            "opened_at": found.created_at,
            "created_at": at,
            "moved_at": at,
        },
    )


def _note(dispute: Dispute, found: ProviderDispute) -> None:
    """The time in which it can be answered may be prolonged."""
    if dispute.evidence_due_at != found.evidence_due_at:
        dispute.evidence_due_at = found.evidence_due_at
        dispute.save(update_fields=["evidence_due_at"])


def _freeze(wallet: LockedWallet, top_up: TopUp, dispute: Dispute, found: ProviderDispute, *, at: datetime) -> None:
    """Take what the lots still hold; the rest is owed."""
    parts = split_money(top_up, gone_of(top_up), found.amount)
    sources = sources_of(top_up, parts)
    _change(
        dispute,
        total=found.amount,
        credit=parts.credit,
        tax=parts.tax,
        fee=parts.fee,
        from_lot=sources.from_lot,
        owed=sources.owed,
        bonus=sources.bonus,
    )
    freeze_for_dispute(wallet, _back(top_up, dispute), at=at)
    if settings.DISPUTE_FREEZES_WALLET and wallet.status == Wallet.Status.ACTIVE:
        freeze_wallet(wallet_id=wallet.id, at=at)
        wallet.status = Wallet.Status.FROZEN
        _change(dispute, froze_wallet=True)


def _lose(wallet: LockedWallet, top_up: TopUp, dispute: Dispute, *, at: datetime) -> None:
    lose_dispute(wallet, _back(top_up, dispute), at=at)
    lost = min(dispute.owed, wallet.overdraft) if settings.DISPUTE_LOST_IS_WRITTEN_OFF else ZERO
    if lost:
        text = f"Lost in a dispute over top-up {top_up.public_id}"
        write_off(wallet, Correction(lost, LOSS, dispute.public_id, text, top_up.provider), at=at)
        _change(dispute, written_off=lost)


def _release(wallet: LockedWallet, top_up: TopUp, dispute: Dispute, *, at: datetime) -> None:
    """Put everything back, and thaw what this dispute froze unless another one still wants it frozen."""
    return_from_dispute(wallet, _back(top_up, dispute), at=at)
    if not dispute.froze_wallet:
        return
    others = Dispute.objects.filter(bucket=wallet.bucket, wallet_id=wallet.id, state__in=FROZEN).exclude(pk=dispute.pk)
    other = others.order_by("id").first()
    if other is not None:
        _change(other, froze_wallet=True)
    elif wallet.status == Wallet.Status.FROZEN:
        thaw_wallet(wallet_id=wallet.id, at=at)


def _change(dispute: Dispute, **changes: object) -> None:
    """Write figures of a dispute, under the wallet's lock."""
    Dispute.objects.filter(bucket=dispute.bucket, pk=dispute.pk).update(**changes)
    for name, value in changes.items():
        setattr(dispute, name, value)


def _back(top_up: TopUp, dispute: Dispute) -> MoneyBack:
    return money_back(top_up, dispute, reason=f"Dispute over top-up {top_up.public_id}", actor=top_up.provider)


def _refuse(top_up: TopUp, found: ProviderDispute, *, at: datetime) -> None:
    open_exception(
        kind=PaymentException.Kind.UNEXPLAINED,
        provider=top_up.provider,
        reference=found.id,
        top_up=top_up,
        currency=found.currency,
        expected=top_up.total,
        found=-found.amount,
        detail=f"A dispute ({found.outcome}) over a payment into a wallet that is closed, or in another currency.",
        at=at,
    )


def _tell(dispute: Dispute, *, at: datetime) -> None:
    due = dispute.evidence_due_at
    told = DisputeChanged(
        wallet_id=dispute.wallet_id,
        dispute=dispute.public_id,
        top_up=dispute.top_up.public_id,
        state=dispute.state.lower(),
        total=f"{dispute.total:f}",
        frozen=f"{dispute.from_lot:f}",
        owed=f"{dispute.owed:f}",
        currency=dispute.currency,
        reason=dispute.reason,
        evidence_due_at=due.isoformat() if due else "",
    )
    add_news([(f"wallet:{dispute.wallet_id}", told)], at=at, bucket=dispute.bucket)
