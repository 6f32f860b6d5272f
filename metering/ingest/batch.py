"""One batch of events: the steps of DESIGN section 4, in order. One transaction a bucket, set-based, no query per event.

1. look up accounts and prices (memory); 2. measure and rate while PostgreSQL already reads the rows (COPY); 3. insert,
which tells the new from the duplicates; 4. lock the wallets in id order; 5. debit them; 6. roll up; 7. commit, answer.
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Final, NamedTuple

import psycopg
from django.conf import settings
from django.db import DataError, connection, transaction

from metering.ingest.accounts import AccountView, refresh_wallets, resolve_accounts
from metering.ingest.charging import WalletMoved
from metering.ingest.dead_letters import park
from metering.ingest.debit import charge_items
from metering.ingest.decode import DECODE_ERRORS, Rejected, UsageInput, decode_properties, sentence
from metering.ingest.insert import Insert, SomeStandAlready, duplicates, insert_directly, insert_what_is_new
from metering.ingest.rating import Item, Reason, Unusable, rate_item
from metering.ingest.rows import EventRows, postgres_microseconds
from metering.ingest.tally import tally_items, tally_rejected
from pricing.books.in_force import Catalogue, catalogue_in_force
from pricing.books.version_view import VersionView
from wallets.balances.lock import LockBusy, LockedWallet
from wallets.ids import RowIds
from wallets.ledger.post import reserve_entry_ids
from wallets.money import ZERO

MAX_AHEAD: Final = timedelta(hours=1)
BEGINNING: Final = datetime(
    1970, 1, 1, tzinfo=UTC
)  # no usage was before; a year 0, which an offset can make, cannot be read back
CHUNK: Final = 1_250  # events rated while the chunk before is inserted
TRIES: Final = 3  # times the wallet to charge may change under a batch
BUSY: Final = "The wallet is busy; send the request again in a moment."
_event_ids = RowIds("metering_event_blocks")


class Charged(NamedTuple):
    """What an account was charged by a batch, exact."""

    account: str
    currency: str
    amount: Decimal


class BalanceAfter(NamedTuple):
    """A wallet after a batch."""

    wallet: str
    account: str
    currency: str
    balance: Decimal
    held: Decimal
    available: Decimal
    version: int


@dataclass(slots=True)
class IngestResult:
    """The answer to a request: how many events were taken, were there already, wait for a price, or were refused."""

    accepted: int = 0
    duplicates: int = 0
    unrated: int = 0
    rejected: list[Rejected] = field(default_factory=list)
    charged: list[Charged] = field(default_factory=list)
    balances: list[BalanceAfter] = field(default_factory=list)


class Bounds(NamedTuple):
    """What is taken: events of these types, not before `oldest`, not after `latest`."""

    types: Container[str]
    oldest: datetime
    latest: datetime


def ingest_batch(*, events: Sequence[UsageInput], at: datetime, max_age: timedelta | None = None) -> IngestResult:
    """Take one request's events: see `ingest_requests`. Raises what stands in their place there."""
    (answer,) = ingest_requests(requests=[events], at=at, max_age=max_age)
    if isinstance(answer, Exception):
        raise answer
    return answer


def ingest_requests(
    *, requests: Sequence[Sequence[UsageInput]], at: datetime, max_age: timedelta | None = None
) -> list[IngestResult | Exception]:
    """Store, rate and debit the events of several requests together; an answer for each, or why there is none (LockBusy
    when a wallet stays locked): none fails for another.

    at: when they arrived. max_age: refuse events older than this (None: since BEGINNING). An event id charges once per account
    (I3). What is answered is committed (I4); what is not can be sent again: nothing is charged twice.
    """
    catalogue = catalogue_in_force()
    accounts = resolve_accounts({event.account for events in requests for event in events})
    catalogue.read_assignments([account.id for account in accounts.values()])
    results = [IngestResult() for _ in requests]
    parts: dict[int, list[Item]] = {}
    bounds = Bounds(catalogue.meters, BEGINNING if max_age is None else at - max_age, at + MAX_AHEAD)
    for number, events in enumerate(requests):
        for item in _items(number, events, accounts, bounds, at, results[number]):
            part = parts.get(item.account.bucket)
            if part is None:
                part = parts[item.account.bucket] = []
            part.append(item)
    wallets: dict[int, LockedWallet] = {}
    failed: dict[int, Exception] = {}
    for bucket in sorted(parts):
        wallets.update(_ingest_apart(parts[bucket], failed, bucket=bucket, at=at, catalogue=catalogue))
    by_request = _by_request(parts.values())
    for number, items in by_request.items():
        if number not in failed:
            _answer(results[number], items, wallets)
    tallied = sum(item.tallied for part in parts.values() for item in part if item.refused is not None)
    rejected = sum(len(result.rejected) for number, result in enumerate(results) if number not in failed)
    tally_rejected(rejected - tallied, at=at)
    return [failed.get(number, result) for number, result in enumerate(results)]


