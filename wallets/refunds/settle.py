"""Settle a refund: whoever learns how it stands at the provider (the call that made it, a webhook, the sweep) hands it in here,
in any order and as often as they like. The credit stays out of the wallet while the money is on its way, and comes back when
it did not leave."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from django.db import transaction

from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.credit.money_back import recall_refund_money, return_from_refund, send_refund_money, take_for_refund
from wallets.errors import Conflict
from wallets.input import Input
from wallets.outbox.topics import RefundFailed, RefundSucceeded
from wallets.outbox.write import add_news
from wallets.payments.event_models import PaymentException
from wallets.payments.exceptions import open_exception
from wallets.payments.find import lock_top_up
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import ProviderRefund, RefundOutcome
from wallets.payments.providers.registry import MANUAL
from wallets.payments.states import PAID
from wallets.refunds.models import Refund
from wallets.refunds.move import move
from wallets.refunds.refund import new_refund, take_credit
from wallets.refunds.standing import gone_of, money_back, restate_top_up, sources_of, split_money
from wallets.refunds.states import FAILED, ON_ITS_WAY, PENDING, SUCCEEDED, TAKEN
from wallets.refunds.withdrawal_state import restate_withdrawal

# A webhook tells sooner; this is for the one that never comes.
ASK_AGAIN: Final = timedelta(hours=1)
AT_THE_PROVIDER: Final = "made at the provider"
_AFTER: Final[Mapping[RefundOutcome, str]] = {
    RefundOutcome.PENDING: PENDING,
    RefundOutcome.SUCCEEDED: SUCCEEDED,
    RefundOutcome.FAILED: FAILED,
}


class NotByHand(Conflict):
    """The provider sends this refund; nobody confirms it by hand."""

    code = "refund_not_by_hand"


def settle_refund(*, refund_id: int, found: ProviderRefund, at: datetime) -> Refund:
    """Bring a refund (row id) to where it stands at the provider. One of another amount than ours is not believed and opens an
    exception. Raises LockBusy."""
    with transaction.atomic():
        refund, top_up, wallet = lock_refund(refund_id)
        assert refund.provider_ref in (None, found.id), (refund.public_id, refund.provider_ref, found.id)
        if found.amount != refund.total or found.currency != refund.currency:
            open_exception(
                kind=PaymentException.Kind.AMOUNT_DIFFERS,
                provider=top_up.provider,
                reference=found.id,
                top_up=top_up,
                currency=found.currency,
                expected=refund.total,
                found=found.amount,
                detail=f"The provider refunds another amount than refund {refund.public_id} says.",
                at=at,
            )
            return refund
        _settle(wallet, top_up, refund, _AFTER[found.outcome], code=found.failure_code, provider_ref=found.id, at=at)
    return refund


def fail_refund(*, refund_id: int, code: str, at: datetime) -> Refund:
    """The provider did not take a refund at all: put its credit back. Raises LockBusy."""
    with transaction.atomic():
        refund, top_up, wallet = lock_refund(refund_id)
        if refund.state in ON_ITS_WAY:
            _settle(wallet, top_up, refund, FAILED, code=code, provider_ref=refund.provider_ref, at=at)
    return refund


def confirm_sent(*, refund: Refund, reference: str, actor: str, at: datetime) -> Refund:
    """Finance has sent the money of a refund itself (a wire, a cheque); reference: the bank's.

    Raises NotByHand, InvalidInput, LockBusy. Said twice, it is done once.
    """
    check = Input()
    reference = check.text("reference", reference, longest=150, required=True)
    check.refuse("The refund cannot be confirmed like this.")
    with transaction.atomic():
        locked, top_up, wallet = lock_refund(refund.pk)
        if locked.provider != MANUAL or locked.state not in (*ON_ITS_WAY, SUCCEEDED):
            raise NotByHand(f"Refund {locked.public_id} is {locked.state.lower()}, and sent by {locked.provider}.")
        if locked.state != SUCCEEDED:
            _settle(
                wallet, top_up, locked, SUCCEEDED, code="", provider_ref=f"{top_up.means}:{reference}", actor=actor, at=at
            )  # fmt: skip
    return locked


def adopt_refund(*, top_up_id: int, found: ProviderRefund, at: datetime) -> Refund | None:
    """Book a refund that somebody made at the provider. What of it the lot does not hold any more is owed.

    None when there is nothing to book: it failed, or the wallet is closed, which opens an exception. Raises LockBusy.
    """
    with transaction.atomic():
        top_up = lock_top_up(top_up_id)
        known = Refund.objects.filter(bucket=top_up.bucket, provider=top_up.provider, provider_ref=found.id).first()
        if known is None and found.outcome is RefundOutcome.FAILED:
            return None
        if known is None:
            known = _adopt(top_up, found, at=at)
        if known is None:
            return None
    return settle_refund(refund_id=known.pk, found=found, at=at)


def lock_refund(refund_id: int) -> tuple[Refund, TopUp, LockedWallet]:
    """A refund (row id) and its top-up under their wallet's lock. Raises LockBusy."""
    top_up = lock_top_up(Refund.objects.values_list("top_up_id", flat=True).get(pk=refund_id))
    wallet = lock_wallets([top_up.wallet_id], bucket=top_up.bucket)[top_up.wallet_id]
    refund = Refund.objects.select_related("withdrawal").get(bucket=top_up.bucket, pk=refund_id)
    refund.top_up = top_up
    return refund, top_up, wallet


