"""Redeem a voucher: once per use of its code, whoever types it how often and how concurrently.

The code is claimed by a conditional UPDATE whose rows are counted, in the transaction of the credit it gives. Every attempt
is a row of its own before it is looked at, committed whatever comes of it, so that guessing is limited and seen.
"""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from typing import Final

from django.db import IntegrityError, connection, transaction
from django.db.models import F

from pricing.credit_products.codes import code_hash, read_code
from pricing.credit_products.models import VoucherAttempt, VoucherBatch, VoucherCode, VoucherRedemption
from pricing.periods import days_later
from wallets.balances.lock import LockBusy, lock_wallet
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.errors import Conflict, InvalidInput, Refusal
from wallets.money import plain

# People mistype; programs guess.
MOST_ATTEMPTS: Final = 20
ATTEMPTS_WITHIN: Final = timedelta(hours=1)
NO_HASH: Final = bytes(32)


class VoucherUnknown(InvalidInput):
    """There is no voucher with this code."""

    code = "voucher_unknown"


class VoucherNotValid(Conflict):
    """The voucher cannot be redeemed yet, or not any more."""

    code = "voucher_not_valid"


class VoucherUsed(Conflict):
    """The voucher has been redeemed as often as it can be."""

    code = "voucher_used"


class VoucherLimitReached(Conflict):
    """The account has redeemed as many vouchers of this kind as it may."""

    code = "voucher_limit_reached"


class TooManyAttempts(Refusal):
    """Too many codes were tried for this account within an hour."""

    code = "too_many_attempts"


def redeem_voucher(*, wallet: Wallet, code: str, at: datetime, actor: str = "") -> VoucherRedemption:
    """Turn a code into credit of the wallet.

    Must not run inside a transaction that a refusal undoes, or the attempt is forgotten. Raises TooManyAttempts,
    VoucherUnknown, VoucherNotValid, VoucherUsed, VoucherLimitReached, WalletClosed, InvalidInput, LockBusy.
    """
    attempt = _attempt(wallet, at=at, actor=actor)
    try:
        with transaction.atomic():
            redemption = _redeem(wallet, code, at=at, actor=actor)
            _note(attempt, "redeemed", redemption.code)
    except Refusal as refusal:
        _note(attempt, refusal.code, None)
        raise
    return redemption


def _attempt(wallet: Wallet, *, at: datetime, actor: str) -> VoucherAttempt:
    """Record the attempt, unless there were too many. The account's attempts stand in a line, so none is missed."""
    with transaction.atomic():
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(hashtextextended('voucher_attempts:' || %s, 0))", [wallet.account_id])
        lately = VoucherAttempt.objects.filter(account_id=wallet.account_id, at__gt=at - ATTEMPTS_WITHIN)
        tried = lately.exclude(outcome=TooManyAttempts.code)
        too_many = tried.count() >= MOST_ATTEMPTS
        attempt = VoucherAttempt.objects.create(
            account_id=wallet.account_id, outcome=TooManyAttempts.code if too_many else "", actor=actor, at=at
        )
        oldest = tried.order_by("at").values_list("at", flat=True).first() if too_many else None
    if oldest is not None:
        wait = oldest + ATTEMPTS_WITHIN - at
        raise TooManyAttempts(
            f"{MOST_ATTEMPTS} codes were tried for this account within an hour; try again later.",
            extra={"retry_after_seconds": max(1, -(-wait // timedelta(seconds=1)))},
        )
    return attempt


def _note(attempt: VoucherAttempt, outcome: str, code: VoucherCode | None) -> None:
    attempt.outcome, attempt.code = outcome, code
    attempt.save(update_fields=["outcome", "code"])


def _redeem(wallet: Wallet, typed: str, *, at: datetime, actor: str) -> VoucherRedemption:
    lock_wallet(wallet.pk)
    code = _find(typed)
    batch = code.batch
    if batch.stopped_at is not None or at < batch.redeem_from or (batch.redeem_until is not None and at >= batch.redeem_until):
        raise VoucherNotValid("This voucher cannot be redeemed now.")
    if wallet.currency != batch.currency:
        raise InvalidInput(f"The voucher is for a wallet in {batch.currency}.", fields={"wallet": f"one in {batch.currency}"})
    number = VoucherRedemption.objects.filter(batch=batch, account_id=wallet.account_id).count() + 1
    if number > batch.per_account:
        raise VoucherLimitReached("This account has redeemed as many of these vouchers as it may.")
    if not VoucherCode.objects.filter(pk=code.pk, used__lt=F("uses")).update(used=F("used") + 1):
        raise VoucherUsed("This voucher has been redeemed already.")
    return _credit(wallet, batch, code, number, at=at, actor=actor)


def _find(typed: str) -> VoucherCode:
    """The code's row. As much work for a code that is not there; what is compared are hashes, in constant time."""
    wanted = code_hash(read_code(typed))
    found = VoucherCode.objects.filter(code_hash=wanted).select_related("batch").first()
    if not hmac.compare_digest(NO_HASH if found is None else bytes(found.code_hash), wanted) or found is None:
        raise VoucherUnknown("There is no voucher with this code.", fields={"code": "the code of a voucher"})
    return found


def _credit(
    wallet: Wallet, batch: VoucherBatch, code: VoucherCode, number: int, *, at: datetime, actor: str
) -> VoucherRedemption:
    days = batch.validity_days
    lot = grant_credit(
        wallet_id=wallet.pk,
        amount=batch.amount,
        kind=batch.kind,
        at=at,
        priority=batch.priority,
        expires_at=None if days is None else days_later(at, days=days, zone=wallet.account.time_zone),
        meters=batch.meters,
        reason=f"Voucher {batch.name} over {plain(batch.amount)} {batch.currency}",
        source=batch.public_id,
        actor=actor,
    )
    try:
        with transaction.atomic():
            return VoucherRedemption.objects.create(
                code=code, batch=batch, account_id=wallet.account_id, number=number, lot=lot, at=at
            )
    except IntegrityError as error:
        raise LockBusy("Another of these vouchers is being redeemed for this account; send it again in a moment.") from error
