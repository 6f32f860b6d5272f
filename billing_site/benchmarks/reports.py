"""How long a report and the front page take, at the roll-ups and the journal of so many events, on servers of its own.

The events themselves are not stored: no report reads them but three (by price version, by tag, not charged), which say so
and are not asked for what they would have to read. What reports do read is all there: usage by account, meter, hour, model and
endpoint, and a journal entry an account and hour, with its postings. Each page is asked for by the Django test client; the
reference is the list of reports, a page that reads next to nothing.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection, transaction
from django.test import Client

from billing_site.backoffice.reports import REPORTS
from billing_site.benchmarks.vendor import MODELS, set_vendor_up
from metering.usage.days import roll_up_usage
from wallets.accounts.models import User
from wallets.ledger.chart import Kind, chart_account
from wallets.ledger.days import roll_up_journal

ACCOUNTS: Final = 1_000
DAYS: Final = 60
ENDPOINTS: Final = ("/v1/chat/completions", "/v1/messages", "/v1/embeddings", "/v1/images")
METERS: Final = ("llm.input_tokens", "llm.output_tokens")
ROUNDS: Final = 9
NOT_ASKED: Final = ("chargeback",)
EVENTS_PER_ROW: Final = 7


def measure_reports(*, at: datetime, events: int, tell: Callable[[str], object]) -> dict[str, float]:
    """Milliseconds of each report, median of nine; of the front page; of the reference, and how many times that each takes."""
    accounts = max(1, min(ACCOUNTS, events // 100))
    tell(f"{accounts:,} accounts")
    set_vendor_up(accounts=accounts, at=at - timedelta(days=DAYS + 1))
    hours = DAYS * 24
    of_account = max(1, events * len(METERS) // (accounts * EVENTS_PER_ROW * len(METERS)))  # rows of a meter
    every = max(1, hours * len(MODELS) // of_account)  # an account uses each model in every so many hours
    end = at.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    tell(f"usage and journal of {events:,} events over {DAYS} days")
    _generate(start=end - timedelta(hours=hours), end=end, every=every)
    tell("days are added up")
    while roll_up_journal(at=at) + roll_up_usage(at=at):
        pass
    with connection.cursor() as cursor:
        cursor.execute("VACUUM ANALYZE")
    browser = Client(SERVER_NAME="localhost")
    browser.force_login(User.objects.create_superuser("bench@vendor.example", "bench"))
    reference = _median(browser, "/admin/reports/")
    figures = {"events": float(_events()), "reference_ms": reference}
    pages = {"front_page": "/admin/"} | {
        slug.replace("-", "_"): f"/admin/reports/{slug}/" for slug in REPORTS if slug not in NOT_ASKED
    }
    for name, address in pages.items():
        figures[f"{name}_ms"] = _median(browser, address)
        figures[f"{name}_over_reference"] = figures[f"{name}_ms"] / reference
        tell(f"{name}: {figures[f'{name}_ms']:.0f} ms")
    figures["longest_ms"] = max(figures[f"{name}_ms"] for name in pages)
    return figures


def _median(browser: Client, address: str) -> float:
    took = []
    for _ in range(ROUNDS + 1):
        began = time.perf_counter()
        answer = browser.get(address)
        took.append((time.perf_counter() - began) * 1000)
        if answer.status_code != 200:  # noqa: PLR2004 - found
            raise RuntimeError(f"{address} was answered {answer.status_code}")
    return statistics.median(took[1:])


def _events() -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT sum(events) / %s FROM metering_hourlyusage", [len(METERS)])
        return int(cursor.fetchone()[0] or 0)


def _generate(*, start: datetime, end: datetime, every: int) -> None:
    """Straight into the tables, triggers aside: what a million transactions would have left."""
    with transaction.atomic(), connection.cursor() as cursor:
        for meter in METERS:
            chart_account(Kind.REVENUE, "USD", meter)
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute(
            _USAGE,
            {
                "start": start,
                "last": end - timedelta(hours=1),
                "every": every,
                "models": list(MODELS),
                "endpoints": list(ENDPOINTS),
                "meters": list(METERS),
                "events": EVENTS_PER_ROW,
            },
        )
        # Nobody has looked at these tables yet: PostgreSQL would take them for empty, and go through them in circles.
        cursor.execute("ANALYZE metering_hourlyusage, wallets_wallet, wallets_creditlot")
        cursor.execute(_ENTRIES)
        cursor.execute("ANALYZE of_hour")
        cursor.execute(_POSTINGS)
        cursor.execute(_LOTS)
        cursor.execute(_WALLETS)


_USAGE: Final = """
    INSERT INTO metering_hourlyusage (bucket, account_id, meter_id, hour, currency, dimensions, events, quantity, amount, cost)
    SELECT a.bucket, a.id, m.id, h.hour, 'USD',
           jsonb_build_object('model', k.model, 'endpoint', (%(endpoints)s::text[])[1 + (a.id + k.place) %% 4]),
           %(events)s, %(events)s * 800, %(events)s * 0.000731 * k.place, %(events)s * 0.000412 * k.place
    FROM generate_series(%(start)s, %(last)s, interval '1 hour') WITH ORDINALITY AS h(hour, number)
    CROSS JOIN wallets_account a
    CROSS JOIN unnest(%(models)s::text[]) WITH ORDINALITY AS k(model, place)
    JOIN pricing_meter m ON m.code = ANY(%(meters)s)
    WHERE (h.number + a.id + k.place) %% %(every)s = 0
