"""Adjust a balance by hand: at once within the limit of one's role, after another person's approval above it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.db.models import Sum

from wallets.accounts.models import User
from wallets.adjustments.attach import MOST_FILES, attach
from wallets.adjustments.models import Adjustment, Attachment, ReasonCode
from wallets.approvals.decide import request_approval
from wallets.approvals.limits import needs_approval
from wallets.approvals.models import Approval
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.adjust import Correction, give_goodwill, raise_credit, take_credit, write_off
from wallets.errors import Conflict
from wallets.input import Input
from wallets.money import ZERO

Kind = Adjustment.Kind
State = Adjustment.State

APPROVALS: Final[Mapping[str, str]] = {
    Kind.GOODWILL: "goodwill",
    Kind.CREDIT: "correction",
    Kind.DEBIT: "correction",
    Kind.WRITE_OFF: "write_off",
}
"""Kind of adjustment -> kind of approval, by which limits are set."""
DAY: Final = timedelta(days=1)
# One at a time for a person, so that two halves of a sum posted at the same moment are seen as the whole.
_ALONE: Final = "SELECT pg_advisory_xact_lock(hashtext('adjustments'), %s)"


class ReasonUnknown(Conflict):
    """There is no such reason code, or it is not used any more."""

    code = "reason_unknown"


class AdjustmentEnded(Conflict):
    """The adjustment was posted or declined before."""

    code = "adjustment_ended"


def adjust_balance(  # noqa: PLR0913 - what a controller asks about it later
    *,
    wallet: Wallet,
    kind: str,
    amount: Decimal,
    reason_code: str,
    note: str,
    by: User,
    at: datetime,
    expires_at: datetime | None = None,
    attachments: Sequence[Attachment] = (),
) -> Adjustment:
    """Adjust a wallet by `amount` (above zero, in its currency; `kind` of Adjustment.Kind says which way).

    POSTED at once while what this person posted alone of its kind within 24 hours stays, with this, within the limit of their
    role; else WAITING, with an approval that another person decides. expires_at: of goodwill credit, exclusive.

    Raises InvalidInput, ReasonUnknown, WalletClosed, NothingOwed, CreditExhausted, NotFound (an attachment), LockBusy.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    check.choice("kind", kind, list(Kind))
    note = check.text("note", note, longest=500, required=True)
    check.expect("expires_at", expires_at is None or (kind == Kind.GOODWILL and expires_at > at), "of goodwill, in the future")
    check.expect("attachment", len(attachments) <= MOST_FILES, f"at most {MOST_FILES} files")
    check.refuse("The balance cannot be adjusted like this.")
    reason = ReasonCode.objects.filter(code=reason_code, is_active=True).first()
    if reason is None:
        raise ReasonUnknown("Choose a reason from the list.", fields={"reason_code": "a reason from the list"})
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute(_ALONE, [by.pk])
        adjustment = Adjustment.objects.create(
            bucket=wallet.bucket,
            wallet=wallet,
            kind=kind,
            currency=wallet.currency,
            amount=amount,
            expires_at=expires_at,
            reason=reason,
            note=note,
            asked_by=by,
            asked_at=at,
        )
        attach(adjustment, attachments=attachments, by=by)
        posted_alone = posted_alone_by(by, kind=kind, currency=wallet.currency, at=at)
        limited = APPROVALS[kind]
        if needs_approval(user=by, amount=amount + posted_alone, currency=wallet.currency, kind=limited):
            adjustment.approval = request_approval(
                kind=limited,
                subject=adjustment.public_id,
                amount=amount,
                currency=wallet.currency,
                asked_by=by,
                reason=reason.title,
                note=note,
                at=at,
                account_id=wallet.account_id,
            )
            adjustment.save(update_fields=["approval"])
            return adjustment
        return _post(adjustment, at=at)


def post_approved(*, approval: Approval, at: datetime) -> Adjustment:
    """Post the adjustment an approval was asked for, now that it is APPROVED; in the decision's transaction.

    Raises what posting raises: then nothing is decided either. AdjustmentEnded when it was posted before.
    """
    with transaction.atomic():
        return _post(_of(approval), at=at)


def drop_adjustment(*, approval: Approval, at: datetime) -> Adjustment:
    """End the adjustment of an approval that was declined or withdrawn. Raises AdjustmentEnded."""
    with transaction.atomic():
        adjustment = _of(approval)
        _move(adjustment, State.DECLINED, at=at)
    return adjustment


def posted_alone_by(user: User, *, kind: str, currency: str, at: datetime) -> Decimal:
    """How much this person posted within 24 hours before `at` without anybody's approval, of adjustments limited alike."""
    alike = [one for one, limited in APPROVALS.items() if limited == APPROVALS[kind]]
    mine = Adjustment.objects.filter(asked_by=user, asked_at__gt=at - DAY, currency=currency, kind__in=alike)
    total = mine.filter(state=State.POSTED, approval__isnull=True).aggregate(total=Sum("amount"))["total"]
    return total or ZERO


def _of(approval: Approval) -> Adjustment:
    found = Adjustment.objects.select_related("wallet", "reason", "asked_by", "approval__decided_by")
    return found.get(public_id=approval.subject, approval_id=approval.pk)


def _post(adjustment: Adjustment, *, at: datetime) -> Adjustment:
    """Book it, under its wallet's lock."""
    wallet = lock_wallets([adjustment.wallet_id], bucket=adjustment.bucket)[adjustment.wallet_id]
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    adjustment.entry_id = _book(wallet, adjustment, at=at)
    _move(adjustment, State.POSTED, at=at, entry_id=adjustment.entry_id)
    return adjustment


def _book(wallet: LockedWallet, adjustment: Adjustment, *, at: datetime) -> int:
    actor = adjustment.asked_by.email
    if adjustment.approval is not None and adjustment.approval.decided_by is not None:
        actor = f"{actor}, approved by {adjustment.approval.decided_by.email}"
    correction = Correction(
        adjustment.amount, adjustment.reason.code, adjustment.public_id, f"{adjustment.reason.title}: {adjustment.note}"[:500],
        actor[:200],
    )  # fmt: skip
    match adjustment.kind:
        case Kind.CREDIT:
            return raise_credit(wallet, correction, at=at)
        case Kind.DEBIT:
            return take_credit(wallet, correction, at=at)
        case Kind.WRITE_OFF:
            return write_off(wallet, correction, at=at)
    return give_goodwill(wallet, correction, at=at, expires_at=adjustment.expires_at)


def _move(adjustment: Adjustment, after: Adjustment.State, *, at: datetime, **changes: int) -> None:
    """The one function that changes an adjustment's state."""
    waiting = Adjustment.objects.filter(pk=adjustment.pk, state=State.WAITING)
    if not waiting.update(state=after, ended_at=at, **changes):
        raise AdjustmentEnded(f"Adjustment {adjustment.public_id} was posted or declined already.")
    adjustment.state, adjustment.ended_at = after, at
