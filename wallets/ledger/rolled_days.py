"""Something added up by days (UTC), so that reports need not read all of it: the journal, usage.

Days are added up by `roll_up_days`, in three steps, so that nothing is missed however long its transaction takes:

1. the end of the last whole day is announced, and committed; of the journal, the end of the last hour: its day is added up
so far; 2. then the number of the next transaction is noted: those below it may have written without having seen it announced;
3. once all of these are over, what is before is added up. Whoever writes into such a day from now on has seen it announced
   and marks the day (a trigger of the table does), which is then added up again, and read from its rows until it is.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Final

from django.db import connection, transaction

from wallets.ledger.day_models import RolledDays, StaleDay

DAY: Final = timedelta(days=1)
HOUR: Final = timedelta(hours=1)
SETTLED: Final = timedelta(minutes=10)  # clocks of several machines differ by less
MOST_DAYS: Final = 31  # added up in one transaction


@dataclass(frozen=True, slots=True)
class Spans:
    """How to read a span of time. first, cut: days from `first` until before `cut`, but those in `stale`, are added up; `live`:
    spans that are to be read row by row. part: until when the last of these days is added up so far, None when all are whole:
    whoever reads the sums must find it unchanged in the same snapshot (`rolled`), or ask again."""

    first: date
    cut: date
    stale: list[date]
    live: list[tuple[datetime, datetime]]
    part: datetime | None


def spans_of(what: str, *, start: datetime, end: datetime) -> Spans:
    """What of the time from `start` until before `end` is added up, and what is not. Two queries."""
    first = midnight(start) if start == midnight(start) else midnight(start) + DAY
    last = max(midnight(end), first)
    rolled = RolledDays.objects.filter(what=what).values_list("rolled", flat=True).first()
    cut, since = min(max(rolled or first, first), last), None
    if rolled is not None and first <= midnight(rolled) == last < rolled <= end:  # its day is added up so far
        cut, since = last + DAY, rolled
    elif cut > first:
        cut = max(midnight(cut), first)
    marked = StaleDay.objects.filter(what=what, day__gte=first.date(), day__lt=cut.date())
    stale = sorted(set(marked.values_list("day", flat=True)))
    spans = [(start, min(first, end)), (since or cut, end)]
    spans += [(start_of(day), since if since and start_of(day) == last else start_of(day) + DAY) for day in stale]
    return Spans(first.date(), cut.date(), stale, [span for span in spans if span[0] < span[1]], since)


def roll_up_days(
    what: str,
    *,
    at: datetime,
    earliest: Callable[[], datetime | None],
    forget: Callable[[date], object],
    add_up: Callable[[datetime, datetime], object],
    by: timedelta = DAY,
) -> int:
    """Add up the days that are over at `at`, and again those that were written into since. Returns how many.

    earliest: the first moment there is anything of; forget: deletes what a day was added up to; add_up: adds what is from until
    before to the days. by: HOUR adds up the hours that are over of a day that is not. May run at any time, twice too; what
    cannot be done yet is done by the next run.
    """
    _announce(what, midnight(at - SETTLED) if by == DAY else (at - SETTLED).replace(minute=0, second=0, microsecond=0))
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(hashtextextended('rolled days: ' || %s, 0))", [what])
        if not cursor.fetchone()[0]:
            return 0
        state = RolledDays.objects.get(what=what)
        days = 0
        if state.rolled is not None:
            # A mark that comes while this runs is not deleted: it stays for the next time.
            cursor.execute(
                "DELETE FROM wallets_staleday WHERE what = %s AND day <= %s RETURNING day", [what, _utc(state.rolled).date()]
            )
            for day in sorted({row[0] for row in cursor.fetchall()}):
                forget(day)
                add_up(start_of(day), min(start_of(day) + DAY, state.rolled))
                days += 1
        cursor.execute("SELECT pg_snapshot_xmin(pg_current_snapshot())::text::bigint")
        if state.over_after is None or cursor.fetchone()[0] < state.over_after:
            return days
        low = state.rolled or min(midnight(earliest() or state.announced), state.announced)
        high = min(state.announced, low + MOST_DAYS * DAY)
        if low < high:
            # Marks from before these days were added up at all say nothing new.
            whole = midnight(low) if low == midnight(low) else midnight(low) + DAY
            StaleDay.objects.filter(what=what, day__gte=whole.date(), day__lt=_utc(high).date()).delete()
            add_up(low, high)
            days += max(1, (high - low).days)
        RolledDays.objects.filter(what=what).update(rolled=max(low, high))
    return days


def midnight(moment: datetime) -> datetime:
    """When its day (UTC) began."""
    return moment.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)


def start_of(day: date) -> datetime:
    """When the day (UTC) begins."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _announce(what: str, end: datetime) -> None:
    """Steps 1 and 2, each committed by itself."""
    with connection.cursor() as cursor:
        cursor.execute(
            """INSERT INTO wallets_rolleddays (what, announced) VALUES (%s, %s)
               ON CONFLICT (what) DO UPDATE SET announced = EXCLUDED.announced, over_after = NULL
               WHERE wallets_rolleddays.announced < EXCLUDED.announced""",
            [what, end],
        )
        cursor.execute(
            """UPDATE wallets_rolleddays SET over_after = pg_snapshot_xmax(pg_current_snapshot())::text::bigint
               WHERE what = %s AND over_after IS NULL""",
            [what],
        )
