"""Wires: a top-up is made first, with a reference the customer writes on the payment; the bank's line is matched with it."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.accounts.models import User
from wallets.approvals.decide import request_approval
from wallets.approvals.limits import needs_second_today, note_moved_alone
from wallets.approvals.models import Approval
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.errors import Conflict
from wallets.input import Input
from wallets.money import plain
from wallets.payments.bank_csv import LETTERS, BankRow, reference_in
from wallets.payments.bank_models import BankLine
from wallets.payments.find import lock_top_up
from wallets.payments.models import TopUp
from wallets.payments.providers.registry import MANUAL
from wallets.payments.settle import pay_top_up
from wallets.payments.states import IN_FLIGHT
from wallets.payments.terms import Terms, quote_payment, terms_of

State = BankLine.State
KIND: Final = "wire"
"""Kind of approval."""
_PREFIX: Final = "wire:"


class NotMatching(Conflict):
    """The bank's line and the top-up are of different amounts or currencies, or one of them is matched already."""

    code = "bank_line_not_matching"


@dataclass(frozen=True, slots=True)
class Taken:
    """What became of one line of an import. line: None for one that was taken in before. what: in words."""

    row: BankRow
    line: BankLine | None
    what: str


def expect_wire(*, wallet: Wallet, amount: Decimal, at: datetime, actor: str, note: str = "") -> TopUp:
    """Make a wire top-up that waits for its money; `reference_of` says what the customer writes on the payment.

    wallet: with its account.  amount: becomes credit, in the wallet's currency; tax is worked out on top of it.
    Raises InvalidInput, CurrencyNotCharged, WalletClosed.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    note = check.text("note", note, longest=500)
    check.refuse("A wire cannot be expected like this.")
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    terms = Terms(terms_of(wallet.currency).currency, amount, amount, (), Decimal(0), Decimal(0), ())
    quote = quote_payment(wallet=wallet, amount=amount, terms=terms, at=at)
    names = ("currency", "amount", "tax", "tax_name", "tax_percent", "tax_country", "total")
    letters = "".join(secrets.choice(LETTERS) for _ in range(8))
    return TopUp.objects.create(
        **{name: getattr(quote, name) for name in names},
        bucket=wallet.bucket,
        wallet=wallet,
        means=TopUp.Means.WIRE,
        provider=MANUAL,
        payment_id=f"{_PREFIX}PB-{letters[:4]}-{letters[4:]}",
        origin=TopUp.Origin.FINANCE,
        actor=actor,
        note=note,
        created_at=at,
        moved_at=at,
    )


def reference_of(top_up: TopUp) -> str:
    """What the customer writes on the wire; empty for a top-up that is none."""
    return (top_up.payment_id or "").removeprefix(_PREFIX) if top_up.means == TopUp.Means.WIRE else ""


def take_in(rows: Sequence[BankRow], *, by: User, at: datetime, dry_run: bool = False) -> list[Taken]:
    """Take the bank's lines in, each once, and match those that can be; in one transaction, or not at all.

    dry_run: says what would become of each and leaves nothing behind. Raises LockBusy.
    """
    with transaction.atomic():
        taken = [_take_in(row, by=by, at=at) for row in rows]
        if dry_run:
            transaction.set_rollback(True)
    return taken


def match_line(*, line_id: str, top_up: TopUp, by: User, at: datetime) -> BankLine:
    """Match a line (`bnk_…`) with a wire top-up of the same amount and currency, whatever the payer wrote.

    Within the limit of the person's role it is paid at once (MATCHED), else it waits for an approval (WAITING). Raises
    NotMatching, WalletClosed, LockBusy.
    """
    with transaction.atomic():
        line = BankLine.objects.select_for_update(of=("self",)).get(public_id=line_id)
        return _match(line, top_up, by=by, at=at)


def ignore_line(*, line_id: str, why: str, at: datetime) -> BankLine:
    """Say why a line is no top-up of ours. Raises NotMatching (it is matched), InvalidInput."""
    check = Input()
    why = check.text("why", why, longest=200, required=True)
    check.refuse()
    unmatched = BankLine.objects.filter(public_id=line_id, state=State.UNMATCHED)
    if not unmatched.update(state=State.IGNORED, why=why, moved_at=at):
        raise NotMatching("It is matched or ignored already.")
    return BankLine.objects.get(public_id=line_id)


def pay_approved(*, approval: Approval, at: datetime) -> BankLine:
    """Pay the top-up of a line whose match was approved. Raises NotMatching, WalletClosed, LockBusy."""
    with transaction.atomic():
        line = BankLine.objects.select_for_update(of=("self",)).select_related("top_up").get(public_id=approval.subject)
        if line.state != State.WAITING or line.top_up is None:
            raise NotMatching("It does not wait any more.")
        return _pay(line, line.top_up, by=line.matched_by, at=at)


def drop_match(*, approval: Approval, at: datetime) -> None:
    """A match was declined: the line is unmatched again."""
    waiting = BankLine.objects.filter(public_id=approval.subject, state=State.WAITING)
    waiting.update(state=State.UNMATCHED, top_up=None, matched_by=None, why="The match was declined.", moved_at=at)


def _take_in(row: BankRow, *, by: User, at: datetime) -> Taken:
    line = BankLine(
        bank_id=row.bank_id, booked_date=row.booked, amount=row.amount, currency=row.currency, payer=row.payer, text=row.text,
        entered_by=by, entered_at=at, moved_at=at,
    )  # fmt: skip
    BankLine.objects.bulk_create([line], ignore_conflicts=True)
    stored = BankLine.objects.select_for_update(of=("self",)).get(bank_id=row.bank_id)
    if stored.public_id != line.public_id:
        return Taken(row, None, "taken in before")
    reference = reference_in(row.text)
    try:
        top_up = _expected(reference, row)
        with transaction.atomic():
            matched = _match(stored, top_up, by=by, at=at)
    except (NotMatching, WalletClosed) as refusal:
        BankLine.objects.filter(pk=stored.pk).update(why=refusal.message[:200])
        return Taken(row, stored, f"unmatched: {refusal.message}")
    what = "credited" if matched.state == State.MATCHED else "matched; waits for another person’s approval"  # noqa: RUF001
    return Taken(row, matched, f"{reference}: {what}")


def _expected(reference: str | None, row: BankRow) -> TopUp:
    if reference is None:
        raise NotMatching("There is no reference of ours in the text.")
    top_up = TopUp.objects.filter(provider=MANUAL, payment_id=f"{_PREFIX}{reference}").first()
    if top_up is None:
        raise NotMatching(f"Nobody was given the reference {reference}.")
    if (top_up.total, top_up.currency) != (row.amount, row.currency):
        raise NotMatching(f"{reference} is for {plain(top_up.total)} {top_up.currency}.")
    return top_up


def _match(line: BankLine, top_up: TopUp, *, by: User, at: datetime) -> BankLine:
    """Match a locked line. The top-up is read again under its wallet's lock: two lines cannot pay it twice."""
    if line.state != State.UNMATCHED:
        raise NotMatching("The line is matched or ignored already.")
    top_up = lock_top_up(top_up.pk)
    if top_up.provider != MANUAL or top_up.means != TopUp.Means.WIRE:
        raise NotMatching(f"{top_up.public_id} is no wire.")
    if (top_up.total, top_up.currency) != (line.amount, line.currency):
        raise NotMatching(f"{top_up.public_id} is for {plain(top_up.total)} {top_up.currency}.")
    if top_up.state not in IN_FLIGHT or BankLine.objects.filter(top_up=top_up).exists():
        raise NotMatching(f"{top_up.public_id} was paid before, or another payment is matched with it.")
    if not needs_second_today(user=by, amount=line.amount, currency=line.currency, kind=KIND, at=at):
        paid = _pay(line, top_up, by=by, at=at)
        note_moved_alone(
            user=by, amount=line.amount, currency=line.currency, kind=KIND, subject=line.public_id, at=at,
            instead="Another person has to approve it.",
        )  # fmt: skip
        return paid
    _store(line, State.WAITING, top_up, by=by, at=at)
    request_approval(
        kind=KIND,
        subject=line.public_id,
        amount=line.amount,
        currency=line.currency,
        asked_by=by,
        reason=f"Wire from {line.payer or 'an unnamed payer'}"[:120],
        note=line.text,
        at=at,
        account_id=top_up.wallet.account_id,
    )
    return line


def _pay(line: BankLine, top_up: TopUp, *, by: User | None, at: datetime) -> BankLine:
    pay_top_up(top_up_id=top_up.pk, at=at)
    return _store(line, State.MATCHED, top_up, by=by, at=at)


def _store(line: BankLine, after: BankLine.State, top_up: TopUp, *, by: User | None, at: datetime) -> BankLine:
    line.state, line.top_up, line.matched_by, line.moved_at, line.why = after, top_up, by, at, ""
    line.save(update_fields=["state", "top_up", "matched_by", "moved_at", "why"])
    return line
