"""One batch of events: the steps of DESIGN section 4, in order. One transaction a bucket, set-based, no query per event.

1. look up accounts and prices (memory); 2. measure and rate while PostgreSQL already reads the rows (COPY); 3. insert,
which tells the new from the duplicates; 4. lock the wallets in id order; 5. debit them; 6. roll up; 7. commit, answer.
"""

from __future__ import annotations

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import psycopg
from django.conf import settings
from django.db import DataError, connection, transaction

from metering.ingest.accounts import AccountView, refresh_wallets, resolve_accounts
from metering.ingest.charging import WalletMoved, charge_items, usage_lines
from metering.ingest.dead_letters import park
from metering.ingest.decode import DECODE_ERRORS, Rejected, UsageInput, decode_properties, sentence
from metering.ingest.overlap import running
from metering.ingest.rating import Item, Unusable, rate_item
from metering.ingest.rows import (
    INSERT_EVENTS,
    EventRows,
    clear_staging,
    inserted_ids,
    postgres_microseconds,
    prepare_staging,
    stage_events,
)
from pricing.books.in_force import Catalogue, VersionView, catalogue_in_force
from wallets.balances.lock import LockedWallet
from wallets.ids import RowIds
from wallets.ledger.post import reserve_entry_ids
from wallets.money import ZERO

MAX_AHEAD: Final = timedelta(hours=1)
CHUNK: Final = 1_250  # events rated while the chunk before is inserted
_event_ids = RowIds("metering_event_blocks")


@dataclass(frozen=True, slots=True)
class Charged:
    """What an account was charged by a batch, exact."""

    account: str
    currency: str
    amount: Decimal


@dataclass(frozen=True, slots=True)
class BalanceAfter:
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


def ingest_batch(*, events: Sequence[UsageInput], at: datetime, max_age: timedelta | None = None) -> IngestResult:
    """Take one request's events: see `ingest_requests`."""
    return ingest_requests(requests=[events], at=at, max_age=max_age)[0]


def ingest_requests(
    *, requests: Sequence[Sequence[UsageInput]], at: datetime, max_age: timedelta | None = None
) -> list[IngestResult]:
    """Store, rate and debit the events of several requests together; an answer for each.

    at: when they arrived. max_age: refuse events older than this (None: any age). An event id charges once per account
    (I3). When this returns, everything is committed (I4); when it raises, send again what it got: nothing is charged twice.
    Raises LockBusy when a wallet stays locked.
    """
    catalogue = catalogue_in_force()
    accounts = resolve_accounts({event.account for events in requests for event in events})
    catalogue.read_assignments([account.id for account in accounts.values()])
    results = [IngestResult() for _ in requests]
    parts: dict[int, list[Item]] = {}
    oldest = None if max_age is None else at - max_age
    latest = at + MAX_AHEAD
    types = catalogue.meters
    for number, events in enumerate(requests):
        for index, event in enumerate(events):
            account = accounts.get(event.account)
            time = event.time or at
            if account is None or event.type not in types or time > latest or (oldest is not None and time < oldest):
                results[number].rejected.append(Rejected(index, event.id, *_refusal(event, account, time, types, oldest)))
                continue
            part = parts.get(account.bucket)
            if part is None:
                part = parts[account.bucket] = []
            part.append(Item(number, index, event, account, time))
    wallets: dict[int, LockedWallet] = {}
    for bucket in sorted(parts):
        wallets.update(_ingest_part(parts[bucket], bucket=bucket, at=at, catalogue=catalogue))
    by_request: list[list[Item]] = [[] for _ in requests]
    for part in parts.values():
        if len(requests) == 1:
            by_request[0].extend(part)
        else:
            for item in part:
                by_request[item.request].append(item)
    for result, items in zip(results, by_request, strict=True):
        _answer(result, items, wallets)
    return results


def _refusal(
    event: UsageInput, account: AccountView | None, time: datetime, types: Container[str], oldest: datetime | None
) -> tuple[str, str]:
    """(code, detail) of an event that cannot be taken."""
    if account is None:
        return "unknown_account", f"There is no account {event.account!r}."
    if event.type not in types:
        return "unknown_type", f"No meter counts events of type {event.type!r}."
    if oldest is not None and time < oldest:
        return "too_old", f"time is before {oldest.isoformat()}, the oldest that is taken now."
    return "in_future", f"time is more than {MAX_AHEAD} ahead."


