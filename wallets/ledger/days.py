"""What the journal says of any span of time, by account, contra and month of sale: whole days (UTC) from what is added up
already (`rolled_days.py`), the rest from the postings themselves, so that the answer is exact at every moment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection
from django.db.models import Min

from wallets.ledger.day_models import JournalDay
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.proof import Proof, prove_rows
from wallets.ledger.rolled_days import HOUR, Spans, roll_up_days, spans_of

JOURNAL: Final = "journal"
BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class JournalSum:
    """Postings added up. day: None unless asked for. account, contra: kinds of ledger accounts (contra empty: several or none).
    entry: the kind of entry. lot_kind, cohort: of the credit, on the wallet's side. amount: credit positive, debit negative."""

    day: date | None
    account: str
    qualifier: str
    currency: str
    contra: str
    entry: str
    lot_kind: str
    cohort: date | None
    amount: Decimal


def journal_sums(
    *, end: datetime, start: datetime = BEGINNING, currency: str = "", kinds: Sequence[str] = (), by_day: bool = False
) -> list[JournalSum]:
    """Postings of entries from `start` until before `end`, added up.

    currency: of the postings; empty: all, units of allowances too. kinds: of the ledger accounts; empty: all.
    """
    while True:
        spans = spans_of(JOURNAL, start=start, end=end)
        accounts = _accounts(currency, kinds)
        rows = _read(spans, accounts, by_day=by_day)
        if rows is not None:  # else an hour of today was added up meanwhile: once an hour at most
            break
    others = {one.pk: one for one in LedgerAccount.objects.filter(pk__in={row[2] for row in rows} - {None} - accounts.keys())}
    names = accounts | others
    return [
        JournalSum(
            day,
            names[account].kind,
            names[account].qualifier,
            names[account].currency,
            names[contra].kind if contra else "",
            entry,
            lot_kind,
            cohort,
            amount,
        )
        for day, account, contra, entry, lot_kind, cohort, amount in rows
    ]


def roll_up_journal(*, at: datetime) -> int:
    """Add up what is over of the journal at `at`, today by its hours. Returns how many days; may run at any time."""
    return roll_up_days(
        JOURNAL,
        at=at,
        earliest=lambda: JournalEntry.objects.aggregate(first=Min("at"))["first"],
        forget=lambda day: JournalDay.objects.filter(day=day).delete(),
        add_up=_add_up,
        by=HOUR,
    )


def _add_up(low: datetime, high: datetime) -> None:
    with connection.cursor() as cursor:
        cursor.execute(_ROLL_UP, [low, high])


def journal_days_hold() -> Proof:
    """Every day that is added up, and not marked, has the sums of its postings."""
    return prove_rows(
        "Days of the journal have the sums of their postings",
        "I2",
        f"""
        SELECT CASE WHEN (s.amount, s.postings) IS DISTINCT FROM (d.amount, d.postings)
            THEN format('%s: account %s, %s is added up as %s, its postings are %s', coalesce(s.day, d.day),
                        coalesce(s.ledger_account_id, d.ledger_account_id), coalesce(s.kind, d.kind), d.amount, s.amount)
        END
        FROM (
            SELECT day, ledger_account_id, contra_id, kind, lot_kind, cohort, amount, postings FROM wallets_journalday
            WHERE day NOT IN (SELECT day FROM wallets_staleday WHERE what = 'journal')
        ) d
        FULL JOIN (
            {
            _SUMS.format(
                where="e.at < (SELECT rolled FROM wallets_rolleddays WHERE what = 'journal')"
                " AND (e.at AT TIME ZONE 'UTC')::date NOT IN (SELECT day FROM wallets_staleday WHERE what = 'journal')"
            )
        }
        ) s ON (s.day, s.ledger_account_id, coalesce(s.contra_id, 0), s.kind, s.lot_kind, coalesce(s.cohort, '0001-01-01'))
             = (d.day, d.ledger_account_id, coalesce(d.contra_id, 0), d.kind, d.lot_kind, coalesce(d.cohort, '0001-01-01'))
        """,  # noqa: S608 - of constants
    )


