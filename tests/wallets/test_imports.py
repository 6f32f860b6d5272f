"""Opening balances by a file: nothing in a dry run, all or nothing, once, and adding up to what the source says."""

from __future__ import annotations

from decimal import Decimal as D
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from tests.factories.balances import AT, wallet_of
from wallets.audit.models import AuditEvent
from wallets.credit.models import CreditLot
from wallets.errors import InvalidInput
from wallets.imports.models import CreditImport
from wallets.imports.read_rows import RowsUnreadable
from wallets.imports.take_in import TakenInBefore, TotalsDiffer, import_credit, plan_import
from wallets.ledger.days import journal_sums

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

HEAD = "account,currency,kind,amount,price_paid,expires_at,reference\n"
FINE = HEAD + "globex,USD,paid,20.50,18,2099-01-01T00:00:00Z,OLD-2\nacme,USD,paid,100,,,OLD-1\nacme,USD,promotional,5,,,OLD-3\n"
TOTALS = {"USD": D("125.50")}


@pytest.fixture(autouse=True)
def _customers() -> None:
    wallet_of("acme")
    wallet_of("globex")


def take(text: str, totals: dict[str, D] = TOTALS) -> CreditImport:
    return import_credit(text=text, totals=totals, name="old.csv", reason="Moved from the old system", actor="test", at=AT)


def test_a_dry_run_says_what_would_come_in_and_changes_nothing() -> None:
    plan = plan_import(text=FINE, totals=TOTALS)
    assert (plan.rows, plan.wallets, plan.totals) == (3, 2, TOTALS)
    assert not CreditLot.objects.exists()


def test_all_rows_come_in_once_against_the_account_of_opening_balances() -> None:
    run = take(FINE)
    lots = list(CreditLot.objects.order_by("reason").values_list("wallet__account__key", "kind", "amount", "price_paid"))
    assert lots == [("acme", "paid", 100, 100), ("globex", "paid", D("20.5"), 18), ("acme", "promotional", 5, 0)]
    cash = [one for one in journal_sums(end=AT.replace(year=2027), kinds=["CASH_CLEARING"]) if one.amount]
    assert [(one.qualifier, one.amount) for one in cash] == [("opening_balance", D(-118))]
    assert AuditEvent.objects.get(action="import_credit").after["rows"] == run.rows == 3
    with pytest.raises(TakenInBefore):
        take(FINE)


def test_a_file_that_does_not_add_up_to_its_source_is_refused() -> None:
    with pytest.raises(TotalsDiffer, match=r"The source says 125\.51 USD; the file adds up to 125\.50 USD"):
        take(FINE, {"USD": D("125.51")})
    with pytest.raises(InvalidInput):
        import_credit(text=FINE, totals=TOTALS, name="old.csv", reason=" ", actor="test", at=AT)
    assert not CreditLot.objects.exists()


@pytest.mark.parametrize(
    ("row", "named"),
    [
        ("nobody,USD,paid,100,,,X", "line 4: account"),
        ("acme,EUR,paid,100,,,X", "line 4: account"),
        ("acme,USD,plan,100,,,X", "line 4: kind"),
        ("acme,USD,paid,-1,,,X", "line 4: amount"),
        ("acme,USD,paid,1e,,,X", "line 4: amount"),
        ("acme,USD,paid,0.0000000000001,,,X", "line 4: amount"),
        ("acme,USD,paid,1,2027-01-01,soon,X", "line 4: expires_at"),
        ("acme,USD,paid,1,,2027-01-01T00:00:00,X", "line 4: expires_at"),
        ("acme,USD,paid,1,,,OLD-1", "line 4: reference"),
        ("acme,USD,paid,1,,2001-01-01T00:00:00Z,X", "line 4: expires_at"),
        ("acme,USD,trial,1,3,,X", "line 4: price_paid"),
    ],
)
def test_a_wrong_row_is_named_by_line_and_field_and_nothing_comes_in(row: str, named: str) -> None:
    text = HEAD + "acme,USD,paid,1,,,OLD-1\nglobex,USD,paid,1,,,OLD-2\n" + row + "\n"
    amount = row.split(",")[3]
    totals = {"USD": D(2) + D(amount)} if amount in {"1", "100"} and "EUR" not in row else {"USD": D(2), "EUR": D(100)}
    with pytest.raises(RowsUnreadable) as refused:
        take(text, totals)
    assert named in refused.value.fields
    assert not CreditLot.objects.exists()
    assert not CreditImport.objects.exists()


def test_the_command_does_nothing_until_it_is_told_to(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "old.csv"
    file.write_text(FINE)
    call_command("import_credit", str(file), total=["USD=125.50"])
    assert "3 rows for 2 wallets: 125.50 USD\nNothing was changed" in capsys.readouterr().out
    call_command("import_credit", str(file), total=["USD=125.50"], reason="Moved", apply=True)
    assert "Done: 3 rows." in capsys.readouterr().out
    with pytest.raises(CommandError, match="before"):
        call_command("import_credit", str(file), total=["USD=125.50"], reason="Moved", apply=True)
