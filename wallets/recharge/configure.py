"""Set a wallet's rule: when it recharges, by how much, and how much a month may cost."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.balances.lock import LockedWallet, lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import NotFound
from wallets.input import Input
from wallets.money import plain
from wallets.payments.currencies import can_be_charged
from wallets.payments.terms import Terms, terms_of
from wallets.recharge.facts import quote_recharge
from wallets.recharge.models import AutoRecharge
from wallets.recharge.wake import wake_after_commit

COOL_DOWN: Final = timedelta(minutes=5)
LONGEST_COOL_DOWN_SECONDS: Final = 7 * 24 * 3600
_CAP_IN_RECHARGES: Final = 10


@dataclass(frozen=True, slots=True)
class RechargeTerms:
    """A rule, in the wallet's currency. amount: credit bought each time; or target: what is missing to it.
    monthly_cap: charged at most in a month of the account's time zone, tax and fee included."""

    threshold: Decimal
    monthly_cap: Decimal
    amount: Decimal | None = None
    target: Decimal | None = None
    cool_down_seconds: int = int(COOL_DOWN.total_seconds())


def set_auto_recharge(
    *, wallet_id: int, terms: RechargeTerms, at: datetime, is_on: bool = True, actor: str = ""
) -> AutoRecharge:
    """Set a wallet's rule (row id), in place of the one it had. Declines so far are forgotten, and the balance is looked at.

    Raises InvalidInput, CurrencyNotCharged, WalletClosed, LockBusy, NotFound.
    """
    wallet = Wallet.objects.select_related("account").filter(pk=wallet_id).first()
    if wallet is None:
        raise NotFound(f"No wallet with id {wallet_id}.")
    _check(wallet, terms, at=at)
    with transaction.atomic():
        locked = _open(wallet_id)
        rule, _ = AutoRecharge.objects.update_or_create(
            wallet_id=wallet_id,
            defaults={
                "bucket": locked.bucket,
                "is_on": is_on,
                "threshold": terms.threshold,
                "amount": terms.amount,
                "target": terms.target,
                "monthly_cap": terms.monthly_cap,
                "cool_down_seconds": terms.cool_down_seconds,
                "resumed_at": at,
                "look_at": at if is_on else None,
                "changed_at": at,
                "changed_by": actor[:200],
            },
        )
        _watch(locked, terms.threshold if is_on else None)
        wake_after_commit()
    return rule


def switch_auto_recharge(*, wallet_id: int, on: bool, at: datetime, actor: str = "") -> AutoRecharge:
    """Turn a wallet's rule on (declines so far are forgotten: try again) or off. Raises NotFound, WalletClosed, LockBusy."""
    with transaction.atomic():
        locked = _open(wallet_id)
        rule = AutoRecharge.objects.filter(bucket=locked.bucket, wallet_id=wallet_id).first()
        if rule is None:
            raise NotFound("This wallet has no rule to recharge by.")
        rule.is_on, rule.changed_at, rule.changed_by = on, at, actor[:200]
        rule.look_at = at if on else None
        rule.resumed_at = at if on else rule.resumed_at
        rule.save(update_fields=["is_on", "changed_at", "changed_by", "look_at", "resumed_at"])
        _watch(locked, rule.threshold if on else None)
        wake_after_commit()
    return rule


def proposed_terms(currency: str) -> RechargeTerms:
    """What is offered when a card is saved. Raises CurrencyNotCharged."""
    terms = terms_of(currency)
    low = terms.suggested[0] if terms.suggested else terms.minimum
    amount = terms.suggested[1] if len(terms.suggested) > 1 else low
    return RechargeTerms(threshold=low, amount=amount, monthly_cap=amount * _CAP_IN_RECHARGES)


def _open(wallet_id: int) -> LockedWallet:
    locked = lock_wallet(wallet_id)
    if locked.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {locked.public_id} is closed.")
    return locked


def _watch(locked: LockedWallet, below: Decimal | None) -> None:
    """Have changes of the balance tell when it falls below (`wallets/ledger/post.py`)."""
    armed = below is None or locked.balance >= below
    Wallet.objects.filter(bucket=locked.bucket, pk=locked.id).update(recharge_below=below, recharge_armed=armed)


def _check(wallet: Wallet, terms: RechargeTerms, *, at: datetime) -> None:
    offered = terms_of(wallet.currency)
    check = Input()
    check.amount("threshold", terms.threshold, above_zero=True)
    check.amount("monthly_cap", terms.monthly_cap, above_zero=True)
    check.whole("cool_down_seconds", terms.cool_down_seconds, least=0, most=LONGEST_COOL_DOWN_SECONDS)
    check.expect("amount", (terms.amount is None) != (terms.target is None), "either an amount or a target")
    if terms.amount is not None:
        check_amount(check, "amount", terms.amount, wallet=wallet, offered=offered)
    if terms.target is not None:
        check.amount("target", terms.target, above_zero=True)
        check.expect("target", check.wrong or terms.target > terms.threshold, "more than the threshold")
    check.refuse("Auto-recharge cannot be set up like this.")
    quote = quote_recharge(wallet, threshold=terms.threshold, amount=terms.amount, target=terms.target, at=at)
    if quote is not None:
        least = f"at least {plain(quote.total)}, what one recharge costs"
        check.expect("monthly_cap", terms.monthly_cap >= quote.total, least)
    check.refuse("Auto-recharge cannot be set up like this.")


def check_amount(check: Input, field: str, amount: Decimal, *, wallet: Wallet, offered: Terms) -> None:
    """Note what is wrong with an amount that is to be bought again and again."""
    check.amount(field, amount, above_zero=True)
    if check.wrong:
        return
    fine = offered.minimum <= amount <= offered.maximum and can_be_charged(amount, wallet.currency)
    check.expect(field, fine, f"from {plain(offered.minimum)} to {plain(offered.maximum)}")
