"""Withdraw unused paid credit: what a customer bought and did not use goes back to what it was paid with, the oldest payment
first.

    REQUESTED   who asks was known again; a link that works once and for a day is on its way by e-mail
    CONFIRMED   the link was followed: the credit is held, finance has it in its queue
    APPROVED    it waits until `payable_at` (WITHDRAWAL_HOLD_HOURS after the confirmation)
    PAYING      the credit is taken, refund by refund; their providers decide about PAID and FAILED

Until it is paid it can be cancelled, at any step; then the credit is free again.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction

from wallets.accounts.models import User
from wallets.approvals.decide import AlreadyDecided, request_approval, withdraw_approval
from wallets.approvals.models import Approval
from wallets.balances.freeze import WalletFrozen
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import Conflict, NotFound
from wallets.holds.place import Work, place_hold, release_hold
from wallets.input import Input
from wallets.money import plain, to_scale
from wallets.outbox.topics import WithdrawalRequested
from wallets.outbox.write import add_news
from wallets.payments.currencies import can_be_charged, charge_step
from wallets.refunds.models import Withdrawal
from wallets.refunds.move import move
from wallets.refunds.reauthenticate import reauthenticate
from wallets.refunds.states import APPROVED, CANCELLABLE, CANCELLED, CONFIRMED, DECLINED, HELD, LAPSED, REQUESTED
from wallets.refunds.withdrawable import withdrawable
from wallets.refunds.withdrawal_state import tell_ended, tell_step

APPROVAL: Final = "withdrawal"
LINK_WORKS_FOR: Final = timedelta(days=1)
# Finance has that long to decide; what nobody decided lapses and the credit is free again.
HELD_FOR: Final = timedelta(days=30)
_SALT: Final = "wallets.refunds.withdraw"


class NothingToWithdraw(Conflict):
    """Less paid credit is unused, or free, than should be withdrawn."""

    code = "nothing_to_withdraw"


class WithdrawalUnderWay(Conflict):
    """Another withdrawal from the wallet has not ended yet."""

    code = "withdrawal_under_way"


class WithdrawalEnded(Conflict):
    """The withdrawal is beyond the step that was asked for."""

    code = "withdrawal_ended"


class LinkNotValid(Conflict):
    """The link is not ours, was used before, or is too old."""

    code = "withdrawal_link_not_valid"


def request_withdrawal(
    *, wallet: Wallet, amount: Decimal, user: User, password: str, at: datetime, code: str = "", note: str = ""
) -> Withdrawal:
    """Ask for `amount` of a wallet's unused paid credit. Nothing is held before the link in the e-mail is followed.

    user: a member of the account who may spend its money, which the caller has seen to; `password` and, where they have a
    second factor, `code` are theirs. Raises PasswordWrong, SecondFactorWrong, InvalidInput, NothingToWithdraw,
    WithdrawalUnderWay, WalletFrozen, WalletClosed, LockBusy.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    note = check.text("note", note, longest=500)
    step = charge_step(wallet.currency)
    check.expect("amount", "amount" in check.wrong or can_be_charged(amount, wallet.currency), f"in steps of {step:f}")
    check.refuse("The credit cannot be withdrawn like this.")
    second_factor = reauthenticate(user=user, password=password, code=code)
    try:
        with transaction.atomic():
            locked = _lock(wallet.pk, wallet.bucket)
            _refuse_more(locked, amount, at=at)
            withdrawal = Withdrawal.objects.create(
                bucket=locked.bucket,
                wallet=wallet,
                currency=locked.currency,
                amount=amount,
                asked_by=user,
                second_factor=second_factor,
                note=note,
                confirm_by=at + LINK_WORKS_FOR,
                created_at=at,
                moved_at=at,
            )
            told = WithdrawalRequested(
                wallet_id=locked.id,
                withdrawal=withdrawal.public_id,
                amount=f"{amount:f}",
                currency=locked.currency,
                email=user.email,
                confirm_by=withdrawal.confirm_by.isoformat(),
            )
            add_news([(f"wallet:{locked.id}", told)], at=at, bucket=locked.bucket)
    except IntegrityError as error:
        if "withdrawal_one_at_a_time" not in str(error):
            raise
        raise WithdrawalUnderWay("A withdrawal from this wallet is under way; cancel it or wait for its end.") from error
    return withdrawal