def _items(
    number: int,
    events: Sequence[UsageInput],
    accounts: Mapping[str, AccountView],
    bounds: Bounds,
    at: datetime,
    result: IngestResult,
) -> list[Item]:
    """A request's events as items; those that cannot be taken are put down as rejected."""
    taken: list[Item] = []
    types, oldest, latest = bounds
    for index, event in enumerate(events):
        account = accounts.get(event.account)
        time = event.time or at
        if account is None or event.type not in types or time > latest or time < oldest:
            result.rejected.append(Rejected(index, event.id, *_refusal(event, account, time, bounds)))
        else:
            taken.append(Item(number, index, event, account, time))
    return taken


def _refusal(event: UsageInput, account: AccountView | None, time: datetime, bounds: Bounds) -> tuple[str, str]:
    """(code, detail) of an event that cannot be taken."""
    if account is None:
        return "unknown_account", f"There is no account {event.account!r}."
    if event.type not in bounds.types:
        return "unknown_type", f"No meter counts events of type {event.type!r}."
    if time < bounds.oldest:
        return "too_old", f"time is before {bounds.oldest.isoformat()}, the oldest that is taken now."
    return "in_future", f"time is more than {MAX_AHEAD} ahead."


def _by_request(parts: Iterable[Sequence[Item]]) -> dict[int, list[Item]]:
    by_request: dict[int, list[Item]] = {}
    for part in parts:
        for item in part:
            by_request.setdefault(item.request, []).append(item)
    return by_request


def _ingest_apart(
    items: list[Item], failed: dict[int, Exception], *, bucket: int, at: datetime, catalogue: Catalogue
) -> dict[int, LockedWallet]:
    """One bucket's events; when that fails, each request's by themselves, and `failed` says which failed why."""
    try:
        return _ingest_part(items, bucket=bucket, at=at, catalogue=catalogue)
    except Exception as error:  # noqa: BLE001 - handed to the requests it belongs to
        by_request = _by_request([items])
        if len(by_request) == 1:
            failed[items[0].request] = error
            return {}
    wallets: dict[int, LockedWallet] = {}
    busy: set[int] = set()
    for number, part in by_request.items():
        of_request = {item.wallet_id for item in part if item.charges or item.pending}
        if of_request & busy:  # found busy just now: not waited for again
            failed[number] = LockBusy(BUSY)
            continue
        try:
            wallets.update(_ingest_part(part, bucket=bucket, at=at, catalogue=catalogue))
        except Exception as error:  # noqa: BLE001 - as above
            failed[number] = error
            if isinstance(error, LockBusy) and len(of_request) == 1:
                busy |= of_request
    return wallets


def _ingest_part(items: list[Item], *, bucket: int, at: datetime, catalogue: Catalogue) -> dict[int, LockedWallet]:
    """One bucket's events in one transaction. An event that the database cannot hold is found by halves and refused."""
    try:
        looked_up = _look_wallets_up(items, catalogue)
        for _ in range(TRIES):
            try:
                return _charge_part(items, looked_up, bucket=bucket, at=at, catalogue=catalogue)
            except WalletMoved:
                accounts = {item.account.id: item.account for item in items}
                refresh_wallets(list(accounts.values()))
                looked_up = set(accounts)
        raise LockBusy(BUSY)
    except (DataError, psycopg.DataError) as error:
        if len(items) == 1:
            items[0].refused = ("invalid", f"The event cannot be stored: {str(error).splitlines()[0]}")
            return {}
        middle = len(items) // 2
        wallets = _ingest_part(items[:middle], bucket=bucket, at=at, catalogue=catalogue)
        return wallets | _ingest_part(items[middle:], bucket=bucket, at=at, catalogue=catalogue)


