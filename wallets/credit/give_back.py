"""Give back what usage drew: lot by lot, in the reverse of the order in which it was drawn, keeping the class of each.

    from a lot    Dr revenue of the meter    Cr the lot's liability
    allowance     Dr allowance used          Cr allowance, in units
    overdraft     Dr revenue of the meter    Cr overdraft receivable
      of which repaid since                  Dr overdraft receivable    Cr liability of the lot that repaid it

What becomes of overdraft and of lots that have ended meanwhile stands in `come_back.py`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from django.db import transaction

from wallets.balances.lock import LockedWallet
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.come_back import Work, lots_by_id, post_come_back, settle_overdraft
from wallets.credit.enter import account_of_lot
from wallets.credit.models import CreditLot
from wallets.errors import Conflict
from wallets.ledger.chart import UNITS, ChartAccount, chart_account
from wallets.ledger.draws import usage_lines
from wallets.ledger.lines import DrawShare, draws_of_charge
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewPosting
from wallets.money import ZERO

Account = LedgerAccount.Kind


class NotDrawn(Conflict):
    """Nothing, or less, was drawn at the place that should be given back."""

    code = "not_drawn"


@dataclass(frozen=True, slots=True)
class Part:
    """A piece of usage to undo: from `line_from` on for `amount` (above zero) on the meter's line of a USAGE entry; with
    `units`, on the line of the meter's units: what allowances covered; with `fee`, of the FEE entry for `meter` (`fee.py`)."""

    entry_id: int
    meter: str
    line_from: Decimal
    amount: Decimal
    units: bool = False
    fee: bool = False


@dataclass(frozen=True, slots=True)
class GivenBack:
    """The entry that gave credit back; `places`: where each part begins on its meter's line of that entry."""

    entry_id: int
    places: tuple[Decimal, ...]


def give_back(
    *, wallet: LockedWallet, parts: Sequence[Part], at: datetime, reference: str, reason: str = "", actor: str = ""
) -> GivenBack:
    """Undo `parts` (at least one; in the order in which they are undone, newest first) in one entry.

    The caller holds the wallet's lock and sees to it that nothing is undone twice (a charge is reversed once, by
    constraint). Raises NotDrawn when a part was not drawn from this wallet, WalletClosed.
    """
    assert transaction.get_connection().in_atomic_block, wallet.id
    assert parts, wallet.id
    assert all(part.amount > ZERO for part in parts), parts
    if wallet.status == Wallet.Status.CLOSED:
        raise WalletClosed(f"Wallet {wallet.public_id} is closed.")
    shares = _shares(wallet, parts)
    lots = lots_by_id(wallet, {share.lot_id for of_part in shares for share in of_part if share.lot_id is not None})
    work = Work(wallet)
    places = _undo_draws(work, parts, shares, lots)
    settle_overdraft(work, lots, at=at)
    entry = post_come_back(work, lots, JournalEntry.Kind.GIVE_BACK, reference=reference, reason=reason, actor=actor, at=at)
    return GivenBack(entry.id, tuple(places))


def _shares(wallet: LockedWallet, parts: Sequence[Part]) -> list[list[DrawShare]]:
    """What each part has of which lot, in the order in which it was drawn."""
    lines = usage_lines(
        wallet_id=wallet.id,
        bucket=wallet.bucket,
        entry_ids={part.entry_id for part in parts},
        meters={part.meter for part in parts},
    )
    shares = []
    for part in parts:
        line = lines[part.entry_id, part.meter, part.units]
        of_part = draws_of_charge(line, line_from=part.line_from, amount=part.amount)
        drawn = sum((share.amount for share in of_part), ZERO)
        if drawn != part.amount:
            raise NotDrawn(
                f"Of {part.amount:f} on meter {part.meter} of entry {part.entry_id}, {drawn:f} was drawn from wallet "
                f"{wallet.public_id}."
            )
        shares.append(of_part)
    return shares


def _undo_draws(
    work: Work, parts: Sequence[Part], shares: Sequence[Sequence[DrawShare]], lots: dict[int, CreditLot]
) -> list[Decimal]:
    """Credit every share of every part, newest first; the parts of a meter lie end to end on its line."""
    currency = work.wallet.currency
    lines: dict[ChartAccount, Decimal] = defaultdict(Decimal)
    places: list[Decimal] = []
    for part, of_part in zip(parts, shares, strict=True):
        contra = _consumed(part, currency)
        places.append(lines[contra])
        for share in reversed(of_part):
            if share.lot_id is None:
                account = chart_account(Account.OVERDRAFT_RECEIVABLE, currency)
                work.overdrawn += share.amount
            else:
                account = account_of_lot(lots[share.lot_id], currency=currency)
                work.back[share.lot_id] += share.amount
            work.postings.append(NewPosting(account, share.amount, share.lot_id, contra, lines[contra]))
            lines[contra] += share.amount
    for contra, amount in lines.items():
        work.postings.append(NewPosting(contra, -amount))
    return places


def _consumed(part: Part, currency: str) -> ChartAccount:
    """Where what the part undoes was booked."""
    if part.units:
        return chart_account(Account.ALLOWANCE_USED, UNITS, part.meter)
    return chart_account(Account.FEES if part.fee else Account.REVENUE, currency, part.meter)
