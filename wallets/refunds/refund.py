"""Refund a top-up to what it was paid with: the row comes first and takes the credit out of the wallet, so that it cannot be
spent meanwhile; `send.py` asks the provider, `settle.py` believes its answer.

Only what is unused goes back. Finance may override that with a second person's approval; then what was used is owed. With the
credit goes its share of the tax, and of the fee where the vendor returns fees; of the bonus its share is taken back, as far as
it is still there (`shares.py`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from wallets.accounts.models import User
from wallets.approvals.decide import request_approval
from wallets.approvals.limits import NeedsApproval, note_moved_alone
from wallets.approvals.models import Approval
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.money_back import take_for_refund
from wallets.errors import Conflict
from wallets.idempotency.claim import KeyReused
from wallets.input import Input
from wallets.money import plain, to_scale
from wallets.payments.currencies import can_be_charged, charge_step
from wallets.payments.find import lock_top_up
from wallets.payments.models import TopUp
from wallets.payments.states import SUCCEEDED as PAID_FOR
from wallets.refunds.models import Refund, Withdrawal
from wallets.refunds.move import move
from wallets.refunds.shares import Parts
from wallets.refunds.standing import gone_of, money_back, refundable, sources_of, split_credit
from wallets.refunds.states import CREATED, DECLINED, WAITING

APPROVAL: Final = "refund"
"""Kind of approval, by which limits are set."""
LONGEST_KEY: Final = 300


class NotRefundable(Conflict):
    """The top-up was not paid, was refunded whole, or is in dispute."""

    code = "not_refundable"


class MoreThanUnused(Conflict):
    """Less of the top-up is unused than should be refunded."""

    code = "more_than_unused"


class RefundEnded(Conflict):
    """The refund was made or declined before."""

    code = "refund_ended"


@dataclass(frozen=True, slots=True)
class Why:
    """Why money goes back, and who says so. by: a person, whose limits count; None: a program or the customer's bank."""

    reason: str
    note: str = ""
    actor: str = ""
    by: User | None = None


def refund_top_up(
    *,
    top_up: TopUp,
    credit: Decimal,
    why: Why,
    at: datetime,
    origin: str = Refund.Origin.FINANCE,
    overrides: bool = False,
    request_key: str | None = None,
) -> Refund:
    """Take `credit` (of the top-up's paid credit, in steps of its currency) back, for its money to be sent by `send_refund`.

    CREATED when it can be sent at once; WAITING, with nothing taken, when a second person has to approve it: above the limit
    of `why.by`'s role, and always when it `overrides` that some of it was used. request_key: whoever asks again with it gets
    the first refund. Raises InvalidInput, NotRefundable, MoreThanUnused, WalletClosed, KeyReused, LockBusy.
    """
    check = Input()
    check.amount("amount", credit, above_zero=True)
    reason = check.text("reason", why.reason, longest=120, required=True)
    note = check.text("note", why.note, longest=500)
    check.expect("request_key", request_key is None or 0 < len(request_key) <= LONGEST_KEY, f"1 to {LONGEST_KEY} characters")
    check.expect("overrides", not overrides or why.by is not None, "only a person can override")
    step = charge_step(top_up.currency)
    check.expect("amount", "amount" in check.wrong or can_be_charged(credit, top_up.currency), f"in steps of {step:f}")
    check.refuse("The top-up cannot be refunded like this.")
    with transaction.atomic():
        locked = lock_top_up(top_up.pk)
        first = _asked_before(request_key, top_up=locked, credit=credit)
        if first is not None:
            return first
        wallet = lock_wallets([locked.wallet_id], bucket=locked.bucket)[locked.wallet_id]
        parts = _checked_parts(wallet, locked, credit, overrides=overrides, at=at)
        refund = _row(locked, parts, at=at)
        refund.origin, refund.request_key, refund.overrides = origin, request_key, overrides
        refund.reason, refund.note, refund.actor = reason, note, why.actor or (why.by.email if why.by else "")
        if why.by is not None and _needs_second(why.by, refund, at=at):
            refund.approval = request_approval(
                kind=APPROVAL,
                subject=refund.public_id,
                amount=refund.total,
                currency=refund.currency,
                asked_by=why.by,
                reason=reason,
                note=note,
                at=at,
                account_id=locked.wallet.account_id,
            )
            refund.save(force_insert=True)
            return refund
        return take_credit(wallet, locked, refund, parts, at=at)