def confirmation_link(withdrawal: Withdrawal) -> str:
    """The address that confirms a withdrawal, once; only the person it is mailed to should ever see it."""
    token = signing.Signer(salt=_SALT).sign(withdrawal.public_id)
    return str(settings.WITHDRAWAL_URL).format(token=token)


def withdrawal_of_link(*, token: str, user: User) -> Withdrawal:
    """The withdrawal a link is about, of the person who asked for it. Raises LinkNotValid."""
    try:
        public_id = signing.Signer(salt=_SALT).unsign(token)
    except signing.BadSignature:
        public_id = ""
    withdrawal = Withdrawal.objects.select_related("wallet__account").filter(public_id=public_id, asked_by=user).first()
    if withdrawal is None:
        raise LinkNotValid("This link is not valid. Sign in as the person who asked, and use the newest e-mail.")
    return withdrawal


def confirm_withdrawal(*, token: str, user: User, at: datetime) -> Withdrawal:
    """Follow the link: hold the credit, and put the withdrawal before finance.

    Raises LinkNotValid, NothingToWithdraw (it was used meanwhile), HoldRefused, WalletFrozen, WalletClosed, LockBusy.
    """
    found = withdrawal_of_link(token=token, user=user)
    with transaction.atomic():
        withdrawal, locked = lock_withdrawal(found.pk)
        if withdrawal.state != REQUESTED or at >= withdrawal.confirm_by:
            raise LinkNotValid("This link was used before or is too old.")
        _refuse_more(locked, withdrawal.amount, at=at)
        payable_at = at + timedelta(hours=settings.WITHDRAWAL_HOLD_HOURS)
        seconds = int((payable_at + HELD_FOR - at).total_seconds())
        hold = place_hold(
            wallet_id=locked.id,
            amount=withdrawal.amount,
            ttl_seconds=seconds,
            longest_seconds=seconds,
            work=Work(actor=f"withdrawal {withdrawal.public_id}"),
            at=at,
        )
        approval = request_approval(
            kind=APPROVAL,
            subject=withdrawal.public_id,
            amount=withdrawal.amount,
            currency=withdrawal.currency,
            asked_by=withdrawal.asked_by,
            reason="Withdrawal of unused credit",
            note=withdrawal.note,
            at=at,
            account_id=locked.account_id,
        )
        move(withdrawal, CONFIRMED, at=at, confirmed_at=at, payable_at=payable_at, hold=hold, approval=approval)
        tell_step(withdrawal, at=at)
    return withdrawal


def approve_withdrawal(*, approval: Approval, at: datetime) -> Withdrawal:
    """Let a withdrawal be paid once its time has come; in the decision's transaction. Raises WithdrawalEnded, LockBusy."""
    with transaction.atomic():
        withdrawal, _ = lock_withdrawal(_pk_of(approval))
        if withdrawal.state != CONFIRMED:
            raise WithdrawalEnded(f"Withdrawal {withdrawal.public_id} is {withdrawal.state.lower()} already.")
        move(withdrawal, APPROVED, at=at)
        tell_step(withdrawal, at=at)
    return withdrawal


def decline_withdrawal(*, approval: Approval, at: datetime) -> Withdrawal:
    """Free the credit of a withdrawal that finance declined, in the decision's transaction. Raises WithdrawalEnded."""
    with transaction.atomic():
        withdrawal, _ = lock_withdrawal(_pk_of(approval))
        if withdrawal.state != CONFIRMED:
            raise WithdrawalEnded(f"Withdrawal {withdrawal.public_id} is {withdrawal.state.lower()} already.")
        end_withdrawal(withdrawal, DECLINED, at=at, failure=f"Declined: {approval.answer}"[:300])
    return withdrawal