def _ingest_part(items: list[Item], *, bucket: int, at: datetime, catalogue: Catalogue) -> dict[int, LockedWallet]:
    """One bucket's events in one transaction. An event that the database cannot hold is found by halves and refused."""
    try:
        try:
            return _charge_part(items, bucket=bucket, at=at, catalogue=catalogue)
        except WalletMoved:
            refresh_wallets(list({item.account.id: item.account for item in items}.values()))
            return _charge_part(items, bucket=bucket, at=at, catalogue=catalogue)
    except (DataError, psycopg.DataError) as error:
        if len(items) == 1:
            items[0].refused = ("invalid", f"The event cannot be stored: {str(error).splitlines()[0]}")
            return {}
        middle = len(items) // 2
        wallets = _ingest_part(items[:middle], bucket=bucket, at=at, catalogue=catalogue)
        return wallets | _ingest_part(items[middle:], bucket=bucket, at=at, catalogue=catalogue)


def _charge_part(items: list[Item], *, bucket: int, at: datetime, catalogue: Catalogue) -> dict[int, LockedWallet]:
    _look_wallets_up(items, catalogue)
    row_ids = iter(_event_ids.take(len(items)))
    entry_ids = reserve_entry_ids(len({item.account.id for item in items}) * catalogue.currencies)
    with transaction.atomic(), connection.cursor() as cursor:
        prepare_staging(cursor)
        new = 0
        lines: list[str] = []
        # The database inserts one chunk while this thread rates the next; after the last, while it rolls up.
        in_key_order = sorted(items, key=_key)
        chunks = [in_key_order[first : first + CHUNK] for first in range(0, len(items), CHUNK)]
        stream = _rate_and_encode(chunks[0], EventRows(bucket=bucket, received_at=at), row_ids, catalogue)
        for following in [*chunks[1:], None]:
            stage_events(cursor, stream)
            with running(connection.connection, INSERT_EVENTS) as inserting:
                if following is not None:
                    stream = _rate_and_encode(following, EventRows(bucket=bucket, received_at=at), row_ids, catalogue)
                else:
                    lines = usage_lines(items, bucket=bucket)
            new += inserting.rows
            if following is not None:
                clear_staging(cursor)
        staged = [item for item in items if item.refused is None]
        if new < len(staged):
            known = inserted_ids(cursor, [item.row_id for item in staged], bucket=bucket)
            for item in staged:
                item.duplicate = item.row_id not in known
            lines = usage_lines(items, bucket=bucket)
        park([item for item in staged if item.parked is not None and not item.duplicate], bucket=bucket, at=at)
        return charge_items(cursor, items, lines, bucket=bucket, at=at, entry_ids=entry_ids)


def _key(item: Item) -> tuple[int, str]:
    """Every batch inserts in this order, so that two that share ids never wait for each other in a circle."""
    return item.account.id, item.event.id


def _look_wallets_up(items: Sequence[Item], catalogue: Catalogue) -> None:
    """Look again for wallets of accounts that seem to have none in the currency of their prices."""
    missing: dict[int, AccountView] = {}
    for item in {item.account.id: item for item in items}.values():
        version = catalogue.version_in_force(item.account.id, item.time)
        if version is not None and version.currency not in item.account.wallets:
            missing[item.account.id] = item.account
    if missing:
        refresh_wallets(list(missing.values()))


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
            item.refused = ("invalid", sentence(error))
            continue
        item.row_id = next(row_ids)
        item.time_us = postgres_microseconds(time)
        rows.add(item.row_id, account_id, item.time_us, event.id, event.type, raw)
    return rows.to_bytes()


def _answer(result: IngestResult, items: Sequence[Item], wallets: dict[int, LockedWallet]) -> None:
    """Fill in a request's answer from what became of its items."""
    charged: dict[tuple[str, str], Decimal] = {}
    seen: dict[int, None] = {}
    for item in items:
        if item.refused is not None:
            result.rejected.append(Rejected(item.index, item.event.id, *item.refused))
        elif item.duplicate:
            result.duplicates += 1
        else:
            result.accepted += 1
            if item.parked is not None:
                result.unrated += 1
            elif item.charges:
                key = (item.account.key, item.currency)
                charged[key] = charged.get(key, ZERO) + item.amount
                seen[item.wallet_id] = None
    result.rejected.sort()
    result.charged = [Charged(account, currency, amount) for (account, currency), amount in charged.items()]
    result.balances = [
        BalanceAfter(w.public_id, w.account_key, w.currency, w.balance, w.held, w.available, w.version)
        for w in (wallets[wallet_id] for wallet_id in seen)
    ]


def ingest_max_age() -> timedelta:
    """How old an event may be when it arrives over the wire."""
    return timedelta(days=settings.INGEST_MAX_AGE_DAYS)
