"""A credit note takes back what lines of a statement charged, to the lots it came from, once; the statement stays as it is."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import IntegrityError, connection, transaction
from django.db.utils import DatabaseError

from metering.ingest.batch import ingest_batch
from metering.usage.close_periods import close_periods
from metering.usage.credit_notes import CreditNoteOutdated, ask_credit_note, issue_approved, preview_credit_note
from metering.usage.statement_events import events_behind
from metering.usage.void import void_event
from pricing.rating.explanation import PriceTerms
from tests.factories.adjustments import may_alone
from tests.factories.balances import wallet_of
from tests.factories.events import event_pk
from tests.factories.priced import sell, work
from wallets.accounts.models import User
from wallets.approvals.decide import approve
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.errors import InvalidInput
from wallets.statements.credit_note import NothingToCredit, Why
from wallets.statements.models import Statement, StatementLine

pytestmark = pytest.mark.django_db

OCTOBER = datetime(2026, 10, 12, 9, tzinfo=UTC)
ENDED = datetime(2026, 11, 2, tzinfo=UTC)
WHY = Why("Billed twice", "The gateway sent each call twice on 12 October")


@pytest.fixture
def statement() -> Statement:
    """October of acme: 2 of promotional credit and 10 of paid, 5 used on model a, 3 on model b."""
    sell(PriceTerms(1, "per_unit", D("0.5"), D(0)))
    wallet = wallet_of("acme", credit="10", at=OCTOBER)
    grant_credit(wallet_id=wallet.pk, amount=D(2), kind="promotional", at=OCTOBER, priority=1)
    events = [
        work("a1", 4, time=OCTOBER, model="a"),
        work("a2", 6, time=OCTOBER, model="a"),
        work("b1", 6, time=OCTOBER, model="b"),
    ]
    ingest_batch(events=events, at=OCTOBER)
    close_periods(at=ENDED)
    return Statement.objects.select_related("wallet__account").get()


def position_of(statement: Statement, model: str) -> int:
    return int(statement.lines.get(detail=model).position)


def lots() -> dict[str, D]:
    return dict(CreditLot.objects.values_list("kind", "remaining"))


def test_each_line_opens_the_events_it_adds_up(statement: Statement) -> None:
    for line in statement.lines.filter(section="USAGE"):
        behind = list(events_behind(statement=statement, position=line.position))
        assert sum(event.amount for event in behind) == -line.amount
        assert sum(event.quantity for event in behind) == line.quantity
        assert len(behind) == line.events
    assert [event.event_id for event in events_behind(statement=statement)] == ["a1", "a2", "b1"]
    void_event(event_pk=event_pk("a1"), at=ENDED)
    assert [event.taken_back for event in events_behind(statement=statement)] == [True, False, False]


def test_a_line_goes_back_to_the_lots_it_came_from_and_the_next_statement_says_so(statement: Statement, fiona: User) -> None:
    assert lots() == {"paid": D(4), "promotional": D(0)}
    may_alone(fiona, "100")
    before = list(statement.lines.order_by("position").values_list("label", "amount"))
    (seen,) = preview_credit_note(statement=statement, positions=[position_of(statement, "a")], at=ENDED)
    assert (seen.amount, seen.quantity, seen.events, lots()["paid"]) == (D(5), D(10), 2, D(4))
    note = ask_credit_note(statement=statement, positions=[position_of(statement, "a")], why=WHY, by=fiona, at=ENDED)
    assert (note.state, note.public_number, note.amount) == ("ISSUED", "MAIN-CN-2026-000001", D(5))
    assert lots() == {"paid": D(7), "promotional": D(2)}
    assert list(statement.lines.order_by("position").values_list("label", "amount")) == before
    with pytest.raises(NothingToCredit):
        ask_credit_note(statement=statement, positions=[position_of(statement, "a")], why=WHY, by=fiona, at=ENDED)
    void_event(event_pk=event_pk("a1"), at=ENDED)  # has nothing left to give back
    assert lots() == {"paid": D(7), "promotional": D(2)}
    close_periods(at=datetime(2026, 12, 2, tzinfo=UTC))
    late = StatementLine.objects.get(section="LATE_USAGE")
    assert (late.amount, late.detail) == (D(5), "a")


def test_single_events_of_a_line_are_credited(statement: Statement, fiona: User) -> None:
    may_alone(fiona, "100")
    where: dict[str, Any] = {
        "statement": statement,
        "positions": [position_of(statement, "a")],
        "why": WHY,
        "by": fiona,
        "at": ENDED,
    }
    with pytest.raises(InvalidInput, match="'b1' is not on these lines"):
        ask_credit_note(only=["b1"], **where)
    note = ask_credit_note(only=["a2"], **where)
    assert (note.amount, [one.event_id for one in note.credited.all()]) == (D(3), [event_pk("a2")])
    rest = ask_credit_note(**where)
    assert (rest.amount, rest.public_number) == (D(2), "MAIN-CN-2026-000002")
    with pytest.raises(InvalidInput):
        ask_credit_note(**(where | {"positions": [99]}))


def test_above_the_limit_it_waits_and_what_changed_meanwhile_is_not_credited(
    statement: Statement, fiona: User, apollo: User
) -> None:
    positions = [position_of(statement, "a"), position_of(statement, "b")]
    note = ask_credit_note(statement=statement, positions=positions, why=WHY, by=fiona, at=ENDED)
    assert (note.state, note.public_number, lots()["paid"]) == ("WAITING", "", D(4))
    approval = Approval.objects.get(kind="credit_note")
    assert (approval.amount, approval.subject) == (D(8), note.public_id)
    with pytest.raises(IntegrityError, match="is not approved"), transaction.atomic():
        issue_approved(approval=approval, at=ENDED)
    void_event(event_pk=event_pk("b1"), at=ENDED)
    approved = approve(approval_id=approval.public_id, by=apollo, at=ENDED)
    with pytest.raises(CreditNoteOutdated), transaction.atomic():
        issue_approved(approval=approved, at=ENDED)
    note.refresh_from_db()
    assert (note.state, Wallet.objects.get().balance) == ("WAITING", D(7))


def test_an_issued_note_is_never_changed(statement: Statement, fiona: User) -> None:
    may_alone(fiona, "100")
    ask_credit_note(statement=statement, positions=[position_of(statement, "a")], why=WHY, by=fiona, at=ENDED)
    for sql in (
        "UPDATE wallets_creditnote SET amount = 1",
        "UPDATE wallets_creditnote SET state = 'DECLINED'",
        "DELETE FROM wallets_creditnote",
        "UPDATE wallets_creditnoteline SET amount = 1",
        "DELETE FROM wallets_creditedcharge",
        "UPDATE wallets_creditedcharge SET line = line + 1",
    ):
        with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(sql)