def _read(spans: Spans, accounts: Mapping[int, LedgerAccount], *, by_day: bool) -> list[tuple[Any, ...]] | None:
    """The sums; None when the day that is added up in part has come further than `spans` says: its last hour would count
    twice. One statement, one snapshot."""
    sql: list[str] = []
    values: list[Any] = []
    if spans.first < spans.cut:
        sql.append(_ROLLED.format(day="d.day" if by_day else "NULL::date"))
        values += [spans.first, spans.cut, spans.stale, list(accounts)]
    for low, high in spans.live:
        sql.append(_LIVE.format(day=_DAY if by_day else "NULL::date"))
        values += [low, high, list(accounts)]
    if not sql or not accounts:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TOGETHER.format(parts=" UNION ALL ".join(sql)), values)
        rows = cursor.fetchall()
    if spans.part is not None and rows[0][0] != spans.part:
        return None
    return [row[1:] for row in rows if row[2] is not None]


def _accounts(currency: str, kinds: Sequence[str]) -> dict[int, LedgerAccount]:
    accounts = LedgerAccount.objects.all()
    if currency:
        accounts = accounts.filter(currency=currency)
    if kinds:
        accounts = accounts.filter(kind__in=kinds)
    return accounts.in_bulk()


_DAY: Final = "(e.at AT TIME ZONE 'UTC')::date"
_COHORT: Final = "date_trunc('month', l.created_at AT TIME ZONE 'UTC')::date"
_FROM: Final = """
    FROM wallets_journalentry e JOIN wallets_posting p ON p.bucket = e.bucket AND p.entry_id = e.id
    LEFT JOIN wallets_creditlot l ON l.id = p.lot_id
"""
_SUMS: Final = f"""
    SELECT {_DAY} AS day, p.ledger_account_id, p.contra_id, e.kind, coalesce(l.kind, '') AS lot_kind, {_COHORT} AS cohort,
           sum(p.amount) AS amount, count(*) AS postings
    {_FROM} WHERE {{where}}
    GROUP BY 1, 2, 3, 4, 5, 6
"""
_ROLL_UP: Final = f"""
    INSERT INTO wallets_journalday (day, ledger_account_id, contra_id, kind, lot_kind, cohort, amount, postings)
    {_SUMS.format(where="e.at >= %s AND e.at < %s")}
    ON CONFLICT ON CONSTRAINT journal_day_once DO UPDATE
        SET amount = wallets_journalday.amount + EXCLUDED.amount, postings = wallets_journalday.postings + EXCLUDED.postings
"""  # noqa: S608 - of constants
_ROLLED: Final = """
    SELECT {day} AS day, d.ledger_account_id, d.contra_id, d.kind, d.lot_kind, d.cohort, d.amount FROM wallets_journalday d
    WHERE d.day >= %s AND d.day < %s AND d.day <> ALL(%s) AND d.ledger_account_id = ANY(%s)
"""
_LIVE: Final = f"""
    SELECT {{day}} AS day, p.ledger_account_id, p.contra_id, e.kind, coalesce(l.kind, ''), {_COHORT}, p.amount
    {_FROM} WHERE e.at >= %s AND e.at < %s AND p.ledger_account_id = ANY(%s)
"""
# The first column is how far the journal is added up, in the snapshot of the sums; there is a row even of no sums.
_TOGETHER: Final = """
    SELECT far.rolled, sums.*
    FROM (SELECT (SELECT rolled FROM wallets_rolleddays WHERE what = 'journal') AS rolled) far
    LEFT JOIN (
        SELECT day, ledger_account_id, contra_id, kind, lot_kind, cohort, sum(amount)
        FROM ({parts}) AS one (day, ledger_account_id, contra_id, kind, lot_kind, cohort, amount)
        GROUP BY 1, 2, 3, 4, 5, 6 HAVING sum(amount) <> 0
    ) sums ON true
    ORDER BY 2, 3, 4, 5, 6, 7
"""
