"""Every report over the demo company's sixty days: its total is what SQL over the journal alone says, and it ties."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import connection
from django.test import Client

from billing_site.backoffice.reports import REPORTS
from billing_site.demo.company import seed_demo
from metering.usage.days import roll_up_usage, usage_days_hold
from tests.factories.shop import browser_of
from wallets import clock
from wallets.accounts.models import User
from wallets.ledger.days import journal_days_hold, roll_up_journal
from wallets.reports.report import Report

pytestmark = pytest.mark.django_db(transaction=True)

AT = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
START = datetime(2026, 10, 5, tzinfo=UTC)
END = datetime(2026, 11, 20, tzinfo=UTC)

POSTED = """SELECT coalesce(sum(p.amount), 0) FROM wallets_posting p JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id
            JOIN wallets_journalentry e ON e.id = p.entry_id WHERE a.currency = 'USD' AND """
BEFORE = f"e.at < '{END.isoformat()}'"
DURING = f"e.at >= '{START.isoformat()}' AND {BEFORE}"
HELD = "a.kind IN ('PREPAID_LIABILITY', 'PROMOTIONAL_LIABILITY')"
# Usage belongs to the hour of its event: charges, with the entries that drew them.
CHARGED = f"""SELECT coalesce(sum({{}}), 0) FROM metering_charge c JOIN metering_usageevent v ON v.id = c.event_id
             JOIN wallets_wallet w ON w.id = c.wallet_id AND w.currency = 'USD'
             WHERE v.time >= '{START.isoformat()}' AND v.time < '{END.isoformat()}'"""
WEEK_BEFORE = f"""SELECT coalesce(sum(c.amount), 0) FROM metering_charge c JOIN metering_usageevent v ON v.id = c.event_id
             JOIN wallets_wallet w ON w.id = c.wallet_id AND w.currency = 'USD'
             WHERE v.time >= '{(END - timedelta(days=7)).isoformat()}' AND v.time < '{END.isoformat()}'"""


def total(report: Report) -> D:
    return D(report.total.value)


def figure(label: str) -> Callable[[Report], D]:
    return lambda report: next(D(one.value) for one in report.figures if one.label == label)


# What a report says, and the SQL that says the same.
SAID: dict[str, tuple[Callable[[Report], D], str]] = {
    "liability": (
        total,
        f"{POSTED} a.kind IN ('PREPAID_LIABILITY', 'PROMOTIONAL_LIABILITY', 'OVERDRAFT_RECEIVABLE') AND {BEFORE}",
    ),
    "deferred-revenue": (total, f"{POSTED} a.kind = 'PREPAID_LIABILITY' AND {BEFORE}"),
    "breakage": (total, f"{POSTED} a.kind = 'BREAKAGE' AND {DURING}"),
    "promotional-cost": (lambda report: -total(report), f"{POSTED} a.kind = 'PROMOTIONAL_COST' AND {DURING}"),
    "expiry": (total, f"{POSTED} {HELD} AND {BEFORE}"),
    "ageing": (total, f"{POSTED} {HELD} AND {BEFORE}"),
    "over-bought": (lambda report: report.ties[0].report, f"{POSTED} {HELD} AND {BEFORE}"),
    "receivables": (lambda report: -total(report), f"{POSTED} a.kind = 'OVERDRAFT_RECEIVABLE' AND {BEFORE}"),
    "cadence": (total, f"{POSTED} a.kind = 'PREPAID_LIABILITY' AND e.kind = 'GRANT' AND p.contra_id IS NULL AND {BEFORE}"),
    "recharges": (
        lambda report: -report.ties[0].journal,
        f"""{POSTED} a.kind = 'CASH_CLEARING' AND a.qualifier IN (SELECT provider FROM wallets_topup) AND e.kind = 'GRANT'
             AND {DURING}""",
    ),
    "revenue": (total, CHARGED.format("c.amount")),
    "margin": (total, CHARGED.format("c.amount - c.cost")),
    "run-out": (figure("All usage, last 7 days"), WEEK_BEFORE),
    "doubled": (figure("All usage, last 7 days"), WEEK_BEFORE),
    "routes": (total, CHARGED.format("c.amount")),
    "customers-by-route": (figure("Revenue"), CHARGED.format("c.amount")),
    "chargeback": (
        total,
        f"{CHARGED.format('c.amount')} AND v.account_id = (SELECT id FROM wallets_account WHERE key = 'acme')",
    ),
    "refusals": (total, "SELECT coalesce(sum(amount), 0) FROM metering_refusedrevenue WHERE currency = 'USD'"),
    "unbilled": (
        total,
        f"SELECT count(*) FROM metering_deadletter WHERE replayed_at IS NULL AND parked_at < '{END.isoformat()}'",
    ),
}


def said_by(sql: str) -> D:
    with connection.cursor() as cursor:
        cursor.execute(sql)
        return D(cursor.fetchone()[0])


def read(slug: str) -> Report:
    kind = REPORTS[slug]
    arguments: dict[str, Any] = {"start": START, "end": END} if kind.spans else {"as_of": END}
    if slug == "chargeback":
        arguments |= {"account": "acme", "by": "model"}
    return kind.read(currency="USD", **arguments)


def test_each_report_says_what_the_journal_says(subtests: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seed_demo(at=AT, seed=7, days=60, events=1_200)
    assert SAID.keys() == REPORTS.keys()
    before = {slug: read(slug) for slug in REPORTS}
    assert sum(roll_up_journal(at=AT) + roll_up_usage(at=AT) for _ in range(3)) > 100
    assert journal_days_hold().holds
    assert usage_days_hold().holds
    for slug, (answer, sql) in SAID.items():
        report = read(slug)
        with subtests.test(slug):
            assert answer(report) == said_by(sql)
            assert [tie.difference for tie in report.ties] == [0] * len(report.ties)
            assert [list(map(str, row)) for row in report.rows] == [list(map(str, row)) for row in before[slug].rows], (
                "read from days that are added up, and from postings"
            )
    assert {slug for slug in REPORTS if not read(slug).rows} == {"recharges", "refusals", "unbilled"}
    monkeypatch.setattr(clock, "now", lambda: AT)
    pages_and_files(browser_of(User.objects.get(email="fiona@northwind.example")), subtests)


def pages_and_files(finance: Client, subtests: Any) -> None:
    for slug, kind in REPORTS.items():
        asked = {"first_day": "2026-10-05", "last_day": "2026-11-19", "as_of": "2026-11-19", "account": "acme"}
        asked |= {"by": "model"} if slug == "chargeback" else {}
        address = f"/admin/reports/{slug}/"
        with subtests.test(address):
            page = finance.get(address, asked)
            assert page.status_code == 200
            text = page.content.decode()
            assert kind.question.replace("'", "&#x27;") in text
            assert "does not tie" not in text
            table = b"".join(finance.get(address, asked | {"format": "csv"}).streaming_content).decode().splitlines()  # type: ignore[attr-defined]
            assert len(table) == len(read(slug).rows) + 1
            sheet = finance.get(address, asked | {"format": "xlsx"})
            assert "xl/worksheets/sheet1.xml" in zipfile.ZipFile(io.BytesIO(sheet.content)).namelist()
