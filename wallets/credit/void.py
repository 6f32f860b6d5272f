"""Void a lot: what it still holds is taken back. The payment behind it is not touched (that is a refund)."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from wallets.balances.held import lapse_due
from wallets.balances.lock import LockedWallet, lock_wallet
from wallets.credit.enter import account_given_up, account_of_lot
from wallets.credit.kept import kept_for_holds
from wallets.credit.models import CreditLot
from wallets.credit.queries import lot_by_id
from wallets.errors import Conflict
from wallets.input import Input
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import ZERO

State = CreditLot.State
Account = LedgerAccount.Kind


class LotFinished(Conflict):
    """The lot holds nothing that could be voided: it is used up, expired or voided already."""

    code = "lot_finished"


class CreditHeld(Conflict):
    """Work in flight has set the credit aside."""

    code = "credit_held"


def void_lot(*, lot_public_id: str, at: datetime, reason: str, actor: str = "") -> CreditLot:
    """Take back what a lot still holds, also one that is not effective yet; once.

    Paid credit goes to adjustments until money is paid back; given credit comes off its cost. Raises LotFinished,
    CreditHeld (holds need it), InvalidInput, NotFound, LockBusy.
    """
    check = Input()
    reason = check.text("reason", reason, longest=500)
    actor = check.text("actor", actor, longest=200)
    check.refuse("The lot cannot be voided like this.")
    found = lot_by_id(public_id=lot_public_id)
    with transaction.atomic():
        wallet = lock_wallet(found.wallet_id)
        lot = CreditLot.objects.select_related("wallet").get(bucket=wallet.bucket, pk=found.pk)
        if lot.state not in {State.OPEN, State.SCHEDULED}:
            raise LotFinished(f"Lot {lot.public_id} is {lot.state.lower()} already.")
        lapse_due({wallet.id: wallet}, bucket=wallet.bucket, at=at)
        if kept_for_holds(wallet, leaving=[lot]):
            raise CreditHeld(f"{wallet.held:f} of wallet {wallet.public_id} is held; lot {lot.public_id} is needed for it.")
        taken, lot.remaining, lot.state = lot.remaining, ZERO, State.VOIDED
        CreditLot.objects.filter(bucket=wallet.bucket, pk=lot.pk).update(remaining=ZERO, state=State.VOIDED)
        if taken:
            post_entries([void_entry(wallet, lot, taken, reason=reason, actor=actor)], at=at)
    return lot


def void_entry(wallet: LockedWallet, lot: CreditLot, amount: Decimal, *, reason: str, actor: str) -> NewEntry:
    """The entry that takes `amount` out of a lot: paid credit against adjustments, given credit off its cost."""
    contra = account_given_up(lot, currency=wallet.currency, paid=Account.ADJUSTMENTS)
    liability = account_of_lot(lot, currency=wallet.currency)
    postings = [NewPosting(liability, -amount, lot.pk, contra), NewPosting(contra, amount)]
    return NewEntry(wallet, JournalEntry.Kind.LOT_VOID, postings, lot.public_id, reason, actor)