def _adopt(top_up: TopUp, found: ProviderRefund, *, at: datetime) -> Refund | None:
    assert top_up.state in PAID, (top_up.public_id, top_up.state)
    wallet = lock_wallets([top_up.wallet_id], bucket=top_up.bucket)[top_up.wallet_id]
    if wallet.status == Wallet.Status.CLOSED or found.currency != top_up.currency:
        open_exception(
            kind=PaymentException.Kind.UNEXPLAINED,
            provider=top_up.provider,
            reference=found.id,
            top_up=top_up,
            currency=found.currency,
            expected=top_up.total,
            found=-found.amount,
            detail="A refund was made at the provider for a wallet that is closed, or in another currency; nothing was booked.",
            at=at,
        )
        return None
    parts = split_money(top_up, gone_of(top_up), found.amount)
    refund = new_refund(
        top_up,
        parts,
        at=at,
        origin=Refund.Origin.PROVIDER,
        reason=AT_THE_PROVIDER,
        actor=top_up.provider,
        provider_ref=found.id,
    )
    return take_credit(wallet, top_up, refund, parts, at=at)


def _settle(
    wallet: LockedWallet,
    top_up: TopUp,
    refund: Refund,
    after: str,
    *,
    code: str,
    provider_ref: str | None,
    at: datetime,
    actor: str = "",
) -> None:
    """Move a refund, and its credit and money with it: each where the state says it is."""
    before = refund.state
    if after == before or (after == PENDING and before == SUCCEEDED):
        if provider_ref != refund.provider_ref:
            move(refund, before, at=at, provider_ref=provider_ref)
        return
    if wallet.status == Wallet.Status.CLOSED and FAILED in (before, after):
        _report(top_up, refund, after, at=at)
        return
    if after in TAKEN and before == FAILED:
        _take_again(wallet, top_up, refund, at=at)
    back = money_back(top_up, refund, reason=refund.reason, actor=actor or refund.actor)
    if before == SUCCEEDED:
        recall_refund_money(wallet, back, at=at)
    if after == SUCCEEDED:
        send_refund_money(wallet, back, at=at)
    if after == FAILED:
        return_from_refund(wallet, back, at=at)
    move(refund, after, at=at, provider_ref=provider_ref, failure_code=code[:60], next_try_at=at + ASK_AGAIN)
    restate_top_up(top_up, at=at)
    _tell(refund, at=at)
    if refund.withdrawal is not None:
        restate_withdrawal(refund.withdrawal, at=at)


def _report(top_up: TopUp, refund: Refund, after: str, *, at: datetime) -> None:
    """A wallet was closed while a refund was on its way: its credit has nowhere to go."""
    open_exception(
        kind=PaymentException.Kind.UNEXPLAINED,
        provider=refund.provider,
        reference=refund.public_id,
        top_up=top_up,
        currency=refund.currency,
        expected=refund.total,
        found=refund.total,
        detail=f"The refund is {after.lower()} at the provider; its wallet was closed meanwhile, and nothing was booked.",
        at=at,
    )


def _take_again(wallet: LockedWallet, top_up: TopUp, refund: Refund, *, at: datetime) -> None:
    """A refund that failed is on its way after all."""
    sources = sources_of(top_up, split_money(top_up, gone_of(top_up), refund.total))
    owed = refund.credit - min(sources.from_lot, refund.credit)
    changes = {"from_lot": refund.credit - owed, "owed": owed, "bonus": sources.bonus}
    Refund.objects.filter(bucket=refund.bucket, pk=refund.pk).update(**changes)
    for name, value in changes.items():
        setattr(refund, name, value)
    take_for_refund(wallet, money_back(top_up, refund, reason=refund.reason, actor=refund.actor), at=at)


def _tell(refund: Refund, *, at: datetime) -> None:
    if refund.state not in (SUCCEEDED, FAILED):
        return
    facts = {
        "wallet_id": refund.wallet_id,
        "refund": refund.public_id,
        "top_up": refund.top_up.public_id,
        "credit": f"{refund.credit:f}",
        "total": f"{refund.total:f}",
        "currency": refund.currency,
        "origin": refund.origin,
    }
    told = RefundSucceeded(**facts) if refund.state == SUCCEEDED else RefundFailed(**facts, code=refund.failure_code)  # type: ignore[arg-type]
    add_news([(f"wallet:{refund.wallet_id}", told)], at=at, bucket=refund.bucket)
