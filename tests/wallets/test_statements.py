"""A statement on the screen, as PDF, as a table and over the API says the same."""

from __future__ import annotations

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal as D

import pytest

from metering.ingest.batch import ingest_batch
from metering.usage.close_periods import close_periods
from pricing.rating.explanation import PriceTerms
from tests.cast import Api
from tests.factories.balances import wallet_of
from tests.factories.priced import sell, work
from wallets.credit.grant import grant_credit
from wallets.statements.document import read_document
from wallets.statements.models import Statement
from wallets.statements.render_csv import render_csv
from wallets.statements.render_pdf import render_pdf

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2026, 10, 12, 9, tzinfo=UTC)
ENDED = datetime(2026, 11, 2, tzinfo=UTC)


def issued(key: str = "acme", *, currency: str = "USD", price: str = "0.333", n: int = 3) -> Statement:
    sell(PriceTerms(1, "per_unit", D(price), D(0)))
    wallet = wallet_of(key, credit="100", currency=currency, at=OCTOBER)
    grant_credit(wallet_id=wallet.pk, amount=D(1), kind="promotional", at=OCTOBER, reason="=SUM(A1)")
    ingest_batch(events=[work(f"{key}-{i}", i + 1, account=key, time=OCTOBER, model=f"m{i}") for i in range(n)], at=OCTOBER)
    close_periods(at=ENDED)
    return Statement.objects.select_related("wallet__account").get(wallet=wallet)


def test_the_document_prints_rounded_lines_and_says_what_rounding_came_to() -> None:
    document = read_document(issued())
    # 0.333, 0.666 and 0.999: printed as 0.33, 0.67 and 1.00, together 2.00; the balance falls by 1.998, printed 2.00.
    assert [str(line.rounded.normalize()) for line in document.sections[2].lines] == ["-1", "-0.67", "-0.33"]
    assert (document.opening, document.closing, document.rounding) == (D("0.00"), D("99.00"), D("0.00"))
    assert [section.title for section in document.sections] == ["Top-ups", "Credit from us", "Usage"]
    assert document.period == "October 2026"


def test_the_pdf_is_one_and_the_same_each_time() -> None:
    document = read_document(issued())
    pdf = render_pdf(document)
    assert pdf.startswith(b"%PDF-")
    assert pdf == render_pdf(document)
    assert b"/StructTreeRoot" in pdf  # tagged, for screen readers (ISO 14289-1)


def test_the_table_adds_up_and_holds_no_formula() -> None:
    rows = list(csv.DictReader(io.StringIO(render_csv(read_document(issued())))))
    opening, *between, closing = rows
    assert D(opening["amount"]) + sum(D(row["amount"]) for row in between) == D(closing["amount"])
    assert not any(value.startswith("=") for row in rows for value in row.values())
    assert [row["detail"] for row in rows if row["section"] == "USAGE"] == ["m2", "m1", "m0"]


def test_the_api_lists_reads_and_renders(vendor: Api) -> None:
    statement = issued()
    (row,) = vendor.get("/accounts/acme/statements").json()["data"]
    assert (row["id"], row["opening_balance"], row["closing_balance"]) == (
        statement.public_id, "0.00", "99.002",
    )  # fmt: skip
    whole = vendor.get(f"/statements/{statement.public_id}").json()
    exact = [D(line["exact_amount"]) for section in whole["sections"] for line in section["lines"]]
    assert D(whole["opening_balance"]) + sum(exact) == D(whole["closing_balance"])
    pdf = vendor.get(f"/statements/{statement.public_id}.pdf")
    assert (pdf["Content-Type"], pdf.content[:5]) == ("application/pdf", b"%PDF-")
    assert vendor.get(f"/statements/{statement.public_id}.csv")["Content-Disposition"].endswith(
        f'{statement.public_number}.csv"'
    )


@pytest.mark.parametrize(("currency", "printed"), [("JPY", "99"), ("KWD", "99.002")])
def test_the_smallest_coin_is_the_currencys(currency: str, printed: str) -> None:
    wallet = wallet_of("acme", credit="99", currency=currency, at=OCTOBER)
    grant_credit(wallet_id=wallet.pk, amount=D("0.0020001"), kind="promotional", at=OCTOBER)
    close_periods(at=ENDED)
    assert str(read_document(Statement.objects.get()).closing) == printed