def cancel_withdrawal(*, withdrawal: Withdrawal, at: datetime) -> Withdrawal:
    """Take a withdrawal back, at any step before its payout. Raises WithdrawalEnded, LockBusy."""
    with transaction.atomic():
        locked, _ = lock_withdrawal(withdrawal.pk)
        if locked.state not in CANCELLABLE:
            raise WithdrawalEnded(f"Withdrawal {locked.public_id} is {locked.state.lower()} already.")
        end_withdrawal(locked, CANCELLED, at=at)
    return locked


def lapse_withdrawals(*, at: datetime) -> int:
    """End those whose link was not followed in time, and those that nobody decided while the credit was held; how many."""
    late = Withdrawal.objects.filter(state=REQUESTED, confirm_by__lte=at)
    undecided = Withdrawal.objects.filter(state__in=HELD, hold__expires_at__lte=at)
    pks = [*late.values_list("pk", flat=True), *undecided.values_list("pk", flat=True)]
    return sum(_if_still(pk, lambda one: one.state == REQUESTED or one.state in HELD, at=at) for pk in pks)


def end_withdrawal(withdrawal: Withdrawal, after: str, *, at: datetime, failure: str = "") -> None:
    """End a withdrawal that was not paid, under its wallet's lock: the credit is free, nobody need decide any more."""
    if withdrawal.hold is not None:
        release_hold(hold_public_id=withdrawal.hold.public_id, at=at)
    if withdrawal.approval is not None and after not in (DECLINED, APPROVED):
        with suppress(AlreadyDecided), transaction.atomic():
            answer = f"The withdrawal is {after.lower()}."
            withdraw_approval(approval_id=withdrawal.approval.public_id, at=at, answer=answer)
    move(withdrawal, after, at=at, failure=failure, hold=None)
    tell_ended(withdrawal, at=at)


def lock_withdrawal(pk: int) -> tuple[Withdrawal, LockedWallet]:
    """A withdrawal (row id) under its wallet's lock. Raises LockBusy, NotFound."""
    found = Withdrawal.objects.filter(pk=pk).values_list("bucket", "wallet_id").first()
    if found is None:
        raise NotFound("There is no such withdrawal.")
    bucket, wallet_id = found
    locked = lock_wallets([wallet_id], bucket=bucket)[wallet_id]
    rows = Withdrawal.objects.select_related("wallet__account", "hold", "approval", "asked_by")
    return rows.get(bucket=bucket, pk=pk), locked


def _if_still(pk: int, still: Callable[[Withdrawal], bool], *, at: datetime) -> bool:
    with transaction.atomic():
        withdrawal, _ = lock_withdrawal(pk)
        if not still(withdrawal):
            return False
        end_withdrawal(withdrawal, LAPSED, at=at, failure="Nobody confirmed or decided it in time.")
    return True


def _lock(wallet_id: int, bucket: int) -> LockedWallet:
    return lock_wallets([wallet_id], bucket=bucket)[wallet_id]


def _refuse_more(locked: LockedWallet, amount: Decimal, *, at: datetime) -> None:
    if locked.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {locked.public_id} is closed.")
    if locked.status == Wallet.Status.FROZEN:
        raise WalletFrozen(f"Wallet {locked.public_id} is frozen.")
    most = withdrawable(locked, at=at)
    if amount > most:
        text = plain(to_scale(most))
        raise NothingToWithdraw(
            f"{text} {locked.currency} of paid credit can be withdrawn.", fields={"amount": f"at most {text}"}
        )


def _pk_of(approval: Approval) -> int:
    return Withdrawal.objects.values_list("pk", flat=True).get(public_id=approval.subject, approval_id=approval.pk)
