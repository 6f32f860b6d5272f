"""Move credit between two wallets of one account: the lots themselves move, each with its class, priority, validity and
scope, and with its share of what was paid for it.

    source    Dr the lot's liability      Cr transfers in transit
    target    Dr transfers in transit     Cr the new lot's liability (what the target owes is repaid first)
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from wallets.balances.freeze import WalletFrozen
from wallets.balances.held import lapse_due
from wallets.balances.lock import LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.activate import activate_due
from wallets.credit.backing import can_leave
from wallets.credit.burn_down import NEVER
from wallets.credit.enter import postings_of_repayment, repayment, state_of
from wallets.credit.lots import drawable_lots, store_remainders
from wallets.credit.models import CreditLot
from wallets.errors import Conflict, InvalidInput, NotFound
from wallets.ids import new_public_id
from wallets.input import Input
from wallets.ledger.chart import chart_account, liability_kind
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries
from wallets.money import EXACT, LARGEST, ZERO, to_scale

Account = LedgerAccount.Kind
State = CreditLot.State


class NotEnoughCredit(Conflict):
    """The wallet has less to spend than should leave it."""

    code = "not_enough_credit"


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer that was made. id: the reference of both entries; lots: the lots made in the target wallet."""

    id: str
    amount: Decimal
    out_entry_id: int
    in_entry_id: int
    lots: tuple[CreditLot, ...]


def transfer_credit(
    *, from_wallet_id: int, to_wallet_id: int, amount: Decimal, at: datetime, reason: str = "", actor: str = ""
) -> Transfer:
    """Move `amount` (at most 12 decimals) of the credit that is valid now, in burn-down order, to another wallet of the
    account in the same currency. What leaves a lot becomes a lot of the target that says which lot it came from.

    Raises NotEnoughCredit (held credit cannot leave), WalletFrozen, WalletClosed, InvalidInput (another account or
    currency, the same wallet), NotFound, LockBusy.
    """
    check = Input()
    check.amount("amount", amount, above_zero=True)
    reason = check.text("reason", reason, longest=500)
    actor = check.text("actor", actor, longest=200)
    check.expect("to", from_wallet_id != to_wallet_id, "another wallet than the one the credit leaves")
    check.refuse("The credit cannot be transferred like this.")
    bucket = _bucket_of_both(from_wallet_id, to_wallet_id)
    with transaction.atomic():
        locked = lock_wallets([from_wallet_id, to_wallet_id], bucket=bucket)
        source, target = locked[from_wallet_id], locked[to_wallet_id]
        _refuse_states(source, target)
        lapse_due(locked, bucket=bucket, at=at)
        activate_due(locked, bucket=bucket, at=at)
        lots = _movable_lots(source, at=at)
        _refuse_amount(source, target, lots, amount, at=at)
        return _move(source, target, lots, amount, at=at, reason=reason, actor=actor)


def _bucket_of_both(from_wallet_id: int, to_wallet_id: int) -> int:
    """The bucket of two wallets that credit can move between."""
    wallets = {wallet.pk: wallet for wallet in Wallet.objects.filter(pk__in=[from_wallet_id, to_wallet_id])}
    for wallet_id in (from_wallet_id, to_wallet_id):
        if wallet_id not in wallets:
            raise NotFound(f"No wallet with id {wallet_id}.")
    source, target = wallets[from_wallet_id], wallets[to_wallet_id]
    if source.account_id != target.account_id:
        raise InvalidInput("Credit moves only between wallets of one account.", fields={"to": "a wallet of the same account"})
    if source.currency != target.currency:
        raise InvalidInput(
            f"The wallets are in {source.currency} and {target.currency}; credit is not exchanged.",
            fields={"to": f"a wallet in {source.currency}"},
        )
    return source.bucket


def _refuse_states(*wallets: LockedWallet) -> None:
    for wallet in wallets:
        if wallet.status == Wallet.Status.CLOSED:
            raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
        if wallet.status == Wallet.Status.FROZEN:
            raise WalletFrozen(f"Wallet {wallet.public_id} is frozen.")


