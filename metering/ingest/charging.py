"""From rated events to rows: charges, debits by wallet and roll-ups by hour, put together before any lock is taken."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from metering.ingest.rating import Item
from metering.ingest.rows import CHARGE_COLUMNS, POSTGRES_EPOCH, ROLL_UP, stage_usage
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.bulk import NULL
from wallets.credit.burn_down import Covered, Demand
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.money import ZERO

HOUR_US: Final = 3_600_000_000
PIECE: Final = 500  # events whose charges go to the database in one piece


class WalletMoved(Exception):
    """A wallet stopped being the one to charge between the look-up and the lock."""


@dataclass(slots=True)
class WalletWork:
    """What one wallet is charged for: its charges in order, how far each meter's line reaches, and the times between."""

    entry_id: int
    place: str  # bucket, wallet and entry, as the end of a charge's row has them
    earliest: datetime
    latest: datetime
    usages: list[Covered] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)


def write_charges(cursor: Any, items: Sequence[Item], *, bucket: int, entry_ids: Sequence[int]) -> dict[int, WalletWork]:
    """Write the charges of items that are new and rated; what each wallet is to be debited. Nothing here waits for a wallet.

    entry_ids: reserved, at least one a wallet. The database reads one piece while the next is put together.
    """
    charged = [item for item in items if item.charges and not item.duplicate]
    if not charged:
        return {}
    ids = iter(entry_ids)
    wallets: dict[int, WalletWork] = {}
    with cursor.copy(f"COPY metering_charge ({CHARGE_COLUMNS}) FROM STDIN") as copy:
        for first in range(0, len(charged), PIECE):
            copy.write(_charge_lines(charged[first : first + PIECE], wallets, ids, bucket))
    return wallets


def _charge_lines(items: Sequence[Item], wallets: dict[int, WalletWork], entry_ids: Iterator[int], bucket: int) -> str:
    lines: list[str] = []
    for item in items:
        wallet_id, row_id, time = item.wallet_id, item.row_id, item.time
        work = wallets.get(wallet_id)
        if work is None:
            entry_id = next(entry_ids)
            work = wallets[wallet_id] = WalletWork(entry_id, f"\t{bucket}\t{wallet_id}\t{entry_id}\n", time, time)
        elif time < work.earliest:
            work.earliest = time
        elif time > work.latest:
            work.latest = time
        totals = work.totals
        for number, (line, quantity, amount, cost) in enumerate(item.charges):
            if amount:
                meter = line.meter
                start = totals.get(meter, ZERO)
                work.usages.append((meter, amount, time))
                totals[meter] = start + amount
                lines.append(f"{row_id}\t{number}\t{line.ids}\t{quantity!s}\t{amount!s}\t{cost!s}\t{start!s}{work.place}")
            else:  # nothing to draw
                lines.append(
                    f"{row_id}\t{number}\t{line.ids}\t{quantity!s}\t0\t{cost!s}\t{NULL}\t{bucket}\t{wallet_id}\t{NULL}\n"
                )
    return "".join(lines)


def usage_lines(items: Iterable[Item], *, bucket: int) -> list[str]:
    """The roll-up of items that are new and rated: a line an account, hour, currency, meter and set of dimensions."""
    roll_up: dict[tuple[int, int, str, str], list[Any]] = {}
    for item in items:
        if item.duplicate:
            continue
        account_id, currency = item.account.id, item.currency
        hour = item.time_us // HOUR_US
        for line, quantity, amount, cost in item.charges:
            key = (account_id, hour, currency, line.usage)
            sums = roll_up.get(key)
            if sums is None:
                roll_up[key] = [1, quantity, amount, cost]
            else:
                sums[0] += 1
                sums[1] += quantity
                sums[2] += amount
                sums[3] += cost
    hours = {hour: (POSTGRES_EPOCH + timedelta(hours=hour)).isoformat() for hour in {key[1] for key in roll_up}}
    return [
        f"{bucket}\t{account_id}\t{hours[hour]}\t{currency}\t{usage}\t{events}\t{quantity!s}\t{amount!s}\t{cost!s}"
        for (account_id, hour, currency, usage), (events, quantity, amount, cost) in roll_up.items()
    ]


def charge_items(
    cursor: Any, items: Sequence[Item], usage: list[str], *, bucket: int, at: datetime, entry_ids: Sequence[int]
) -> dict[int, LockedWallet]:
    """Write the charges of items whose events are stored, debit their wallets, add `usage` (`usage_lines`) to the roll-ups.

    Returns the wallets, locked until the transaction ends, as they are now. Raises WalletMoved, LockBusy.
    """
    work = write_charges(cursor, items, bucket=bucket, entry_ids=entry_ids)
    if not work:
        return {}
    stage_usage(cursor, usage)
    locked = lock_wallets(work, bucket=bucket)
    if any(not wallet.is_default or wallet.status == "CLOSED" for wallet in locked.values()):
        raise WalletMoved
    debit_wallets(
        [
            WalletDebit(
                locked[wallet_id], w.usages, entry_id=w.entry_id, demand=Demand(w.usages, w.totals, w.earliest, w.latest)
            )
            for wallet_id, w in sorted(work.items())
        ],
        at=at,
        meanwhile=ROLL_UP,
    )
    return locked
