"""Wires become credit when the bank's line has the reference, the amount and the currency of what was expected; once."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from tests.cast import Company
from tests.factories.adjustments import may_alone
from tests.factories.balances import AT
from tests.factories.bank_lines import bank_line, row
from tests.factories.journal import figures
from tests.threads import at_once
from wallets.accounts.models import User
from wallets.approvals.decide import approve, decline
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.payments.bank_csv import LinesUnreadable, read_bank_lines, reference_in
from wallets.payments.bank_models import BankLine
from wallets.payments.models import TopUp
from wallets.payments.wire import (
    NotMatching,
    drop_match,
    expect_wire,
    ignore_line,
    match_line,
    pay_approved,
    reference_of,
    take_in,
)

pytestmark = pytest.mark.usefixtures("books_hold")
HEAD = "date,amount,currency,bank_id,payer,text\n"


def expected(company: Company, amount: str = "50") -> TopUp:
    wallet = Wallet.objects.select_related("account").get(pk=company.wallet.pk)
    return expect_wire(wallet=wallet, amount=D(amount), at=AT, actor="fiona@vendor.example")


@pytest.fixture
def clerk(fiona: User) -> User:
    """Fiona may take in 100 USD alone."""
    return may_alone(fiona, "100")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("PB-7K3M-9Q2X", "PB-7K3M-9Q2X"),
        ("Invoice 12 pb 7k3m 9q2x thank you", "PB-7K3M-9Q2X"),
        ("REF:PB7K3M9Q2X/ACME", "PB-7K3M-9Q2X"),
        ("PB-7K3M-9Q2", None),
        ("APB7K3M9Q2X", None),
        ("PB7K3M9Q2XX", None),
        ("PB-0K3M-9Q2X", None),
        ("", None),
    ],
)
def test_a_reference_is_found_however_it_was_written(text: str, found: str | None) -> None:
    assert reference_in(text) == found


@pytest.mark.parametrize(
    ("lines", "says"),
    [
        ("", "columns"),
        ("date,amount\n", "currency is missing"),
        (HEAD + "23.11.2026,50,USD,b_1,Acme,x", "Line 2: the date"),
        (HEAD + '2026-11-23,"1,50",USD,b_1,Acme,x', "Line 2: the amount"),
        (HEAD + "2026-11-23,NaN,USD,b_1,Acme,x", "Line 2: the amount"),
        (HEAD + "2026-11-23,1e40,USD,b_1,Acme,x", "Line 2: the amount"),
        (HEAD + "2026-11-23,50,usd,b_1,Acme,x", "Line 2: the currency"),
        (HEAD + "2026-11-23,50,USD,,Acme,x", "bank's own id"),
        (HEAD + "2026-11-23,50,USD,b_1,Acme,x\n2026-11-23,50,USD,b_1,Acme,x", "Line 3: b_1 stands there twice"),
    ],
)
def test_lines_that_cannot_be_read_are_refused_by_number(lines: str, says: str) -> None:
    with pytest.raises(LinesUnreadable, match=says):
        read_bank_lines(lines)


def test_outgoing_lines_are_left_out_and_semicolons_are_fine() -> None:
    text = "\ufeff" + HEAD.replace(",", ";") + "2026-11-23;50.10;USD;b_1;Acme;x\n2026-11-23;-9;USD;b_2;Rent;\n"
    assert [(one.bank_id, one.amount) for one in read_bank_lines(text)] == [("b_1", D("50.10"))]


def test_a_line_with_the_reference_is_credited_once(acme: Company, clerk: User) -> None:
    top_up = expected(acme)
    line = bank_line(by=clerk, text=f"thanks {reference_of(top_up)}")
    assert (line.state, line.top_up, figures(acme.wallet)) == ("MATCHED", top_up, (D(50), D(0)))
    again = take_in([row(text=reference_of(top_up))], by=clerk, at=AT)
    assert again[0].what == "taken in before"
    other = bank_line(by=clerk, text=reference_of(top_up), bank_id="b_2")
    assert (other.state, figures(acme.wallet)) == ("UNMATCHED", (D(50), D(0)))
    assert "paid before" in other.why


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"text": "for services"}, "no reference"),
        ({"text": "PB-2222-2222"}, "Nobody was given"),
        ({"amount": D(49)}, "is for 50.00 USD"),
        ({"currency": "EUR"}, "is for 50.00 USD"),
    ],
)
def test_what_does_not_fit_is_left_for_a_person(acme: Company, clerk: User, changes: dict[str, object], why: str) -> None:
    top_up = expected(acme)
    line = bank_line(by=clerk, **{"text": reference_of(top_up)} | changes)
    assert (line.state, figures(acme.wallet)) == ("UNMATCHED", (D(0), D(0)))
    assert why in line.why


def test_a_dry_run_leaves_nothing(acme: Company, clerk: User) -> None:
    top_up = expected(acme)
    taken = take_in([row(text=reference_of(top_up)), row(bank_id="b_2")], by=clerk, at=AT, dry_run=True)
    assert [one.what for one in taken] == [
        f"{reference_of(top_up)}: credited", "unmatched: There is no reference of ours in the text.",
    ]  # fmt: skip
    top_up.refresh_from_db()
    assert (BankLine.objects.count(), top_up.state, figures(acme.wallet)) == (0, "CREATED", (D(0), D(0)))


def test_by_hand_only_what_is_of_the_same_amount(acme: Company, clerk: User) -> None:
    line = bank_line(by=clerk)
    with pytest.raises(NotMatching, match=r"is for 60\.00"):
        match_line(line_id=line.public_id, top_up=expected(acme, "60"), by=clerk, at=AT)
    assert match_line(line_id=line.public_id, top_up=expected(acme), by=clerk, at=AT).state == "MATCHED"
    with pytest.raises(NotMatching):
        match_line(line_id=line.public_id, top_up=expected(acme), by=clerk, at=AT)
    with pytest.raises(NotMatching):
        ignore_line(line_id=line.public_id, why="Rent", at=AT)
    assert figures(acme.wallet) == (D(50), D(0))


def test_above_the_limit_another_person_approves(acme: Company, clerk: User, apollo: User) -> None:
    top_up = expected(acme, "500")
    line = bank_line(by=clerk, amount=D(500), text=reference_of(top_up))
    assert (line.state, figures(acme.wallet)) == ("WAITING", (D(0), D(0)))
    declined = decline(approval_id=Approval.objects.get().public_id, by=apollo, at=AT, answer="Look again")
    drop_match(approval=declined, at=AT)
    match_line(line_id=line.public_id, top_up=top_up, by=clerk, at=AT)
    approved = approve(approval_id=Approval.objects.get(state="WAITING").public_id, by=apollo, at=AT)
    assert pay_approved(approval=approved, at=AT).state == "MATCHED"
    assert figures(acme.wallet) == (D(500), D(0))
    with pytest.raises(NotMatching):
        pay_approved(approval=approved, at=AT)


def test_the_database_guards_lines(acme: Company, clerk: User) -> None:
    bank_line(by=clerk)
    with pytest.raises(IntegrityError, match="bank_line_matched_has_its_top_up"), transaction.atomic():
        BankLine.objects.update(state="MATCHED")
    with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
        BankLine.objects.update(amount=D(1))


@pytest.mark.django_db(transaction=True)
def test_one_reference_on_two_lines_taken_in_at_once_is_paid_once(acme: Company, fiona: User) -> None:
    clerk = may_alone(fiona, "100")
    reference = reference_of(expected(acme))
    lines = [row(text=reference), row(text=reference, bank_id="b_2")]
    at_once([lambda one=one: take_in([one], by=clerk, at=AT) for one in lines])  # type: ignore[misc]
    assert sorted(BankLine.objects.values_list("state", flat=True)) == ["MATCHED", "UNMATCHED"]
    assert figures(acme.wallet) == (D(50), D(0))