def _movable_lots(source: LockedWallet, *, at: datetime) -> list[CreditLot]:
    """The lots that could be drawn now, in burn-down order."""
    lots = CreditLot.objects.filter(
        bucket=source.bucket, wallet_id=source.id, unit_meter="", state=State.OPEN, effective_at__lte=at
    )
    valid = [lot for lot in lots.order_by("id") if lot.expires_at is None or at < lot.expires_at]
    return sorted(
        valid, key=lambda lot: (lot.priority, lot.expires_at or NEVER, lot.kind == CreditLot.Kind.PAID, lot.effective_at)
    )


def _refuse_amount(source: LockedWallet, target: LockedWallet, lots: list[CreditLot], amount: Decimal, *, at: datetime) -> None:
    free = source.available
    if source.held:
        free = can_leave(source, drawable_lots([source.id], bucket=source.bucket, at=at)[0][source.id])
    most = min(free, sum((lot.remaining for lot in lots), ZERO))
    if amount > most:
        raise NotEnoughCredit(
            f"Wallet {source.public_id} has {max(most, ZERO):f} {source.currency} that can leave it.",
            fields={"amount": f"at most {max(most, ZERO):f}"},
        )
    if target.balance + amount > LARGEST:
        raise InvalidInput("The target wallet cannot hold so much.", fields={"amount": f"at most {LARGEST - target.balance:f}"})


def _move(
    source: LockedWallet,
    target: LockedWallet,
    lots: list[CreditLot],
    amount: Decimal,
    *,
    at: datetime,
    reason: str,
    actor: str,
) -> Transfer:
    transit = chart_account(Account.TRANSFERS_IN_TRANSIT, source.currency)
    leaving: list[NewPosting] = []
    arriving: list[NewPosting] = [NewPosting(transit, -amount)]
    repaying: list[NewPosting] = []
    remainders: list[tuple[int, Decimal]] = []
    made: list[CreditLot] = []
    left, owed = amount, target.overdraft
    for lot in lots:
        if left == ZERO:
            break
        part = min(left, lot.remaining)
        left -= part
        liability = chart_account(liability_kind(lot.kind), source.currency)
        leaving.append(NewPosting(liability, -part, lot.pk, transit))
        remainders.append((lot.pk, lot.remaining - part))
        new = _part_of(lot, part, target, at=at, reason=reason)
        repaid = repayment(new, owed=owed, at=at)
        owed -= repaid
        new.remaining -= repaid
        new.state = state_of(new)
        new.save(force_insert=True)
        made.append(new)
        arriving.append(NewPosting(liability, part, new.pk, transit))
        if repaid:
            repaying += postings_of_repayment(lot_id=new.pk, lot_kind=new.kind, amount=repaid, currency=target.currency)
    assert left == ZERO, (source.id, target.id, amount, left)
    reference = new_public_id("trf")
    out = NewEntry(source, JournalEntry.Kind.TRANSFER_OUT, [*leaving, NewPosting(transit, amount)], reference, reason, actor)
    into = NewEntry(target, JournalEntry.Kind.TRANSFER_IN, [*arriving, *repaying], reference, reason, actor)
    post_entries([out, into], at=at)
    store_remainders(remainders, bucket=source.bucket)
    return Transfer(reference, amount, out.id, into.id, tuple(made))


def _part_of(lot: CreditLot, part: Decimal, target: LockedWallet, *, at: datetime, reason: str) -> CreditLot:
    """A lot of the target with the terms of the lot that `part` leaves."""
    return CreditLot(
        bucket=target.bucket,
        wallet_id=target.id,
        kind=lot.kind,
        state=State.OPEN,
        amount=part,
        remaining=part,
        price_paid=_share_of_price(lot, part),
        priority=lot.priority,
        effective_at=lot.effective_at,
        expires_at=lot.expires_at,
        meters=lot.meters,
        reason=reason or lot.reason,
        source=lot.public_id,
        created_at=at,
    )


def _share_of_price(lot: CreditLot, part: Decimal) -> Decimal:
    """What was paid for the next `part` of a lot.

    The lot is laid out from 0 to its amount; what has left it took the beginning. A share is the difference of two rounded
    sums, so the shares of everything that ever leaves a lot add up to the price exactly.
    """

    def paid_up_to(place: Decimal) -> Decimal:
        return to_scale(EXACT.divide(EXACT.multiply(lot.price_paid, place), lot.amount))

    gone = lot.amount - lot.remaining
    return paid_up_to(gone + part) - paid_up_to(gone)