"""
_ENTRIES: Final = """
    CREATE TEMPORARY TABLE of_hour ON COMMIT DROP AS
    SELECT u.account_id, u.meter_id, u.hour, sum(u.amount) AS amount,
           dense_rank() OVER (ORDER BY u.hour, u.account_id) + (SELECT max(id) FROM wallets_journalentry) AS entry_id
    FROM metering_hourlyusage u GROUP BY u.account_id, u.meter_id, u.hour;
    INSERT INTO wallets_journalentry (id, bucket, wallet_id, wallet_version, kind, currency, at, balance_after, overdraft_after,
                                      reference, reason, actor, hash)
    SELECT o.entry_id, w.bucket, w.id, w.version + row_number() OVER (PARTITION BY w.id ORDER BY o.entry_id), 'USAGE', 'USD',
           o.hour + interval '59 minutes', 0, 0, '', '', '', ''
    FROM (SELECT DISTINCT account_id, hour, entry_id FROM of_hour) o
    JOIN wallets_wallet w ON w.account_id = o.account_id
    ORDER BY o.entry_id
"""
_POSTINGS: Final = """
    INSERT INTO wallets_posting (bucket, entry_id, line, ledger_account_id, contra_id, lot_id, currency, amount, line_from)
    SELECT w.bucket, o.entry_id,
           2 * (row_number() OVER (PARTITION BY o.entry_id ORDER BY o.meter_id) - 1) + s.side,
           CASE s.side WHEN 0 THEN held.id ELSE earned.id END, CASE s.side WHEN 0 THEN earned.id END,
           CASE s.side WHEN 0 THEN l.id END, 'USD', CASE s.side WHEN 0 THEN -o.amount ELSE o.amount END,
           CASE s.side WHEN 0 THEN 0 END
    FROM of_hour o
    JOIN wallets_wallet w ON w.account_id = o.account_id
    JOIN wallets_creditlot l ON l.wallet_id = w.id AND l.kind = 'paid'
    JOIN pricing_meter m ON m.id = o.meter_id
    JOIN wallets_ledgeraccount earned ON (earned.kind, earned.qualifier, earned.currency) = ('REVENUE', m.code, 'USD')
    JOIN wallets_ledgeraccount held ON (held.kind, held.qualifier, held.currency) = ('PREPAID_LIABILITY', '', 'USD')
    CROSS JOIN (VALUES (0), (1)) AS s(side)
    ORDER BY o.entry_id
"""
_LOTS: Final = """
    UPDATE wallets_creditlot l SET remaining = p.amount
    FROM (SELECT lot_id, sum(amount) AS amount FROM wallets_posting WHERE lot_id IS NOT NULL GROUP BY lot_id) p
    WHERE p.lot_id = l.id
"""
_WALLETS: Final = """
    UPDATE wallets_wallet w SET balance = s.balance, version = s.version
    FROM (SELECT e.wallet_id, max(e.wallet_version) AS version,
                 (SELECT sum(remaining) FROM wallets_creditlot l WHERE l.wallet_id = e.wallet_id) AS balance
          FROM wallets_journalentry e GROUP BY e.wallet_id) s
    WHERE s.wallet_id = w.id
"""