def carry_out_refund(*, approval: Approval, at: datetime) -> Refund:
    """Take the credit of a refund whose approval is APPROVED, in the decision's transaction; the money is sent after it.

    Raises NotRefundable, MoreThanUnused, WalletClosed, RefundEnded, LockBusy: then nothing is decided either.
    """
    with transaction.atomic():
        refund, locked = _of(approval)
        wallet = lock_wallets([locked.wallet_id], bucket=locked.bucket)[locked.wallet_id]
        _refuse_state(wallet, locked)
        left = refundable(wallet, locked, at=at, but=refund)
        _refuse_more(locked, refund.credit, left.at_most if refund.overrides else left.unused)
        gone = gone_of(locked)
        if gone.tax + refund.tax > locked.tax or gone.fee + refund.fee > locked.fee:
            raise NotRefundable(f"More of top-up {locked.public_id} has gone back meanwhile; decline this and ask again.")
        parts = split_credit(locked, gone, refund.credit)
        sources = sources_of(locked, parts)
        changes = {"from_lot": sources.from_lot, "owed": sources.owed, "bonus": sources.bonus}
        move(refund, CREATED, at=at, next_try_at=at, **changes)
        take_for_refund(wallet, money_back(locked, refund, reason=refund.reason, actor=_actor(refund, approval)), at=at)
    return refund


def drop_refund(*, approval: Approval, at: datetime) -> Refund:
    """End the refund of an approval that was declined or withdrawn. Raises RefundEnded."""
    with transaction.atomic():
        refund, _ = _of(approval)
        move(refund, DECLINED, at=at)
    return refund


def take_credit(
    wallet: LockedWallet,
    top_up: TopUp,
    refund: Refund,
    parts: Parts,
    *,
    at: datetime,
    withdrawal: Withdrawal | None = None,
) -> Refund:
    """Insert a refund as CREATED and take its credit, of a locked wallet; what the lot does not hold is owed."""
    sources = sources_of(top_up, parts)
    refund.state = CREATED
    refund.withdrawal = withdrawal
    refund.from_lot, refund.owed, refund.bonus = sources.from_lot, sources.owed, sources.bonus
    refund.save(force_insert=True)
    take_for_refund(wallet, money_back(top_up, refund, reason=refund.reason, actor=refund.actor), at=at)
    return refund


def new_refund(top_up: TopUp, parts: Parts, *, at: datetime, **terms: Any) -> Refund:
    """A refund that is not stored yet."""
    refund = _row(top_up, parts, at=at)
    for name, value in terms.items():
        setattr(refund, name, value)
    return refund


def _row(top_up: TopUp, parts: Parts, *, at: datetime) -> Refund:
    return Refund(
        bucket=top_up.bucket,
        top_up=top_up,
        wallet_id=top_up.wallet_id,
        state=WAITING,
        currency=top_up.currency,
        credit=parts.credit,
        tax=parts.tax,
        fee=parts.fee,
        total=parts.money,
        provider=top_up.provider,
        next_try_at=at,
        created_at=at,
        moved_at=at,
    )


def _checked_parts(wallet: LockedWallet, top_up: TopUp, credit: Decimal, *, overrides: bool, at: datetime) -> Parts:
    _refuse_state(wallet, top_up)
    left = refundable(wallet, top_up, at=at)
    _refuse_more(top_up, credit, left.at_most if overrides else left.unused)
    return split_credit(top_up, gone_of(top_up, waiting=True), credit)


def _refuse_state(wallet: LockedWallet, top_up: TopUp) -> None:
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    if top_up.state != PAID_FOR:
        raise NotRefundable(f"Top-up {top_up.public_id} is {top_up.state.lower()}; only what was paid goes back.")


def _refuse_more(top_up: TopUp, credit: Decimal, most: Decimal) -> None:
    if credit > most:
        text = plain(to_scale(most))
        raise MoreThanUnused(
            f"Of top-up {top_up.public_id}, {text} {top_up.currency} can be refunded.", fields={"amount": f"at most {text}"}
        )


def _needs_second(by: User, refund: Refund, *, at: datetime) -> bool:
    """Whether another person has to approve; noted as moved alone if not. Under the wallet's lock."""
    if refund.overrides:
        return True
    try:
        note_moved_alone(
            user=by, amount=refund.total, currency=refund.currency, kind=APPROVAL, subject=refund.public_id, at=at, instead=""
        )
    except NeedsApproval:
        return True
    return False


def _asked_before(request_key: str | None, *, top_up: TopUp, credit: Decimal) -> Refund | None:
    first = Refund.objects.select_related("top_up").filter(request_key=request_key).first() if request_key else None
    if first is not None and (first.top_up_id != top_up.pk or first.credit != credit):
        raise KeyReused("This key was used for another refund before; use a new one for a new refund.")
    return first


def _of(approval: Approval) -> tuple[Refund, TopUp]:
    """A refund that waits for this approval, and its top-up, under the wallet's lock."""
    top_up_id = Refund.objects.values_list("top_up_id", flat=True).get(public_id=approval.subject, approval_id=approval.pk)
    locked = lock_top_up(top_up_id)
    refund = Refund.objects.get(bucket=locked.bucket, public_id=approval.subject)
    if refund.state != WAITING:
        raise RefundEnded(f"Refund {refund.public_id} was made or declined already.")
    return refund, locked


def _actor(refund: Refund, approval: Approval) -> str:
    if approval.decided_by is None:
        return refund.actor
    return f"{refund.actor}, approved by {approval.decided_by.email}"[:200]
