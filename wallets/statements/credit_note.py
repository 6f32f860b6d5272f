"""Write a credit note, and give it its number when the credit is back. Whoever knows usage takes the charges back and hands the
lines down (`metering/usage/credit_notes.py`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet

from wallets.accounts.models import Account, User
from wallets.accounts.parties import buyer_text, seller_text
from wallets.approvals.decide import request_approval
from wallets.approvals.models import Approval
from wallets.errors import Conflict, NotFound
from wallets.input import Input
from wallets.money import ZERO, round_to_minor_unit
from wallets.numbers.take import take_numbers
from wallets.statements.credit_note_models import CreditedCharge, CreditNote, CreditNoteLine
from wallets.statements.models import Statement

KIND: Final = "credit_note"
"""Kind of approval, by which limits are set, and of the series of numbers."""
State = CreditNote.State


class CreditNoteEnded(Conflict):
    """The credit note was issued or declined before."""

    code = "credit_note_ended"


class NothingToCredit(Conflict):
    """Nothing that was charged on these lines still stands."""

    code = "nothing_to_credit"


@dataclass(frozen=True, slots=True)
class Credited:
    """What of a line of the statement (`position`) goes back: amounts and quantities above zero. charges: (row id of the event,
    line of its charge)."""

    position: int
    events: int
    quantity: Decimal
    amount: Decimal
    charges: tuple[tuple[int, int], ...]


@dataclass(frozen=True, slots=True)
class Why:
    """The reason from the list, and what happened."""

    reason: str
    note: str


def check_why(why: Why) -> Why:
    """What is said about it, cleaned. Raises InvalidInput."""
    check = Input()
    reason = check.text("reason", why.reason, longest=120, required=True)
    note = check.text("note", why.note, longest=500, required=True)
    check.refuse("The credit note cannot be written like this.")
    return Why(reason, note)


def write_credit_note(
    *, statement: Statement, lines: Sequence[Credited], why: Why, by: User, at: datetime, needs_approval: bool
) -> CreditNote:
    """Put down what is to go back, WAITING, with the question to another person where one is needed; in the caller's
    transaction. statement: with its wallet and account selected along. Raises NothingToCredit, InvalidInput."""
    assert transaction.get_connection().in_atomic_block, statement.pk
    why = check_why(why)
    total = sum((line.amount for line in lines), ZERO)
    if total <= ZERO:
        raise NothingToCredit("Nothing goes back: what these lines charged is taken back already, or was free.")
    account: Account = statement.wallet.account
    note = CreditNote(
        bucket=statement.bucket,
        statement=statement,
        currency=statement.currency,
        amount=total,
        rounded=round_to_minor_unit(total, statement.currency),
        line_count=len(lines),
        reason=why.reason,
        note=why.note,
        seller=seller_text(),
        buyer=buyer_text(account),
        asked_by=by,
        asked_at=at,
        entity=settings.SELLER_ENTITY,
    )
    if needs_approval:
        note.approval = request_approval(
            kind=KIND,
            subject=note.public_id,
            amount=total,
            currency=statement.currency,
            asked_by=by,
            reason=why.reason,
            note=f"{statement.public_number}: {why.note}"[:500],
            at=at,
            account_id=account.pk,
        )
    note.save(force_insert=True)
    said = {line.position: line for line in statement.lines.filter(position__in=[one.position for one in lines])}
    CreditNoteLine.objects.bulk_create(
        CreditNoteLine(
            note=note,
            position=one.position,
            label=said[one.position].label,
            detail=said[one.position].detail,
            price=said[one.position].price,
            unit=said[one.position].unit,
            events=one.events,
            quantity=one.quantity,
            amount=one.amount,
            rounded=round_to_minor_unit(one.amount, statement.currency),
            charges=[list(place) for place in one.charges],
        )
        for one in lines
    )
    return note


def issue_credit_note(*, note: CreditNote, credited: Sequence[CreditedCharge], at: datetime) -> CreditNote:
    """Number it, now that the credit is back, in the transaction that gave it back; `credited` says charge by charge what went
    back. Raises CreditNoteEnded."""
    assert transaction.get_connection().in_atomic_block, note.pk
    assert sum((one.amount for one in credited), ZERO) == note.amount, note.public_id
    CreditedCharge.objects.bulk_create(credited)
    year = at.astimezone(UTC).year
    (number,) = take_numbers(document=KIND, entity=note.entity, year=year)
    _move(note, State.ISSUED, at=at, year=year, number=number)
    note.year, note.number = year, number
    return note


def drop_credit_note(*, approval: Approval, at: datetime) -> CreditNote:
    """End the note of an approval that was declined or withdrawn; nothing was moved. Raises CreditNoteEnded."""
    note = credit_note_of(approval)
    _move(note, State.DECLINED, at=at)
    return note


def credit_note_of(approval: Approval) -> CreditNote:
    """The note an approval was asked for."""
    found = CreditNote.objects.select_related("statement__wallet__account", "asked_by", "approval__decided_by")
    return found.get(public_id=approval.subject, approval_id=approval.pk)


def credit_notes_of(*, account: Account) -> QuerySet[CreditNote]:
    """The issued credit notes of an account's statements."""
    notes = CreditNote.objects.select_related("statement__wallet__account")
    return notes.filter(statement__wallet__account=account, state=State.ISSUED)


def credit_note_by_id(*, public_id: str) -> CreditNote:
    """The issued credit note `crn_…`. Raises NotFound."""
    found = CreditNote.objects.select_related("statement__wallet__account").filter(public_id=public_id, state=State.ISSUED)
    note = found.first()
    if note is None:
        raise NotFound(f"There is no credit note {public_id[:40]}.")
    return note


def _move(note: CreditNote, after: CreditNote.State, *, at: datetime, **changes: int) -> None:
    """The one function that changes a note's state."""
    waiting = CreditNote.objects.filter(pk=note.pk, state=State.WAITING)
    if not waiting.update(state=after, ended_at=at, **changes):
        raise CreditNoteEnded("The credit note was issued or declined already.")
    note.state, note.ended_at = after, at
