"""From rated events to rows: charges, debits by wallet and roll-ups by hour, put together before any lock is taken."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from metering.ingest.rating import Item
from metering.ingest.rows import CHARGE_COLUMNS, POSTGRES_EPOCH
from pricing.meters.measure import Quantity
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.bulk import NULL
from wallets.credit.allowances import UnitDraw
from wallets.credit.burn_down import Covered, Demand
from wallets.credit.debit import WalletDebit
from wallets.money import ZERO

HOUR_US: Final = 3_600_000_000
PIECE: Final = 500  # events whose charges go to the database in one piece


class WalletMoved(Exception):
    """A wallet stopped being the one to charge between the look-up and the lock."""


@dataclass(slots=True)
class WalletWork:
    """What one wallet is charged for: its charges in order, how far each meter's line reaches, and the times between."""

    entry_id: int
    place: str  # bucket, wallet and entry, as a charge's row has them
    earliest: datetime
    latest: datetime
    usages: list[Covered] = field(default_factory=list)
    totals: dict[str, Decimal] = field(default_factory=dict)

    @property
    def no_place(self) -> str:
        """`place` of a charge for which nothing is drawn."""
        return f"{self.place[: self.place.rindex(chr(9))]}\t{NULL}"

    def place_of(self, meter: str, amount: Decimal, time: datetime) -> Decimal:
        """Add a charge (above zero) to the meter's line; where it begins there."""
        start = self.totals.get(meter, ZERO)
        self.usages.append((meter, amount, time))
        self.totals[meter] = start + amount
        return start


UsageKey = tuple[int, int, str, str]
"""Account row id, hour, currency, `Line.usage`."""


@dataclass(slots=True)
class Usage:
    """What a batch adds to the roll-ups: events, quantity, amount and cost by key; and as lines of COPY, once no
    more is to come."""

    sums: dict[UsageKey, list[Any]] = field(default_factory=dict)
    lines: list[str] | None = None


@contextmanager
def write_charges(
    cursor: Any, items: Sequence[Item], wallets: dict[int, WalletWork], *, bucket: int, entry_ids: Iterator[int]
) -> Iterator[None]:
    """Write the charges of items that are new and rated, and put into `wallets` what each is to be debited. Nothing here waits
    for a wallet; in the block the database is still busy with the rows.

    entry_ids: reserved, at least one a wallet. The database reads one piece while the next is put together.
    """
    charged = [item for item in items if item.charges and not item.duplicate]
    if not charged:
        yield
        return
    with cursor.copy(f"COPY metering_charge ({CHARGE_COLUMNS}) FROM STDIN") as copy:
        for first in range(0, len(charged), PIECE):
            copy.write(_charge_lines(charged[first : first + PIECE], wallets, entry_ids, bucket))
        yield


def _charge_lines(items: Sequence[Item], wallets: dict[int, WalletWork], entry_ids: Iterator[int], bucket: int) -> str:
    lines: list[str] = []
    for item in items:
        wallet_id, row_id, time = item.wallet_id, item.row_id, item.time
        work = wallets.get(wallet_id)
        if work is None:
            entry_id = next(entry_ids)
            work = wallets[wallet_id] = WalletWork(entry_id, place_of_entry(bucket, wallet_id, entry_id), time, time)
        elif time < work.earliest:
            work.earliest = time
        elif time > work.latest:
            work.latest = time
        totals = work.totals
        for number, (line, quantity, amount, cost) in enumerate(item.charges, item.first_line):
            if amount:
                meter = line.meter
                start = totals.get(meter, ZERO)
                work.usages.append((meter, amount, time))
                totals[meter] = start + amount
                lines.append(f"{row_id}\t{number}\t{line.ids}\t{quantity!s}\t{amount!s}\t{cost!s}\t{start!s}{work.place}\n")
            else:  # nothing to draw
                lines.append(
                    f"{row_id}\t{number}\t{line.ids}\t{quantity!s}\t0\t{cost!s}\t{NULL}\t{bucket}\t{wallet_id}\t{NULL}\n"
                )
    return "".join(lines)


