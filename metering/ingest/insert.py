"""Getting a batch's events into the events table, once each (I3). Two ways with one result:

Straight in: COPY to the table itself, half the work. It fails as a whole when one id is there already, and nothing of it
stands. Taken while that is rare.

By a staging table: COPY to a temporary table, then INSERT ... ON CONFLICT DO NOTHING, which leaves out what is there
already. Taken for a batch that failed the first way, and for a while after it: where some duplicates are, more will come.

Either way the database works on one chunk while Python rates the next; callers hand in the chunks as they are encoded.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, Final

from django.db import IntegrityError, connection
from psycopg import errors as pg

from metering.ingest.charging import Usage, usage_of
from metering.ingest.rating import Item
from metering.ingest.rows import (
    END_OF_ROWS,
    INSERT_EVENTS,
    START_OF_ROWS,
    clear_staging,
    copy_events,
    inserted_ids,
    prepare_event_staging,
    stage_events,
)
from wallets.overlap import running

Insert = Callable[..., Usage]
"""(cursor, chunks, items, bucket=) -> the roll-up of what was new (`usage_of`). `chunks`: encoded rows of the items, in
key order, made as they are asked for; marks items that were there already as duplicates."""

STAGED_AFTER_A_DUPLICATE: Final = 50  # batches


class SomeStandAlready(Exception):
    """An id of the batch stands in the table already (or twice in the batch); nothing of the batch was written."""


class Duplicates:
    """Whether this process has met duplicates lately. A guess that only costs or saves time, so no lock guards it."""

    def __init__(self) -> None:
        self._staged_left = 0

    @property
    def are_rare(self) -> bool:
        """Whether to try the quick way; asked once a batch."""
        if self._staged_left <= 0:  # below zero when two threads took the last one
            return True
        self._staged_left -= 1
        return False

    def seen(self) -> None:
        """A batch had some."""
        self._staged_left = STAGED_AFTER_A_DUPLICATE

    def forget(self) -> None:
        """As in a new process."""
        self._staged_left = 0


duplicates = Duplicates()


def insert_directly(cursor: Any, chunks: Iterable[bytes], items: Sequence[Item], *, bucket: int) -> Usage:
    """Insert all events or none; the roll-up of all. Raises SomeStandAlready."""
    try:
        with copy_events(cursor) as copy:
            copy.write(START_OF_ROWS)
            for chunk in chunks:
                copy.write(chunk)
            copy.write(END_OF_ROWS)
            return usage_of(items, bucket=bucket)
    except (IntegrityError, pg.UniqueViolation) as error:
        raise SomeStandAlready from error


def insert_what_is_new(cursor: Any, chunks: Iterable[bytes], items: Sequence[Item], *, bucket: int) -> Usage:
    """Insert the events whose ids are new and mark the others; the roll-up of those that are new."""
    prepare_event_staging(cursor)
    new = 0
    usage = Usage()
    coming = iter(chunks)
    chunk = next(coming, None)
    while chunk is not None:
        stage_events(cursor, chunk)
        with running(connection.connection, INSERT_EVENTS) as inserting:
            chunk = next(coming, None)
            if chunk is None:
                usage = usage_of(items, bucket=bucket)
        new += inserting.rows
        clear_staging(cursor)
    sent = [item for item in items if item.refused is None]
    if new == len(sent):
        return usage
    known = inserted_ids(cursor, [item.row_id for item in sent], bucket=bucket)
    for item in sent:
        item.duplicate = item.row_id not in known
    return usage_of(items, bucket=bucket)
