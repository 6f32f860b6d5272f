"""Renew a hold of units: charge what was used of a slice and set the next one aside, in one step (RFC 8506, quota
management). A slice is good for its validity time; one that has lapsed is charged late, and then the hold is over."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from django.db import transaction

from wallets.balances.held import change_held, store_held
from wallets.balances.lock import LockedWallet
from wallets.credit.forgive import forgive
from wallets.errors import Conflict
from wallets.holds.capture import Captured, charge_against, refuse_ended
from wallets.holds.find import lock_hold
from wallets.holds.models import Hold
from wallets.holds.place import Units, Work, as_locked, room
from wallets.holds.refusals import HoldRefused
from wallets.holds.slices import Slice, grant_slice
from wallets.money import ZERO

State = Hold.State


class NotUnits(Conflict):
    """The hold is not one of units."""

    code = "hold_not_of_units"


class SliceReported(Conflict):
    """What was used of this slice was reported before, or it is not granted yet."""

    code = "slice_reported"


@dataclass(frozen=True, slots=True)
class Renewed:
    """What a renewal did. reason: why no slice followed (None: one did, or none was asked for)."""

    captured: Captured
    reason: str | None = None

    @property
    def hold(self) -> Hold:
        """The hold as it is now."""
        return self.captured.hold


def refuse_other_slice(hold: Hold, number: int | None) -> None:
    """Raise NotUnits, SliceReported (`number` is not the present slice; None: not said), HoldEnded."""
    if not hold.slices:
        raise NotUnits(f"Hold {hold.public_id} is of an amount, not of units.")
    refuse_ended(hold)
    if number is not None and number != hold.slices:
        raise SliceReported(f"Hold {hold.public_id} is at slice {hold.slices}, not {number}.")


def renew_charged(
    *, hold_public_id: str, cost: Decimal, used: Decimal, at: datetime, wanted: Units | None, ttl_seconds: int | None,
    above: str | None = None,
) -> Renewed:  # fmt: skip
    """Report `used` units, whose `cost` this transaction has debited from the hold's wallet as its last entry, and grant the
    next slice of `wanted` for `ttl_seconds` (None: as long as the last); without `wanted` the hold ends.

    The hold ends too when nothing is left to grant, it has lapsed, or the wallet or account is barred: what was used is
    charged all the same. Raises CaptureAboveHold, HoldLapsed, HoldRefused, HoldEnded, NotUnits, NotFound, LockBusy for a
    charge that is not covered; the caller's transaction is to be undone then.
    """
    assert transaction.get_connection().in_atomic_block, hold_public_id
    wallet, hold = lock_hold(hold_public_id, at=at)
    refuse_other_slice(hold, None)
    is_open = hold.state == State.OPEN
    charged = charge_against(wallet, hold, cost, at=at, above=above)
    hold.used += used
    granted, reason = _next(wallet, hold, wanted, at=at) if is_open else (None, "hold_lapsed")
    if granted is None:
        hold.state, hold.ended_at = State.CAPTURED, at
        hold.captured_by, hold.granted, hold.is_final = f"slice:{hold.slices}", ZERO, wanted is not None
    else:
        hold.ttl_seconds = ttl_seconds or hold.ttl_seconds
        hold.amount, hold.granted, hold.is_final = granted.amount, granted.units, granted.is_final
        hold.expires_at, hold.slices = at + timedelta(seconds=hold.ttl_seconds), hold.slices + 1
        change_held(wallet, hold.amount, until=hold.expires_at)
    hold.save()
    store_held([wallet], bucket=wallet.bucket, at=at, told=cost != ZERO)
    if charged.forgiven:
        forgive(wallet, charged.forgiven, at=at, reference=hold.public_id, reason="Cost more than the slice")
    return Renewed(replace(charged, hold=as_locked(hold, wallet)), reason if wanted is not None else None)


def _next(wallet: LockedWallet, hold: Hold, wanted: Units | None, *, at: datetime) -> tuple[Slice | None, str | None]:
    """The next slice, or why there is none."""
    if wanted is None or not wanted.wanted:
        return None, None
    try:
        most = room(wallet, Work(tuple(hold.meters)), needed=None, at=at)
    except HoldRefused as refused:
        return None, refused.code
    granted = grant_slice(wanted=wanted.wanted, price=wanted.price, most=most)
    return (granted, None) if granted.units else (None, "balance_exhausted")
