"""The only lock on wallets. Everything that changes a balance comes through here: rows in id order (so two callers never
wait for each other in a circle), evaluated at once, with a time limit that becomes an answer the caller can act on."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection, transaction
from django.db.utils import OperationalError
from psycopg import errors as pg

from wallets.balances.thresholds import DEFAULT_PERCENTS
from wallets.errors import NotFound, Refusal

LOCK_TIMEOUT_MS: Final = 5_000


class LockBusy(Refusal):
    """Another transaction held a wallet for longer than the limit; nothing was changed, the call can be repeated."""

    code = "lock_busy"


@dataclass(slots=True)
class LockedWallet:
    """A wallet's row while this transaction holds its lock. Only `ledger/post.py` changes its figures, only
    `balances/held.py` what is held."""

    id: int
    bucket: int
    public_id: str
    account_id: int
    account_key: str
    account_status: str
    currency: str
    status: str
    is_default: bool
    balance: Decimal
    held: Decimal
    overdraft: Decimal
    on_empty: str
    grace_limit: Decimal
    throttle_per_minute: int
    version: int
    head_hash: bytes
    reference_balance: Decimal
    armed_percent: int
    crossing_number: int
    allowance_meters: Sequence[str] = ()
    held_version: int = 0
    next_lapse_at: datetime | None = None
    has_caps: bool = False
    recharge_below: Decimal | None = None
    recharge_armed: bool = True
    threshold_percents: Sequence[int] = DEFAULT_PERCENTS
    threshold_amounts: Sequence[Decimal] = ()
    own_reference: Decimal | None = None
    armed_amount: Decimal | None = None
    let_through: str = "all"

    @property
    def available(self) -> Decimal:
        """What can be spent now: balance less what is held. Holds that have ended count until `held.lapse_due` has been
        called."""
        return self.balance - self.held

    @property
    def sequence(self) -> int:
        """Grows with every change of what is available."""
        return self.version + self.held_version


COLUMNS: Final = """w.id, w.bucket, w.public_id, w.account_id, a.key, a.status, w.currency, w.status, w.is_default, w.balance,
    w.held, w.overdraft, w.on_empty, w.grace_limit, w.throttle_per_minute, w.version, w.head_hash, w.reference_balance,
    w.armed_percent, w.crossing_number, w.allowance_meters, w.held_version, w.next_lapse_at, w.has_caps,
    w.recharge_below, w.recharge_armed, coalesce(w.threshold_percents, a.threshold_percents), w.threshold_amounts,
    w.own_reference, w.armed_amount, w.let_through"""


def limit_lock_waits(cursor: Any) -> None:
    """For the rest of this transaction, waiting for a lock ends after LOCK_TIMEOUT_MS milliseconds."""
    cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(LOCK_TIMEOUT_MS)])


def lock_wallets(wallet_ids: Collection[int], *, bucket: int) -> dict[int, LockedWallet]:
    """Lock the wallets of one bucket for this transaction and read them, by id.

    Raises LockBusy after LOCK_TIMEOUT_MS, NotFound when one does not exist. Must run inside a transaction.
    """
    assert transaction.get_connection().in_atomic_block, "a lock outside a transaction protects nothing"
    ids = sorted(set(wallet_ids))
    with connection.cursor() as cursor:
        try:
            limit_lock_waits(cursor)
            cursor.execute(
                f"""SELECT {COLUMNS} FROM wallets_wallet w JOIN wallets_account a ON a.id = w.account_id
                    WHERE w.bucket = %s AND w.id = ANY(%s) ORDER BY w.id FOR UPDATE OF w""",  # noqa: S608 - of constants
                [bucket, ids],
            )
            rows = cursor.fetchall()
        except OperationalError as error:
            if isinstance(error.__cause__, pg.LockNotAvailable):
                raise LockBusy("The wallet is busy; send the request again in a moment.") from error
            raise
    if len(rows) != len(ids):
        raise NotFound(f"No wallet with id {sorted(set(ids) - {row[0] for row in rows})} in bucket {bucket}.")
    wallets = [_wallet(row) for row in rows]
    return {wallet.id: wallet for wallet in wallets}


def _wallet(row: Sequence[Any]) -> LockedWallet:
    wallet = LockedWallet(*row)
    wallet.head_hash = bytes(wallet.head_hash)
    return wallet


def lock_wallet(wallet_id: int) -> LockedWallet:
    """Lock one wallet, whatever its bucket. Raises LockBusy, NotFound."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT bucket FROM wallets_wallet WHERE id = %s", [wallet_id])
        row = cursor.fetchone()
    if row is None:
        raise NotFound(f"No wallet with id {wallet_id}.")
    return lock_wallets([wallet_id], bucket=row[0])[wallet_id]
