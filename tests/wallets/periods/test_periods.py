"""A closed month takes no more entries; what arrives late is booked when it arrives; opening it again takes two people."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D

import pytest
from django.db import IntegrityError, connection, transaction
from psycopg.errors import CheckViolation

from metering.ingest.batch import ingest_batch
from metering.usage.close_periods import close_periods
from pricing.rating.explanation import PriceTerms
from tests.factories.balances import spend, wallet_of
from tests.factories.priced import sell, work
from wallets.accounts.models import User
from wallets.approvals.decide import OwnApproval, approve
from wallets.errors import InvalidInput
from wallets.ledger.models import JournalEntry
from wallets.periods.close import (
    ChecklistOpen,
    EarlierPeriodOpen,
    Finding,
    PeriodClosedAlready,
    PeriodNotOver,
    close_period,
)
from wallets.periods.models import PeriodClosing, PeriodProof
from wallets.periods.period import period_is_closed, period_of, periods_since_the_first
from wallets.periods.prove import last_proof, prove_period
from wallets.periods.reopen import LaterPeriodClosed, PeriodOpen, ask_to_reopen, reopen_approved
from wallets.statements.models import Statement, StatementLine

pytestmark = pytest.mark.django_db

SEPTEMBER = datetime(2026, 9, 20, tzinfo=UTC)
OCTOBER = datetime(2026, 10, 12, 9, tzinfo=UTC)
ENDED = datetime(2026, 11, 2, tzinfo=UTC)


def closed(month: datetime, by: User, *, at: datetime = ENDED) -> PeriodClosing:
    return close_period(period=period_of(month), findings=[], by=by, reason="Month end", at=at)


def test_a_closed_month_takes_no_entry_and_late_usage_is_booked_when_it_arrives(fiona: User) -> None:
    sell(PriceTerms(1, "per_unit", D(1), D(0)))
    wallet = wallet_of("acme", credit="100", at=OCTOBER)
    close_periods(at=ENDED)
    assert not period_is_closed(at=OCTOBER)
    closed(OCTOBER, fiona)
    assert period_is_closed(at=OCTOBER)
    assert not period_is_closed(at=ENDED)
    with pytest.raises(CheckViolation, match="its period is closed"), transaction.atomic():
        spend(wallet, "1", at=OCTOBER)
    result = ingest_batch(events=[work("late", 3, time=OCTOBER)], at=ENDED)
    assert result.accepted == 1
    assert JournalEntry.objects.order_by("-id")[0].at == ENDED
    close_periods(at=datetime(2026, 12, 2, tzinfo=UTC))
    late = StatementLine.objects.get(section="LATE_USAGE")
    assert (late.amount, late.statement.period_start.month) == (D(-3), 11)


def test_what_is_refused_before_a_month_is_closed(fiona: User) -> None:
    wallet_of("acme", credit="1", at=SEPTEMBER)
    with pytest.raises(PeriodNotOver):  # in Honolulu it is still October
        closed(OCTOBER, fiona, at=datetime(2026, 11, 1, 9, tzinfo=UTC))
    with pytest.raises(EarlierPeriodOpen, match="September 2026"):
        closed(OCTOBER, fiona)
    with pytest.raises(InvalidInput):
        close_period(period=period_of(SEPTEMBER), findings=[], by=fiona, reason=" ", at=ENDED)
    needed, soft = Finding("proof", "Proof", 1, "not run", must=True), Finding("approvals", "Approvals", 2, "2 wait")
    for findings, leave_open in (([needed], True), ([soft], False)):
        with pytest.raises(ChecklistOpen):
            close_period(period=period_of(SEPTEMBER), findings=findings, by=fiona, reason="r", at=ENDED, leave_open=leave_open)
    done = close_period(period=period_of(SEPTEMBER), findings=[soft], by=fiona, reason="r", at=ENDED, leave_open=True)
    assert done.checklist == [{"code": "approvals", "title": "Approvals", "open": 2, "said": "2 wait", "must": False}]
    with pytest.raises(PeriodClosedAlready):
        closed(SEPTEMBER, fiona)
    closed(OCTOBER, fiona)
    assert [period.name for period in periods_since_the_first(at=ENDED, most=9)] == [
        "November 2026", "October 2026", "September 2026",
    ]  # fmt: skip


def test_opening_it_again_takes_two_people_and_leaves_the_closing_as_it_was(fiona: User, apollo: User) -> None:
    wallet = wallet_of("acme", credit="1", at=SEPTEMBER)
    first, second = closed(SEPTEMBER, fiona), closed(OCTOBER, fiona)
    with pytest.raises(LaterPeriodClosed):
        ask_to_reopen(closing=first, by=fiona, reason="A wire was missed", at=ENDED)
    asked = ask_to_reopen(closing=second, by=fiona, reason="A wire was missed", at=ENDED)
    with pytest.raises(OwnApproval):
        approve(approval_id=asked.public_id, by=fiona, at=ENDED)
    with pytest.raises(IntegrityError, match="is not approved"), transaction.atomic():
        reopen_approved(approval=asked, at=ENDED)
    reopened = reopen_approved(approval=approve(approval_id=asked.public_id, by=apollo, at=ENDED), at=ENDED)
    assert (reopened.state, reopened.reopening_id, reopened.reason) == ("REOPENED", asked.pk, "Month end")
    spend(wallet, "1", at=OCTOBER)  # taken again
    with pytest.raises(PeriodOpen):
        ask_to_reopen(closing=reopened, by=fiona, reason="Again", at=ENDED)
    again = closed(OCTOBER, fiona)
    with pytest.raises(IntegrityError, match="is not approved"), transaction.atomic():  # one approval opens one closing
        PeriodClosing.objects.filter(pk=again.pk).update(state="REOPENED", reopening=asked, reopened_at=ENDED)
    for sql in ("DELETE FROM wallets_periodclosing", "UPDATE wallets_periodclosing SET reason = 'another'"):
        with pytest.raises(Exception, match="Cannot"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)


def test_a_period_is_proved_and_an_altered_entry_or_statement_is_named(fiona: User) -> None:
    sell(PriceTerms(1, "per_unit", D("0.5"), D(0)))
    wallet_of("acme", credit="100", at=OCTOBER)
    ingest_batch(events=[work("e1", 1, time=OCTOBER), work("e2", 2, time=OCTOBER)], at=OCTOBER)
    close_periods(at=ENDED)
    period = period_of(OCTOBER)
    proof = prove_period(period=period, at=ENDED, by=fiona)
    entries = JournalEntry.objects.count()
    assert (proof.faults, proof.checked, last_proof(period)) == (0, entries + 1, proof)
    with connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")  # as somebody who gets around the triggers
        cursor.execute("UPDATE wallets_journalentry SET reason = 'another' WHERE kind = 'GRANT'")
        cursor.execute("UPDATE wallets_statementline SET amount = amount + 1 WHERE section = 'USAGE'")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
    wrong = prove_period(period=period, at=ENDED, by=None)
    assert wrong.faults == 2
    assert any("is not what was posted" in one for one in wrong.offenders)
    assert any(Statement.objects.get().public_id in one for one in wrong.offenders)
    assert PeriodProof.objects.count() == 2
    with connection.cursor() as cursor:  # the invariants are proved after every test: put it back
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("UPDATE wallets_journalentry SET reason = '' WHERE kind = 'GRANT'")
        cursor.execute("UPDATE wallets_statementline SET amount = amount - 1 WHERE section = 'USAGE'")
        cursor.execute("SET LOCAL session_replication_role = DEFAULT")
