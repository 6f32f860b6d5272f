"""Place a hold, make it last longer, give it back."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from wallets.balances.held import change_held, store_held
from wallets.balances.lock import LockedWallet, lock_wallet
from wallets.balances.models import Wallet
from wallets.credit.backing import can_hold, settle_due
from wallets.holds.find import lock_hold
from wallets.holds.models import Hold
from wallets.holds.refusals import HoldEnded, HoldLapsed, hold_refused, refuse_barred
from wallets.holds.slices import grant_slice
from wallets.input import Input

LONGEST_TTL_SECONDS: Final = 86_400  # a day: what is held longer is not work in flight
State = Hold.State


@dataclass(frozen=True, slots=True)
class Work:
    """What a hold is for. meters: codes it may be charged for (empty: anything). subject: whom the work is for."""

    meters: tuple[str, ...] = ()
    subject: str = ""
    actor: str = ""


@dataclass(frozen=True, slots=True)
class Units:
    """Units of a meter to be granted as a slice. price: what so many units cost from now on, at least for up to `wanted`.

    properties: what the events of these units say besides the units.
    """

    meter: str
    wanted: Decimal
    price: Callable[[Decimal], Decimal]
    properties: Mapping[str, Any] = field(default_factory=dict)


def place_hold(
    *,
    wallet_id: int,
    amount: Decimal,
    ttl_seconds: int,
    at: datetime,
    work: Work | None = None,
    longest_seconds: int = LONGEST_TTL_SECONDS,
) -> Hold:
    """Set `amount` (in the wallet's currency, zero or more, at most 12 decimals) aside for `ttl_seconds`; for at most
    `longest_seconds`, which is a day unless what waits is no work in flight.

    Held credit is spent by nothing but the capture of its hold, and what all holds and charges take never exceeds the credit
    plus the grace limit. Raises HoldRefused (the wallet has less, is frozen, the account is suspended), WalletClosed,
    InvalidInput, NotFound, LockBusy.
    """
    work = work or Work()
    check = Input()
    check.amount("amount", amount)
    _check_terms(check, ttl_seconds, work, longest_seconds)
    check.refuse("The hold cannot be placed like this.")
    with transaction.atomic():
        wallet = lock_wallet(wallet_id)
        most = room(wallet, work, needed=amount, at=at)
        if amount > most:
            raise hold_refused("balance_exhausted", wallet, needed=amount, available=min(wallet.available, most))
        hold = _new_hold(wallet, work, amount, ttl_seconds, at)
        return _open(wallet, hold, at=at)


def place_units(*, wallet_id: int, units: Units, ttl_seconds: int, at: datetime, work: Work | None = None) -> Hold:
    """Grant up to `units.wanted` units (above zero) of a meter as the first slice of a new hold: as many as can be paid for.

    `granted` may be less than wanted; `is_final` says that no credit is left for another slice. Raises HoldRefused when not
    even one unit can be paid for, and as `place_hold`.
    """
    work = work or Work()
    check = Input()
    check.amount("units", units.wanted, above_zero=True)
    _check_terms(check, ttl_seconds, work)
    check.refuse("The hold cannot be placed like this.")
    with transaction.atomic():
        wallet = lock_wallet(wallet_id)
        most = room(wallet, work, needed=None, at=at)
        granted = grant_slice(wanted=units.wanted, price=units.price, most=most)
        if not granted.units:
            needed = units.price(min(units.wanted, Decimal(1)))
            raise hold_refused("balance_exhausted", wallet, needed=needed, available=min(wallet.available, most))
        hold = _new_hold(wallet, work, granted.amount, ttl_seconds, at)
        hold.meter, hold.properties, hold.slices = units.meter, dict(units.properties), 1
        hold.granted, hold.is_final = granted.units, granted.is_final
        return _open(wallet, hold, at=at)


def extend_hold(*, hold_public_id: str, ttl_seconds: int, at: datetime) -> Hold:
    """Make an open hold last until `ttl_seconds` from `at`, if that is later. Raises HoldLapsed (its time is over), HoldEnded,
    HoldRefused (frozen, suspended), WalletClosed, InvalidInput, NotFound, LockBusy."""
    check = Input()
    check.whole("ttl_seconds", ttl_seconds, least=1, most=LONGEST_TTL_SECONDS)
    check.refuse("The hold cannot be extended like this.")
    with transaction.atomic():
        wallet, hold = lock_hold(hold_public_id, at=at)
        refuse_barred(wallet, needed=hold.amount)
        if hold.state == State.LAPSED:
            raise HoldLapsed(f"Hold {hold.public_id} lapsed at {hold.expires_at.isoformat()}; place a new one.")
        if hold.state != State.OPEN:
            raise HoldEnded(f"Hold {hold.public_id} is {hold.state.lower()} already.")
        until = at + timedelta(seconds=ttl_seconds)
        if until > hold.expires_at:
            hold.expires_at, hold.ttl_seconds = until, ttl_seconds
            hold.save(update_fields=["expires_at", "ttl_seconds"])
    return as_locked(hold, wallet)


def release_hold(*, hold_public_id: str, at: datetime) -> Hold:
    """Give back what a hold has set aside; nothing is charged. One that was released before or has lapsed stays as it is.

    Raises HoldEnded when it was captured, NotFound, LockBusy.
    """
    with transaction.atomic():
        wallet, hold = lock_hold(hold_public_id, at=at)
        if hold.state == State.CAPTURED:
            raise HoldEnded(f"Hold {hold.public_id} was captured; there is nothing to release.")
        if hold.state == State.OPEN:
            change_held(wallet, -hold.amount)
            hold.state, hold.ended_at = State.RELEASED, at
            hold.save(update_fields=["state", "ended_at"])
            store_held([wallet], bucket=wallet.bucket, at=at)
    return as_locked(hold, wallet)


def room(wallet: LockedWallet, work: Work, *, needed: Decimal | None, at: datetime) -> Decimal:
    """How much more of a locked wallet can be held for this work. Raises HoldRefused (frozen, suspended), WalletClosed."""
    refuse_barred(wallet, needed=needed)
    return can_hold(wallet, settle_due(wallet, at=at), meters=work.meters)


def as_locked(hold: Hold, wallet: LockedWallet) -> Hold:
    """The hold with its wallet's figures as this transaction left them."""
    row = hold.wallet
    row.balance, row.held, row.overdraft = wallet.balance, wallet.held, wallet.overdraft
    row.version, row.held_version, row.next_lapse_at = wallet.version, wallet.held_version, wallet.next_lapse_at
    return hold


def _check_terms(check: Input, ttl_seconds: int, work: Work, longest_seconds: int = LONGEST_TTL_SECONDS) -> None:
    check.whole("ttl_seconds", ttl_seconds, least=1, most=longest_seconds)
    check.text("subject", work.subject, longest=200)
    check.names("meters", list(work.meters))


def _new_hold(wallet: LockedWallet, work: Work, amount: Decimal, ttl_seconds: int, at: datetime) -> Hold:
    return Hold(
        bucket=wallet.bucket,
        wallet=Wallet.objects.select_related("account").get(bucket=wallet.bucket, pk=wallet.id),
        amount=amount,
        meters=sorted(work.meters),
        subject=work.subject,
        actor=work.actor,
        ttl_seconds=ttl_seconds,
        placed_at=at,
        expires_at=at + timedelta(seconds=ttl_seconds),
    )


def _open(wallet: LockedWallet, hold: Hold, *, at: datetime) -> Hold:
    hold.save(force_insert=True)
    change_held(wallet, hold.amount, until=hold.expires_at)
    store_held([wallet], bucket=wallet.bucket, at=at)
    return as_locked(hold, wallet)