def _charge_part(
    items: list[Item], looked_up: Container[int], *, bucket: int, at: datetime, catalogue: Catalogue
) -> dict[int, LockedWallet]:
    """looked_up: accounts whose wallets have been looked up just now. Raises WalletMoved, LockBusy, DataError."""
    if duplicates.are_rare:
        try:
            return _write_part(items, looked_up, insert_directly, bucket=bucket, at=at, catalogue=catalogue)
        except SomeStandAlready:
            duplicates.seen()
    return _write_part(items, looked_up, insert_what_is_new, bucket=bucket, at=at, catalogue=catalogue)


def _write_part(
    items: list[Item], looked_up: Container[int], insert: Insert, *, bucket: int, at: datetime, catalogue: Catalogue
) -> dict[int, LockedWallet]:
    row_ids = iter(_event_ids.take(len(items)))
    entry_ids = reserve_entry_ids(len({item.account.id for item in items}) * catalogue.currencies)
    in_key_order = sorted(items, key=_key)
    chunks = [in_key_order[first : first + CHUNK] for first in range(0, len(items), CHUNK)]
    with transaction.atomic(), connection.cursor() as cursor:
        encoded = (_rate_and_encode(chunk, EventRows(bucket=bucket, received_at=at), row_ids, catalogue) for chunk in chunks)
        usage = insert(cursor, encoded, items, bucket=bucket)
        waiting = [
            (item, item.parked) for item in items if item.parked is not None and item.refused is None and not item.duplicate
        ]
        if any(parked[0] == Reason.NO_WALLET and item.account.id not in looked_up for item, parked in waiting):
            raise WalletMoved
        park(waiting, bucket=bucket, at=at)
        charged = charge_items(cursor, items, usage, bucket=bucket, at=at, entry_ids=entry_ids)
        tally_items(cursor, items, bucket=bucket, at=at)
        return charged


# Every batch inserts in this order, so that two that share ids never wait for each other in a circle.
_key = attrgetter("account.id", "event.id")


def _look_wallets_up(items: Sequence[Item], catalogue: Catalogue) -> set[int]:
    """Look again for wallets of accounts that seem to have none in the currency of their prices; which accounts."""
    missing: dict[int, AccountView] = {}
    for item in {item.account.id: item for item in items}.values():
        version = catalogue.version_in_force(item.account.id, item.time)
        if version is not None and version.currency not in item.account.wallets:
            missing[item.account.id] = item.account
    if missing:
        refresh_wallets(list(missing.values()))
    return set(missing)


def _rate_and_encode(items: Sequence[Item], rows: EventRows, row_ids: Iterator[int], catalogue: Catalogue) -> bytes:
    """Measure, rate and encode items; those that cannot be taken are marked refused and left out."""
    in_force: dict[int, tuple[datetime, datetime, VersionView | None]] = {}
    for item in items:
        event, account_id, time = item.event, item.account.id, item.time
        span = in_force.get(account_id)
        if span is None or not span[0] <= time < span[1]:
            span = in_force[account_id] = catalogue.span_in_force(account_id, time)
        try:
            properties, raw = decode_properties(event.properties)
            rate_item(item, properties, span[2], catalogue)
            if not event.id.isprintable():
                raise Unusable("id must consist of printable characters")
        except DECODE_ERRORS as error:
            item.refused, item.charges, item.pending = ("invalid", sentence(error)), (), ()
            continue
        item.row_id = next(row_ids)
        item.time_us = postgres_microseconds(time)
        rows.add(item.row_id, account_id, item.time_us, event.id, event.type, raw)
    return rows.to_bytes()


def _answer(result: IngestResult, items: Sequence[Item], wallets: dict[int, LockedWallet]) -> None:
    """Fill in a request's answer from what became of its items."""
    charged: dict[int, Decimal] = {}
    for item in items:
        if item.refused is not None:
            result.rejected.append(Rejected(item.index, item.event.id, *item.refused))
        elif item.duplicate:
            result.duplicates += 1
        else:
            result.accepted += 1
            wallet_id = item.wallet_id
            if wallet_id:
                charged[wallet_id] = charged.get(wallet_id, ZERO) + item.amount
            else:
                result.unrated += 1
    result.rejected.sort()
    own = [(wallets[wallet_id], amount) for wallet_id, amount in charged.items()]
    result.charged = [Charged(wallet.account_key, wallet.currency, amount) for wallet, amount in own]
    result.balances = [
        BalanceAfter(w.public_id, w.account_key, w.currency, w.balance, w.held, w.available, w.sequence) for w, _ in own
    ]


def ingest_max_age() -> timedelta:
    """How old an event may be when it arrives over the wire."""
    return timedelta(days=settings.INGEST_MAX_AGE_DAYS)
