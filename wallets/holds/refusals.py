"""Why a hold is refused, in words a gateway can act on."""

from __future__ import annotations

from decimal import Decimal
from typing import Final

from wallets.accounts.models import Account
from wallets.balances.lock import LockedWallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import Conflict, Refusal
from wallets.money import ZERO, plain, to_scale

SENTENCES: Final = {
    "balance_exhausted": "{wallet} has {available} {currency} to spend; {needed} is needed. Top up to go on.",
    "wallet_frozen": "{wallet} is frozen.",
    "account_suspended": "The account is suspended.",
}


class HoldRefused(Refusal):
    """The wallet cannot answer for this amount. `code`: balance_exhausted, wallet_frozen or account_suspended."""

    code = "balance_exhausted"


class HoldEnded(Conflict):
    """The hold was captured or released before, in another way."""

    code = "hold_ended"


class HoldLapsed(Conflict):
    """The hold's time ran out, and no credit is left for it."""

    code = "hold_lapsed"


class CaptureAboveHold(Conflict):
    """The work cost more than the hold, and the account's policy refuses that."""

    code = "capture_above_hold"


def hold_refused(reason: str, wallet: LockedWallet, *, needed: Decimal | None, available: Decimal) -> HoldRefused:
    """The refusal for one of the gate's reasons, with what was needed (None: not known) and what there is."""
    figures = {
        "needed": None if needed is None else amount_text(needed),
        "available": amount_text(max(available, ZERO)),
        "currency": wallet.currency,
    }
    sentence = SENTENCES[reason].format(wallet=f"Wallet {wallet.public_id}", **figures)
    refusal = HoldRefused(sentence, extra={"reason": reason, **figures, "account": wallet.account_key})
    refusal.code = reason  # type: ignore[misc]  # the gate's reasons are its codes
    return refusal


def amount_text(amount: Decimal) -> str:
    """As amounts stand on the wire: at least two decimals."""
    return plain(to_scale(amount))


def refuse_barred(wallet: LockedWallet, *, needed: Decimal | None) -> None:
    """Raise WalletClosed, or HoldRefused for a frozen wallet, one that a rule blocks, or a suspended account."""
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    if wallet.account_status != Account.Status.ACTIVE:
        raise hold_refused("account_suspended", wallet, needed=needed, available=wallet.available)
    if wallet.status != Wallet.Status.ACTIVE or wallet.let_through == Wallet.LetThrough.NONE:
        raise hold_refused("wallet_frozen", wallet, needed=needed, available=wallet.available)
