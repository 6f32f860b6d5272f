"""Looking holds up. `only_account_id` is the account a caller is confined to: it sees nothing of any other (I12)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from django.db.models import QuerySet

from wallets.balances.held import lapse_due
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.errors import NotFound
from wallets.holds.models import KEPT_BY, Hold

State = Hold.State


def hold_by_id(*, public_id: str, only_account_id: int | None = None) -> Hold:
    """The hold of work with this id (`hold_…`), with its wallet and account. Raises NotFound, also when it is another
    account's, and for credit that is kept back: a review ends that."""
    holds = Hold.objects.select_related("wallet__account").filter(public_id=public_id).exclude(actor=KEPT_BY)
    if only_account_id is not None:
        holds = holds.filter(wallet__account_id=only_account_id)
    hold = holds.first()
    if hold is None:
        raise NotFound(f"There is no hold {public_id[:40]}.")
    return hold


def holds_of(*, account_id: int, state: str | None = None) -> QuerySet[Hold]:
    """An account's holds for work, with their wallets and account. state: of `Hold.State`; as they are written down."""
    holds = Hold.objects.select_related("wallet__account").filter(wallet__account_id=account_id).exclude(actor=KEPT_BY)
    return holds if state is None else holds.filter(state=state)


def open_holds_of(*, wallet_id: int, at: datetime, limit: int) -> list[Hold]:
    """A wallet's holds that are open at `at`, the next to end first; at most `limit`."""
    holds = Hold.objects.filter(wallet_id=wallet_id, state=State.OPEN, expires_at__gt=at)
    return list(holds.order_by("expires_at", "id")[:limit])


def as_read(holds: Iterable[Hold], *, at: datetime) -> list[Hold]:
    """These holds as they are at `at`: one whose time has run out has lapsed, whether or not that is written down."""
    read = list(holds)
    for hold in read:
        if hold.state == State.OPEN and hold.expires_at <= at:
            hold.state, hold.ended_at = State.LAPSED, hold.expires_at
    return read


def lock_hold(public_id: str, *, at: datetime) -> tuple[LockedWallet, Hold]:
    """Lock a hold's wallet for this transaction; the hold as it is at `at`. A hold changes only under its wallet's lock.

    Raises NotFound, LockBusy.
    """
    found = Hold.objects.filter(public_id=public_id).values_list("bucket", "wallet_id", "pk").first()
    if found is None:
        raise NotFound(f"There is no hold {public_id[:40]}.")
    bucket, wallet_id, pk = found
    wallet = lock_wallets([wallet_id], bucket=bucket)[wallet_id]
    lapse_due({wallet_id: wallet}, bucket=bucket, at=at)
    return wallet, Hold.objects.select_related("wallet__account").get(bucket=bucket, pk=pk)
