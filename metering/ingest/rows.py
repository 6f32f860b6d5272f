"""The hot path's SQL and row encoding, in one place.

Events go to a staging table by binary COPY (no text to parse), and from there into the events table.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from wallets.bulk import copy_lines

POSTGRES_EPOCH: Final = datetime(2000, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

# PostgreSQL manual, COPY, Binary Format: signature, flags, header extension; each field with its length before it.
START_OF_ROWS: Final = b"PGCOPY\n\xff\r\n\x00" + struct.pack("!ii", 0, 0)
END_OF_ROWS: Final = struct.pack("!h", -1)
_FIXED: Final = struct.Struct("!h iq ih iq iq iq i")
_LENGTH: Final = struct.Struct("!i")

# Each commit empties them; the DELETE does for a second batch of one transaction (a replay inside a larger one).
_EVENT_STAGING: Final = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_event (
        id bigint, bucket smallint, account_id bigint, time timestamptz, received_at timestamptz,
        event_id text, type text, properties jsonb
    ) ON COMMIT DELETE ROWS;
    DELETE FROM staged_event
"""
_USAGE_STAGING: Final = """
    CREATE TEMPORARY TABLE IF NOT EXISTS staged_usage (
        bucket smallint, account_id bigint, meter_id bigint, hour timestamptz, currency text, dimensions jsonb,
        events bigint, quantity numeric(30,12), amount numeric(30,12), cost numeric(30,12)
    ) ON COMMIT DELETE ROWS;
    DELETE FROM staged_usage
"""

_ROWS: Final = "(id, bucket, account_id, time, received_at, event_id, type, properties) FROM STDIN (FORMAT binary)"
_COPY_EVENTS: Final = f"COPY metering_usageevent {_ROWS}"
_STAGE_EVENTS: Final = f"COPY staged_event {_ROWS}"

INSERT_EVENTS: Final = """
    INSERT INTO metering_usageevent (id, bucket, account_id, event_id, type, time, received_at, properties)
    SELECT id, bucket, account_id, event_id, type, time, received_at, properties FROM staged_event
    ON CONFLICT (bucket, account_id, event_id) DO NOTHING
"""

CHARGE_COLUMNS: Final = "event_id, line, meter_id, price_id, quantity, amount, cost, line_from, bucket, wallet_id, entry_id"
RUN_CHARGE_COLUMNS: Final = f"{CHARGE_COLUMNS}, counter_id"
COUNTED_COLUMNS: Final = (
    f"{CHARGE_COLUMNS}, counter_id, counter_place, prior_quantity, prior_events, previous_event, previous_line, measured, "
    "allowance, allowance_from"
)
_USAGE_COLUMNS: Final = "bucket, account_id, hour, currency, meter_id, dimensions, events, quantity, amount, cost"

ROLL_UP: Final = """
    INSERT INTO metering_hourlyusage AS u
        (bucket, account_id, meter_id, hour, currency, dimensions, events, quantity, amount, cost)
    SELECT bucket, account_id, meter_id, hour, currency, dimensions, events, quantity, amount, cost FROM staged_usage
    ORDER BY account_id, meter_id, hour
    ON CONFLICT (bucket, account_id, meter_id, hour, currency, dimensions) DO UPDATE
    SET events = u.events + EXCLUDED.events, quantity = u.quantity + EXCLUDED.quantity,
        amount = u.amount + EXCLUDED.amount, cost = u.cost + EXCLUDED.cost
"""


def prepare_event_staging(cursor: Any) -> None:
    """This connection's staging table for events, empty."""
    cursor.execute(_EVENT_STAGING)


def stage_usage(cursor: Any, lines: list[str]) -> None:
    """This connection's staging table for usage, holding `lines` (`charging.usage_lines`); ROLL_UP takes them from there."""
    cursor.execute(_USAGE_STAGING)
    copy_lines(cursor, "staged_usage", _USAGE_COLUMNS, lines)


def postgres_microseconds(moment: datetime) -> int:
    """Microseconds since 2000-01-01 UTC: PostgreSQL's binary timestamptz."""
    return (moment - POSTGRES_EPOCH) // MICROSECOND


class EventRows:
    """Events of one bucket in COPY's binary form."""

    def __init__(self, *, bucket: int, received_at: datetime) -> None:
        self._bucket = bucket
        self._received = postgres_microseconds(received_at)
        self._types: dict[str, bytes] = {}
        self._parts: list[bytes] = []

    def add(self, row_id: int, account_id: int, time_us: int, event_id: str, event_type: str, properties: bytes) -> None:
        """Add an event; `time_us` as `postgres_microseconds`, `properties` as JSON."""
        type_field = self._types.get(event_type)
        if type_field is None:
            encoded = event_type.encode()
            type_field = self._types[event_type] = _LENGTH.pack(len(encoded)) + encoded
        key = event_id.encode()
        self._parts += (
            _FIXED.pack(8, 8, row_id, 2, self._bucket, 8, account_id, 8, time_us, 8, self._received, len(key)),
            key,
            type_field,
            _LENGTH.pack(len(properties) + 1),
            b"\x01",
            properties,
        )

    def to_bytes(self) -> bytes:
        """These rows; a COPY stream is START_OF_ROWS, rows, END_OF_ROWS."""
        return b"".join(self._parts)


def copy_events(cursor: Any) -> Any:
    """The COPY into the events table itself; a context whose `write` takes the pieces of the stream."""
    return cursor.copy(_COPY_EVENTS)


def stage_events(cursor: Any, rows: bytes) -> None:
    """COPY events (`EventRows.to_bytes`) to the staging table; INSERT_EVENTS takes them from there."""
    with cursor.copy(_STAGE_EVENTS) as copy:
        copy.write(START_OF_ROWS)
        copy.write(rows)
        copy.write(END_OF_ROWS)


def clear_staging(cursor: Any) -> None:
    """Empty the staging table for the next chunk."""
    cursor.execute("TRUNCATE staged_event")


def inserted_ids(cursor: Any, row_ids: Sequence[int], *, bucket: int) -> set[int]:
    """Those of `row_ids` that stand in the events table: the new events among the staged ones."""
    cursor.execute("SELECT id FROM metering_usageevent WHERE bucket = %s AND id = ANY(%s)", [bucket, list(row_ids)])
    return {row[0] for row in cursor.fetchall()}


def known_accounts(cursor: Any, keys: Sequence[str]) -> Iterable[tuple[str, int, int, str]]:
    """(key, row id, bucket, time zone) of the accounts among `keys` that exist."""
    cursor.execute("SELECT key, id, bucket, time_zone FROM wallets_account WHERE key = ANY(%s)", [list(keys)])
    return list(cursor.fetchall())


def default_wallets(cursor: Any, account_ids: Sequence[int]) -> Iterable[tuple[int, str, int, list[str]]]:
    """(account row id, currency, wallet row id, meters with allowances) of the wallets these accounts are charged to."""
    cursor.execute(
        """SELECT account_id, currency, id, allowance_meters FROM wallets_wallet
           WHERE account_id = ANY(%s) AND is_default AND status <> 'CLOSED'""",
        [list(account_ids)],
    )
    return list(cursor.fetchall())
