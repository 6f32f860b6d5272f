"""What we measure ourselves against: the limit of the database, and the way it is usually written."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

import msgspec
import psycopg
from django.db import connection, transaction

from metering.ingest.batch import _event_ids as event_ids
from metering.ingest.decode import decode_events, decode_properties
from metering.ingest.rows import END_OF_ROWS, START_OF_ROWS, EventRows, postgres_microseconds
from metering.usage.models import UsageEvent
from wallets.accounts.models import Account
from wallets.balances.models import Wallet

_STAGING: Final = """CREATE TEMPORARY TABLE yardstick (
    id bigint, bucket smallint, account_id bigint, time timestamptz, received_at timestamptz,
    event_id text, type text, properties jsonb) ON COMMIT DELETE ROWS"""
_COPY: Final = (
    "COPY yardstick (id, bucket, account_id, time, received_at, event_id, type, properties) FROM STDIN (FORMAT binary)"
)
_INSERT: Final = """
    INSERT INTO metering_usageevent (id, bucket, account_id, event_id, type, time, received_at, properties)
    SELECT id, bucket, account_id, event_id, type, time, received_at, properties FROM yardstick
    ORDER BY account_id, event_id
    ON CONFLICT (bucket, account_id, event_id) DO NOTHING"""


def encoded(bodies: Iterable[bytes], *, at: datetime) -> list[bytes]:
    """Request bodies as rows ready for COPY: encoding is not part of the limit."""
    accounts = dict(Account.objects.values_list("key", "pk"))
    streams = []
    for body in bodies:
        events = decode_events(body).events
        rows = EventRows(bucket=0, received_at=at)
        for row_id, event in zip(event_ids.take(len(events)), events, strict=True):
            time_us = postgres_microseconds(event.time or at)
            rows.add(row_id, accounts[event.account], time_us, event.id, event.type, bytes(event.properties))
        streams.append(START_OF_ROWS + rows.to_bytes() + END_OF_ROWS)
    return streams


def raw_rate(streams: Sequence[bytes], *, rows: int, connections: int) -> float:
    """Rows/s that PostgreSQL stages and inserts, deduplicated by key, into the real events table with its indexes, a
    transaction a stream."""
    parameters = connection.get_connection_params()
    parameters.pop("cursor_factory", None)
    parameters.pop("context", None)
    opened = [psycopg.connect(**parameters, autocommit=True) for _ in range(connections)]
    for one in opened:
        one.execute(_STAGING)
    work = [threading.Thread(target=_insert, args=(one, streams[number::connections])) for number, one in enumerate(opened)]
    started = time.perf_counter()
    for thread in work:
        thread.start()
    for thread in work:
        thread.join()
    seconds = time.perf_counter() - started
    for one in opened:
        one.close()
    return rows / seconds


def _insert(one: psycopg.Connection[object], streams: Sequence[bytes]) -> None:
    for stream in streams:
        with one.transaction(), one.cursor() as cursor:
            with cursor.copy(_COPY) as copy:
                copy.write(stream)
            cursor.execute(_INSERT)


def textbook_rate(bodies: Iterable[bytes], *, at: datetime, price: Decimal = Decimal("0.00001")) -> float:
    """Events/s of the usual way: for each event lock the wallet, create the event, save the new balance."""
    wallets = dict(Wallet.objects.values_list("account__key", "pk"))
    count = 0
    started = time.perf_counter()
    for body in bodies:
        for event in decode_events(body).events:
            values, _ = decode_properties(event.properties)
            with transaction.atomic():
                wallet = Wallet.objects.select_for_update().get(pk=wallets[event.account])
                UsageEvent.objects.create(
                    id=event_ids.take(1)[0],
                    bucket=0,
                    account_id=wallet.account_id,
                    event_id=event.id,
                    type=event.type,
                    time=event.time or at,
                    received_at=at,
                    properties=msgspec.json.decode(event.properties),
                )
                wallet.balance -= (values["input_tokens"] + values["output_tokens"]) * price
                wallet.save()
            count += 1
    return count / (time.perf_counter() - started)
