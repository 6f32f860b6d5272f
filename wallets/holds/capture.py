"""Capture a hold: charge what the work cost, give back the rest, once.

- at most the hold: always charged; that is what a hold is.
- more than the hold: by the account's `capture_above`, unless the call says otherwise:
      excess   the rest is taken from what is available, up to the grace limit; refused when there is less
      refuse   nothing is charged and the hold stays open
      cap      charged in full; what lies above the hold is given back as compensation, so the hold is all it costs
- after the hold lapsed: charged while credit lasts (up to the grace limit), else refused; nothing is set aside any more.

Captures of one hold come one after the other under its wallet's lock: the first takes effect, the same one again is told of
it, another one is refused. A charge is debited first and looked at then, in one transaction that a refusal undoes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.accounts.models import Account
from wallets.balances.held import change_held, store_held
from wallets.balances.lock import LockedWallet
from wallets.credit.backing import pay_overdrawn, settle_due
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.forgive import forgive
from wallets.credit.kept import grace_of
from wallets.holds.find import lock_hold
from wallets.holds.models import Hold
from wallets.holds.place import as_locked
from wallets.holds.refusals import CaptureAboveHold, HoldEnded, HoldLapsed, amount_text, hold_refused
from wallets.input import Input
from wallets.ledger.draws import overdraft_of_last_entry
from wallets.money import ZERO, scaled_text, to_scale

REVENUE: Final = "hold.capture"
"""The revenue account of captures that are no event; it stands where a meter's code stands, and no meter may have it."""

Above = Account.CaptureAbove
State = Hold.State


@dataclass(frozen=True, slots=True)
class Captured:
    """What a capture did. charged: what it cost the wallet; forgiven: what was given back above the hold; is_replay: it had
    happened before and nothing was done."""

    hold: Hold
    charged: Decimal
    forgiven: Decimal = ZERO
    is_replay: bool = False


def capture_amount(*, hold_public_id: str, amount: Decimal, at: datetime, above: str | None = None) -> Captured:
    """Charge `amount` (in the wallet's currency, zero or more, at most 12 decimals) for a hold, without an event: revenue
    `hold.capture`. above: what to do beyond the hold; None: as the account says.

    Raises CaptureAboveHold, HoldRefused (the excess is not there), HoldLapsed (lapsed, and no credit is left), HoldEnded,
    InvalidInput, NotFound, LockBusy. A frozen wallet and a suspended account are charged: the work was done.
    """
    check = Input()
    check.amount("amount", amount)
    check_above(check, above)
    check.refuse("The hold cannot be captured like this.")
    by = f"amount:{scaled_text(to_scale(amount))}"
    with transaction.atomic():
        wallet, hold = lock_hold(hold_public_id, at=at)
        if hold.state == State.CAPTURED and hold.captured_by == by:
            return Captured(as_locked(hold, wallet), hold.captured, is_replay=True)
        refuse_ended(hold)
        settle_due(wallet, at=at)
        debit_wallets([WalletDebit(wallet, [(REVENUE, amount, at)], reference=hold.public_id)], at=at)
        return end_by_charge(wallet, hold, amount, by=by, at=at, above=above)


def capture_charged(*, hold_public_id: str, cost: Decimal, by: str, at: datetime, above: str | None = None) -> Captured:
    """Capture a hold by a charge of `cost` that this transaction has debited from the hold's wallet, as its last entry.

    by: what was charged (`event:<id>`). Raises as `capture_amount`: the caller's transaction is to be undone then, and the
    charge with it.
    """
    assert transaction.get_connection().in_atomic_block, hold_public_id
    wallet, hold = lock_hold(hold_public_id, at=at)
    if hold.state == State.CAPTURED and hold.captured_by == by:
        return Captured(as_locked(hold, wallet), hold.captured, is_replay=True)
    refuse_ended(hold)
    return end_by_charge(wallet, hold, cost, by=by, at=at, above=above)


def end_by_charge(wallet: LockedWallet, hold: Hold, cost: Decimal, *, by: str, at: datetime, above: str | None) -> Captured:
    """End a hold, open or lapsed, of a locked wallet whose last entry debited `cost`."""
    charged = charge_against(wallet, hold, cost, at=at, above=above)
    hold.state, hold.captured_by, hold.ended_at = State.CAPTURED, by, at
    hold.save(update_fields=["state", "captured", "captured_by", "used", "ended_at"])
    store_held([wallet], bucket=wallet.bucket, at=at, told=cost != ZERO)
    if charged.forgiven:
        forgive(wallet, charged.forgiven, at=at, reference=hold.public_id, reason="Cost more than the hold")
    return replace(charged, hold=as_locked(hold, wallet))


def charge_against(wallet: LockedWallet, hold: Hold, cost: Decimal, *, at: datetime, above: str | None) -> Captured:
    """Let go of what a hold set aside against a charge of `cost`, which the wallet's last entry debited, or refuse it.

    Changes `wallet` and `hold` in memory only, but for credit that the charge should have drawn and could not.
    """
    is_open = hold.state == State.OPEN
    own = hold.amount if is_open else ZERO
    overdrawn = ZERO
    if cost and wallet.overdraft:
        overdrawn = overdraft_of_last_entry(wallet_id=wallet.id, bucket=wallet.bucket, version=wallet.version)
    if overdrawn:
        pay_overdrawn(wallet, overdrawn=overdrawn, promised=own, at=at, reference=hold.public_id)
    forgiven = ZERO
    if cost > own:
        policy = above or hold.wallet.account.capture_above
        if is_open and policy == Above.REFUSE:
            figures = {"held": amount_text(own), "needed": amount_text(cost)}
            sentence = f"Hold {hold.public_id} has set {figures['held']} aside; {figures['needed']} is more."
            raise CaptureAboveHold(sentence, extra=figures)
        if is_open and policy == Above.CAP:
            forgiven = cost - own
        else:
            _refuse_beyond_credit(wallet, hold, cost, own, overdrawn)
    if is_open:
        change_held(wallet, -own)
    hold.captured += max(cost - forgiven, ZERO)  # a price that falls may give back more than the work costs
    return Captured(hold, cost - forgiven, forgiven)


def refuse_ended(hold: Hold) -> None:
    """Raise HoldEnded for a hold that was captured or released."""
    if hold.state in {State.CAPTURED, State.RELEASED}:
        raise HoldEnded(f"Hold {hold.public_id} was {hold.state.lower()} at {hold.ended_at}; it can be captured once.")


def check_above(check: Input, above: str | None) -> None:
    """What to do beyond the hold, if the call says."""
    if above is not None:
        check.choice("above", above, [str(one) for one in Above])


def _refuse_beyond_credit(wallet: LockedWallet, hold: Hold, cost: Decimal, own: Decimal, overdrawn: Decimal) -> None:
    """Refuse a charge that other holds, or the grace limit, leave no room for; `wallet` is as the charge left it."""
    left = wallet.balance - (wallet.held - own) + grace_of(wallet)
    if left >= ZERO and (not overdrawn or wallet.overdraft <= grace_of(wallet)):
        return
    if hold.state == State.LAPSED:
        raise HoldLapsed(
            f"Hold {hold.public_id} lapsed at {hold.expires_at.isoformat()}; without it, {amount_text(cost)} is not there.",
            extra={"needed": amount_text(cost), "available": amount_text(max(left + cost, ZERO))},
        )
    raise hold_refused("balance_exhausted", wallet, needed=cost, available=left + cost)
