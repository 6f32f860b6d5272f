"""How often customers top up: who is steady like a subscription, who slows down, who stopped."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from wallets.ledger.days import journal_sums
from wallets.money import ZERO
from wallets.reports.report import Chart, Column, Figure, Ref, Report, Tie

COLUMNS: Final = (
    Column("account", "Account"),
    Column("top_ups", "Top-ups", "count"),
    Column("bought", "Bought", "amount"),
    Column("mean_gap", "Mean gap", "days"),
    Column("last_gap", "Last gap", "days"),
    Column("since_last", "Since the last", "days"),
    Column("last", "Last top-up", "date"),
    Column("trend", "Trend"),
)
STEADY_SPREAD: Final = Decimal("0.25")  # the gaps' standard deviation, of their mean
SLOWER: Final = Decimal("1.5")  # of the mean gap
STOPPED: Final = Decimal(3)
FEWEST: Final = 3  # top-ups, to speak of a trend
ORDER: Final = ("stopped", "slowing", "irregular", "quickening", "steady", "too few to say")


def read_top_up_cadence(*, as_of: datetime, currency: str) -> Report:
    """By account, those who stop or slow down first. A gap is the time between two grants of paid credit. Ties to sold
    credit."""
    with connection.cursor() as cursor:
        cursor.execute(_GAPS, {"at": as_of, "currency": currency})
        found = cursor.fetchall()
    rows = [_row(one, as_of) for one in found]
    rows.sort(key=lambda row: (ORDER.index(row[-1]), -row[2], str(row[0])))
    counts = [(name, Decimal(sum(row[-1] == name for row in rows))) for name in ORDER]
    bought = sum((row[2] for row in rows), ZERO)
    journal = journal_sums(end=as_of, currency=currency, kinds=["PREPAID_LIABILITY"])
    sold = sum((one.amount for one in journal if one.entry == "GRANT" and not one.contra), ZERO)
    return Report(
        currency=currency,
        total=Figure("Paid credit bought", bought),
        figures=[Figure(name.capitalize(), int(count), "count") for name, count in counts],
        columns=COLUMNS,
        rows=rows,
        ties=[Tie("Paid credit bought", bought, sold)],
        chart=Chart("Accounts by trend", counts, "count"),
        notes=(
            "Steady: gaps differ by less than a quarter of their mean, as a subscription's would.",
            "Slowing: the last gap, or the time since, is over one and a half mean gaps: a risk to lose the customer.",
            "Stopped: three mean gaps without a top-up.",
        ),
    )


def trend_of(*, top_ups: int, mean: Decimal | None, spread: Decimal | None, last: Decimal | None, since: Decimal) -> str:
    """One of ORDER, from gaps in days (None: fewer than two top-ups). Pure."""
    if top_ups < FEWEST or not mean or last is None:
        return "too few to say"
    if since > mean * STOPPED:
        return "stopped"
    if max(last, since) > mean * SLOWER:
        return "slowing"
    if last * SLOWER < mean:
        return "quickening"
    return "steady" if (spread or ZERO) <= mean * STEADY_SPREAD else "irregular"


def _row(one: tuple[Any, ...], as_of: datetime) -> list[Any]:
    account_id, key, count, bought, mean, spread, last_gap, last = one
    since = Decimal((as_of - last) // timedelta(seconds=1)) / 86_400
    trend = trend_of(top_ups=count, mean=mean, spread=spread, last=last_gap, since=since)
    day: date = last.date()
    return [Ref("account", account_id, key), count, bought, mean, last_gap, since, day, trend]


_GAPS: Final = """
    WITH bought AS (
        SELECT w.account_id, e.at, sum(p.amount) AS amount
        FROM wallets_creditlot l
        JOIN wallets_wallet w ON w.id = l.wallet_id AND w.currency = %(currency)s
        JOIN wallets_posting p ON p.lot_id = l.id AND p.lot_id IS NOT NULL AND p.contra_id IS NULL
        JOIN wallets_journalentry e ON e.id = p.entry_id AND e.bucket = p.bucket AND e.kind = 'GRANT' AND e.at < %(at)s
        WHERE l.kind = 'paid'
        GROUP BY w.account_id, e.id, e.at
    ), gaps AS (
        SELECT account_id, at, amount,
               extract(epoch FROM at - lag(at) OVER (PARTITION BY account_id ORDER BY at)) / 86400 AS gap
        FROM bought
    )
    SELECT g.account_id, a.key, count(*), sum(g.amount), avg(g.gap), stddev_pop(g.gap),
           (array_agg(g.gap ORDER BY g.at DESC))[1], max(g.at)
    FROM gaps g JOIN wallets_account a ON a.id = g.account_id
    GROUP BY g.account_id, a.key
    ORDER BY g.account_id
"""
