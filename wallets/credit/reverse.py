"""Reverse a journal entry: its postings with their signs turned, in an entry that names it, once; and what that does to the
lots. Usage is not reversed but given back (`give_back.py`), a lot's remainder is voided (`void.py`)."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from wallets.balances.held import lapse_due
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.models import CreditLot
from wallets.credit.void import CreditHeld
from wallets.errors import Conflict, NotFound
from wallets.input import Input
from wallets.ledger.chart import ChartAccount, chart_account
from wallets.ledger.models import JournalEntry, LedgerAccount, Posting
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO

Kind = JournalEntry.Kind
State = CreditLot.State

REVERSIBLE: Final = frozenset({Kind.GRANT, Kind.ADJUSTMENT})


class NotReversible(Conflict):
    """The entry is of a kind that is corrected in another way, or its lots do not hold any more what it gave them."""

    code = "not_reversible"


class AlreadyReversed(Conflict):
    """The entry was reversed before."""

    code = "already_reversed"


def reverse_entry(*, entry_id: int, at: datetime, reason: str, actor: str = "") -> int:
    """Undo a grant or an adjustment whose lots still hold what it gave them; returns the row id of the reversal.

    A lot whose grant is reversed is VOIDED; what it had repaid of an overdraft is owed again. Raises NotReversible,
    AlreadyReversed, CreditHeld (holds need the credit), WalletClosed, InvalidInput, NotFound, LockBusy.
    """
    check = Input()
    reason = check.text("reason", reason, longest=500, required=True)
    actor = check.text("actor", actor, longest=200)
    check.refuse("The entry cannot be reversed like this.")
    entry = JournalEntry.objects.filter(pk=entry_id).first()
    if entry is None:
        raise NotFound(f"There is no journal entry {entry_id}.")
    if entry.kind not in REVERSIBLE:
        raise NotReversible(f"Journal entry {entry_id} is of kind {entry.kind}; only grants and adjustments are reversed.")
    with transaction.atomic():
        wallet = lock_wallets([entry.wallet_id], bucket=entry.bucket)[entry.wallet_id]
        if wallet.status == Wallet.Status.CLOSED:
            raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
        if JournalEntry.objects.filter(bucket=entry.bucket, reverses_id=entry_id).exists():
            raise AlreadyReversed(f"Journal entry {entry_id} was reversed before.")
        lapse_due({wallet.id: wallet}, bucket=wallet.bucket, at=at)
        postings = _turned(entry)
        _refuse_held(wallet, postings)
        _move_lots(entry, postings)
        reversal = NewEntry(wallet, Kind.REVERSAL, postings, entry.reference, reason, actor, reverses_id=entry_id)
        post_entries([reversal], at=at)
    return reversal.id


def _turned(entry: JournalEntry) -> list[NewPosting]:
    """The entry's postings with their signs turned."""
    rows = Posting.objects.filter(bucket=entry.bucket, entry_id=entry.pk).select_related("ledger_account", "contra")
    return [
        NewPosting(
            _chart_account(posting.ledger_account),
            -posting.amount,
            posting.lot_id,
            None if posting.contra is None else _chart_account(posting.contra),
        )
        for posting in rows.order_by("line")
    ]


def _chart_account(account: LedgerAccount) -> ChartAccount:
    return chart_account(LedgerAccount.Kind(account.kind), account.currency, account.qualifier)


def _refuse_held(wallet: LockedWallet, postings: list[NewPosting]) -> None:
    change = sum((posting.amount for posting in postings if posting.account.wallet_side), ZERO)
    if wallet.held and change < ZERO and wallet.available + change < ZERO:
        raise CreditHeld(f"{wallet.held:f} of wallet {wallet.public_id} is held; {-change:f} cannot leave it.")


def _move_lots(entry: JournalEntry, postings: list[NewPosting]) -> None:
    """Take from each lot what the entry gave it (or give it what the entry took), if it can."""
    changes: dict[int, Decimal] = defaultdict(Decimal)
    for posting in postings:
        if posting.lot_id is not None:
            changes[posting.lot_id] += posting.amount
    for lot in CreditLot.objects.filter(bucket=entry.bucket, pk__in=list(changes)).order_by("id"):
        remaining = lot.remaining + changes[lot.pk]
        as_it_was = remaining == ZERO if entry.kind == Kind.GRANT else ZERO <= remaining <= lot.amount
        if lot.state not in {State.OPEN, State.EXHAUSTED} or not as_it_was:
            raise NotReversible(
                f"Lot {lot.public_id} is {lot.state.lower()} and holds {lot.remaining:f} of {lot.amount:f}; journal entry "
                f"{entry.pk} changed it by {-changes[lot.pk]:f}."
            )
        empty = State.VOIDED if entry.kind == Kind.GRANT else State.EXHAUSTED
        state = State.OPEN if remaining else empty
        CreditLot.objects.filter(bucket=entry.bucket, pk=lot.pk).update(remaining=remaining, state=state)
