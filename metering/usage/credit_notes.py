"""Correct lines of a statement by a credit note: the charges behind them are taken back, lot by lot, and the note says so.
Within the limit of one's role at once, above it after another person's approval. What would go back is found by doing it and
rolling it back, so that what is asked for is exact."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction
from django.db.models import TextField
from django.db.models.functions import Cast

from metering.caps.count import count_charges
from metering.usage.models import Charge, UsageEvent
from metering.usage.statement_events import USAGE, events_behind
from metering.usage.take_back import Cause, charges_of, take_back_charges
from wallets.accounts.models import User
from wallets.approvals.limits import needs_second_today, note_moved_alone
from wallets.approvals.models import Approval
from wallets.balances.lock import lock_wallets
from wallets.errors import Conflict, InvalidInput
from wallets.money import ZERO
from wallets.statements.credit_note import (
    KIND,
    Credited,
    NothingToCredit,
    Why,
    check_why,
    credit_note_of,
    issue_credit_note,
    write_credit_note,
)
from wallets.statements.credit_note_models import CreditedCharge, CreditNote
from wallets.statements.models import Statement

MOST_CHARGES: Final = 1_000
"""One transaction holds the wallet so long; more are corrected by several notes, or by re-rating."""
Place = tuple[int, int]
"""Row id of the event, line of its charge."""


class CreditNoteOutdated(Conflict):
    """Some of what it takes back was taken back meanwhile, or comes to another amount now."""

    code = "credit_note_outdated"


class TooManyCharges(Conflict):
    """More charges stand behind the lines than one note takes back."""

    code = "too_many_charges"


def preview_credit_note(
    *, statement: Statement, positions: Collection[int], only: Collection[str] = (), at: datetime
) -> list[Credited]:
    """What would go back, line by line; nothing stays. Raises as `ask_credit_note`."""
    chosen = _charges_behind(statement, positions, only)
    return _look(statement, chosen, at=at)


def ask_credit_note(
    *, statement: Statement, positions: Collection[int], only: Collection[str] = (), why: Why, by: User, at: datetime
) -> CreditNote:
    """Credit the lines of usage at these positions; `only`: of their events just these (the senders' ids). ISSUED at once
    within the limit of this person's roles, else WAITING for another person's approval.

    statement: with its wallet and account selected along. Raises NothingToCredit, TooManyCharges, InvalidInput, WalletClosed,
    LockBusy.
    """
    why = check_why(why)
    chosen = _charges_behind(statement, positions, only)
    with transaction.atomic():
        lines = _look(statement, chosen, at=at)
        total = sum((line.amount for line in lines), ZERO)
        asks = total > ZERO and needs_second_today(user=by, amount=total, currency=statement.currency, kind=KIND, at=at)
        note = write_credit_note(statement=statement, lines=lines, why=why, by=by, at=at, needs_approval=asks)
        return note if asks else _issue(note, statement, by=by, at=at)


def issue_approved(*, approval: Approval, at: datetime) -> CreditNote:
    """Take back what an approved note names, and issue it; in the decision's transaction.

    Raises CreditNoteOutdated, CreditNoteEnded, WalletClosed, LockBusy: then nothing is decided either.
    """
    with transaction.atomic():
        note = credit_note_of(approval)
        return _issue(note, note.statement, by=None, at=at)


def _issue(note: CreditNote, statement: Statement, *, by: User | None, at: datetime) -> CreditNote:
    chosen = {line.position: [(place[0], place[1]) for place in line.charges] for line in note.lines.order_by("position")}
    actor = note.asked_by.email
    if note.approval is not None and note.approval.decided_by is not None:
        actor = f"{actor}, approved by {note.approval.decided_by.email}"
    said = f"Credit note on {statement.public_number}: {note.reason}. {note.note}"
    undone = _take_back(statement, chosen, Cause(at, note.public_id, said[:500], actor[:200]))
    if by is not None:
        note_moved_alone(
            user=by, amount=note.amount, currency=note.currency, kind=KIND, subject=note.public_id, at=at,
            instead="Ask again: it waits for another person's approval then.",
        )  # fmt: skip
    if -sum((mirror.amount for mirrors in undone.values() for mirror in mirrors), ZERO) != note.amount:
        raise CreditNoteOutdated("What goes back has changed since this was asked for; decline it and ask again.")
    credited = [
        CreditedCharge(
            note=note, position=position, event_id=mirror.event_id, line=mirror.reverses or 0, amount=-mirror.amount,
            entry_id=mirror.entry_id,
        )
        for position, mirrors in undone.items()
        for mirror in mirrors
    ]  # fmt: skip
    return issue_credit_note(note=note, credited=credited, at=at)


def _charges_behind(statement: Statement, positions: Collection[int], only: Collection[str]) -> dict[int, list[Place]]:
    """The charges to take back, by the line they stand on: those that nothing took back yet."""
    known = set(statement.lines.filter(section__in=USAGE, position__in=positions).values_list("position", flat=True))
    if not positions or known != set(positions):
        raise InvalidInput("Choose lines of usage of this statement.", fields={"lines": "lines of usage"})
    wanted, found = set(only), set()
    chosen: dict[int, list[Place]] = defaultdict(list)
    count = 0
    for event in events_behind(statement=statement):
        if event.position not in known or event.reverses is not None or (wanted and event.event_id not in wanted):
            continue
        found.add(event.event_id)
        if event.taken_back:
            continue
        chosen[event.position].append((event.pk, event.line))
        count += 1
        if count > MOST_CHARGES:
            told = f"A credit note takes back at most {MOST_CHARGES:,} charges; choose fewer lines, or name the events."
            raise TooManyCharges(told, fields={"events": f"at most {MOST_CHARGES:,}"})
    missing = sorted(wanted - found)
    if missing:
        raise InvalidInput(f"Event {missing[0]!r} is not on these lines.", fields={"events": "ids of events on these lines"})
    if not chosen:
        raise NothingToCredit("Everything on these lines was taken back already.")
    return dict(sorted(chosen.items()))


def _look(statement: Statement, chosen: Mapping[int, Sequence[Place]], *, at: datetime) -> list[Credited]:
    """What taking back comes to: done, and rolled back."""
    with transaction.atomic():
        undone = _take_back(statement, chosen, Cause(at, "", "", ""))
        lines = [_credited(position, mirrors) for position, mirrors in undone.items()]
        transaction.set_rollback(True)
    return lines


def _credited(position: int, mirrors: Sequence[Charge]) -> Credited:
    quantity, amount = (-sum((getattr(one, name) for one in mirrors), ZERO) for name in ("quantity", "amount"))
    places = tuple((mirror.event_id, mirror.reverses or 0) for mirror in mirrors)
    return Credited(position, len({event_id for event_id, _ in places}), Decimal(quantity), Decimal(amount), places)


def _take_back(statement: Statement, chosen: Mapping[int, Sequence[Place]], cause: Cause) -> dict[int, list[Charge]]:
    """Take the charges back, the latest event first; the charges that undo them, by line. Raises CreditNoteOutdated."""
    positions = {place: position for position, places in chosen.items() for place in places}
    lines: dict[int, set[int]] = defaultdict(set)
    for event_pk, line in positions:
        lines[event_pk].add(line)
    bucket = statement.bucket
    wallets = lock_wallets([statement.wallet_id], bucket=bucket)
    events = UsageEvent.objects.annotate(text=Cast("properties", TextField())).filter(bucket=bucket, pk__in=list(lines))
    undone: dict[int, list[Charge]] = {position: [] for position in chosen}
    first_lines: dict[int, int] = {}
    for event in events.order_by("-received_at", "-pk"):
        standing, next_line = charges_of(event_pk=event.pk, bucket=bucket)
        wanted = [charge for charge in standing if charge.line in lines[event.pk]]
        if len(wanted) != len(lines[event.pk]):
            raise CreditNoteOutdated(f"Event {event.event_id!r} was taken back meanwhile; decline this and ask again.")
        properties = json.loads(event.text, parse_float=Decimal)
        first_lines[event.pk] = next_line
        for mirror in take_back_charges(event, properties, wanted, wallets, next_line=next_line, cause=cause):
            undone[positions[event.pk, mirror.reverses or 0]].append(mirror)
    count_charges(
        list(wallets.values()), event_ids=list(first_lines), bucket=bucket, at=cause.at, from_lines=list(first_lines.values())
    )
    return undone
