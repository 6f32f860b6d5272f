"""The journal for bookkeeping: debits equal credits each day, accounts stand at their rounded balances, files as programs read
them (I10)."""

from __future__ import annotations

import csv
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.core.management import CommandError, call_command

from tests.factories.balances import AT, spend, wallet_of
from wallets.ledger.days import journal_sums
from wallets.money import round_to_minor_unit
from wallets.reports.general_ledger import GlExport, UnmappedAccounts, gl_lines
from wallets.reports.general_ledger_formats import NAMES, Datev, gl_file
from wallets.reports.models import ROUNDING, AccountCode

pytestmark = pytest.mark.django_db

TODAY = AT.date()
MADE_AT = datetime(2026, 12, 1, 8, 30, tzinfo=UTC)
CODES = {
    ("PREPAID_LIABILITY", ""): "3250", ("CASH_CLEARING", ""): "1370", ("CASH_CLEARING", "manual"): "1800",
    ("REVENUE", ""): "4400",    ("OVERDRAFT_RECEIVABLE", ""): "1200", (ROUNDING, ""): "6969",
}  # fmt: skip


@pytest.fixture(autouse=True)
def _three_days() -> None:
    """Usage in thousandths of a cent: each day's rounds by itself to another sum than all days together."""
    wallet = wallet_of("acme", credit="10")
    for day in range(3):
        spend(wallet, "0.003333", at=AT + timedelta(days=day))


@pytest.fixture
def codes() -> None:
    for (kind, qualifier), code in CODES.items():
        AccountCode.objects.create(kind=kind, qualifier=qualifier, code=code, name=f"Account {code}", cost_centre="")


def export(first: date = TODAY, last: date = TODAY + timedelta(days=2)) -> GlExport:
    return gl_lines(first_day=first, last_day=last, currency="USD")


def test_each_day_balances_and_each_account_stands_at_its_rounded_balance(codes: None) -> None:
    lines = export().lines
    days: dict[date, D] = defaultdict(D)
    accounts: dict[str, D] = defaultdict(D)
    for line in lines:
        assert (line.debit > 0) != (line.credit > 0)
        days[line.day] += line.signed
        accounts[line.account.code] += line.signed
    assert set(days.values()) == {D(0)}
    held = sum((one.amount for one in journal_sums(end=AT + timedelta(days=9), kinds=["PREPAID_LIABILITY"])), D(0))
    assert held == D("9.990001")
    assert accounts["3250"] == -round_to_minor_unit(held, "USD") == D("-9.99")
    assert accounts["1800"] == D(10)
    # What is exported day by day is what is exported at once.
    apart = [line for day in range(3) for line in export(TODAY + timedelta(days=day), TODAY + timedelta(days=day)).lines]
    assert apart == lines


def test_what_has_no_code_is_named_or_goes_to_suspense() -> None:
    with pytest.raises(UnmappedAccounts, match=r"cash_clearing:manual, prepaid_liability, revenue.*rounding"):
        export()
    found = gl_lines(first_day=TODAY, last_day=TODAY, currency="USD", suspense="9999")
    assert {line.account.code for line in found.lines} <= {"9999"}


@pytest.mark.parametrize("program", NAMES)
def test_files_say_the_same_as_the_lines(codes: None, program: str) -> None:
    said = export()
    text = "".join(gl_file(said, format_=program, made_at=MADE_AT, datev=Datev("29098", "55003", 4, 1, "1590")))
    if program == "datev":
        head, heading, *rows = text.split("\r\n")[:-1]
        assert head.startswith(
            '"EXTF";700;21;"Buchungsstapel";13;20261201083000000;;"RE";"";"";29098;55003;20260101;4;20261123;20261125;'
        )
        assert len(head.split(";")) == 31
        assert {len(row.split(";")) for row in (heading, *rows)} == {37}
        signed = sum(D(row.split(";")[0].replace(",", ".")) * (1 if row.split(";")[1] == '"S"' else -1) for row in rows)
        assert (len(rows), signed, {row.split(";")[7] for row in rows}) == (len(said.lines), 0, {"1590"})
        return
    rows = list(csv.DictReader(text.splitlines()))
    assert len(rows) == len(said.lines)
    if program == "xero":
        assert sum(D(row["*Amount"]) for row in rows) == 0
        assert rows[0]["*Date"] == "23/11/2026"
    else:
        debit, credit = {"csv": ("debit", "credit"), "quickbooks": ("Debits", "Credits"), "netsuite": ("Debit", "Credit")}[
            program
        ]
        assert sum(D(row[debit] or 0) for row in rows) == said.debits == sum(D(row[credit] or 0) for row in rows)


def test_the_command_prints_the_file_and_says_what_is_missing(codes: None, capsys: pytest.CaptureFixture[str]) -> None:
    days = {"first": TODAY, "last": TODAY}
    call_command("gl_export", **days)
    assert capsys.readouterr().out.startswith("date,account,name,cost_centre,debit,credit,currency")
    AccountCode.objects.all().delete()
    with pytest.raises(CommandError, match="have no account code"):
        call_command("gl_export", **days)
