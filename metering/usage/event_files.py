"""The events behind a statement as a file, written as they are read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from django.http import StreamingHttpResponse

from metering.usage.statement_events import events_behind
from wallets.csv_cells import csv_lines, text_cell
from wallets.money import plain
from wallets.statements.models import Statement

COLUMNS: Final = (
    "statement", "line", "event", "time", "received_at", "meter", "quantity", "allowance", "amount", "currency",
    "journal_entry", "takes_back",
)  # fmt: skip


def event_rows(statement: Statement, *, position: int | None = None) -> Iterator[Iterable[object]]:
    """A heading, then a charge a row. position: of one line of the statement only."""
    yield COLUMNS
    for event in events_behind(statement=statement, position=position):
        yield (
            statement.public_number, event.position, text_cell(event.event_id), event.time.isoformat(),
            event.received_at.isoformat(), event.meter, plain(event.quantity), plain(event.allowance), plain(event.amount),
            statement.currency, "" if event.entry_id is None else f"ent_{event.entry_id}",
            "" if event.reverses is None else "yes",
        )  # fmt: skip


def events_csv(statement: Statement, *, position: int | None = None) -> StreamingHttpResponse:
    """The file, streamed."""
    name = f"{statement.public_number}-events.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingHttpResponse(
        csv_lines(event_rows(statement, position=position)), content_type="text/csv; charset=utf-8", headers=headers
    )