def place_of_entry(bucket: int, wallet_id: int, entry_id: int) -> str:
    """Bucket, wallet and entry, as a charge's row has them."""
    return f"\t{bucket}\t{wallet_id}\t{entry_id}"


def usage_of(items: Iterable[Item], *, bucket: int) -> Usage:
    """The roll-up of items that are new and rated; ready to be written, unless some are still to be rated."""
    usage = Usage()
    if not add_usage(usage, items):
        usage.lines = usage_lines(usage, bucket=bucket)
    return usage


def add_usage(usage: Usage, items: Iterable[Item]) -> bool:
    """Add items that are new and rated to a roll-up; whether some are new and still to be rated."""
    waiting = False
    sums_of = usage.sums
    for item in items:
        if item.duplicate:
            continue
        if item.pending:
            waiting = True
        account_id, currency = item.account.id, item.currency
        hour = item.time_us // HOUR_US
        for line, quantity, amount, cost in item.charges:
            key = (account_id, hour, currency, line.usage)
            sums = sums_of.get(key)
            if sums is None:
                sums_of[key] = [1, quantity, amount, cost]
            else:
                sums[0] += 1
                sums[1] += quantity
                sums[2] += amount
                sums[3] += cost
    return waiting


def add_up(usage: Usage, key: UsageKey, quantity: Quantity, amount: Decimal, cost: Decimal) -> None:
    """Add one charge to a roll-up."""
    sums = usage.sums.setdefault(key, [0, 0, ZERO, ZERO])
    sums[0] += 1
    sums[1] += quantity
    sums[2] += amount
    sums[3] += cost


def add_several(usage: Usage, key: UsageKey, events: int, quantity: int, amount: Decimal, cost: Decimal) -> None:
    """Add what several charges come to."""
    sums = usage.sums.get(key)
    if sums is None:
        usage.sums[key] = [events, quantity, amount, cost]
    else:
        sums[0] += events
        sums[1] += quantity
        sums[2] += amount
        sums[3] += cost


def usage_lines(usage: Usage, *, bucket: int) -> list[str]:
    """A roll-up as lines of COPY: one an account, hour, currency, meter and set of dimensions."""
    hours = {hour: (POSTGRES_EPOCH + timedelta(hours=hour)).isoformat() for hour in {key[1] for key in usage.sums}}
    return [
        f"{bucket}\t{account_id}\t{hours[hour]}\t{currency}\t{dimensions}\t{events}\t{quantity!s}\t{amount!s}\t{cost!s}"
        for (account_id, hour, currency, dimensions), (events, quantity, amount, cost) in usage.sums.items()
    ]


def lock_charged_wallets(wallet_ids: Collection[int], items: Iterable[Item], *, bucket: int) -> dict[int, LockedWallet]:
    """Lock the wallets that are charged. Raises WalletMoved when one is not the account's default any more, or got an
    allowance of a meter that was rated without it; LockBusy."""
    locked = lock_wallets(wallet_ids, bucket=bucket)
    if any(not wallet.is_default or wallet.status == "CLOSED" for wallet in locked.values()):
        raise WalletMoved
    covered = {wallet.id: wallet.allowance_meters for wallet in locked.values() if wallet.allowance_meters}
    if covered:
        for item in items:
            meters = covered.get(item.wallet_id) if not item.duplicate else None
            if meters and any(charge[0].meter in meters for charge in item.charges):
                raise WalletMoved
    return locked


def debit_of(wallet: LockedWallet, work: WalletWork, units: Sequence[UnitDraw] = (), *, reference: str = "") -> WalletDebit:
    """What a wallet is debited."""
    demand = Demand(work.usages, work.totals, work.earliest, work.latest)
    return WalletDebit(wallet, work.usages, reference, entry_id=work.entry_id, demand=demand, units=units)
