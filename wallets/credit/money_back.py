"""Credit whose money goes back: what a refund and a dispute do to the lots of a payment, and to the books.

    refund made       Dr prepaid liability       from the lot           Cr refunds               credit + tax + fee
                      Dr overdraft receivable    used already, owed     (the money is on its way)
                      Dr tax payable, fees       their shares
                      Dr promotional liability   bonus                  Cr promotional cost
    money has left    Dr refunds                                        Cr cash clearing
    refund failed     the opposite of both; what came back repays what the wallet owes

    dispute opened    Dr disputes receivable     withheld by the bank   Cr cash clearing
                      Dr prepaid liability       frozen                 Cr disputed credit       credit + bonus
                      Dr overdraft receivable    used already, owed
                      Dr promotional liability   bonus, frozen
    won               the opposite of it
    lost              Dr disputed credit         credit + bonus         Cr disputes receivable   all that was withheld
                      Dr tax payable, fees       their shares           Cr promotional cost      bonus
                      and what is owed of it is written off (`adjust.write_off`): Dr bad debt : dispute

What the lot does not hold any more was used: it becomes overdraft, a receivable, never a silent loss.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from wallets.balances.lock import LockedWallet
from wallets.credit.come_back import Work, post_come_back, settle_overdraft
from wallets.credit.enter import account_of_lot
from wallets.credit.lots import store_remainders
from wallets.credit.models import CreditLot
from wallets.ledger.chart import ChartAccount, chart_account
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.post import NewEntry, NewPosting, post_entries

Account = LedgerAccount.Kind
Kind = JournalEntry.Kind


@dataclass(frozen=True, slots=True)
class MoneyBack:
    """What goes back of one payment, in its wallet's currency. from_lot: of the paid lot; owed: credit that was used already;
    bonus: of the bonus lot. tax_country: ISO 3166-1. provider: through which the money goes. reference: of the entries."""

    lot_id: int
    bonus_lot_id: int | None
    from_lot: Decimal
    owed: Decimal
    bonus: Decimal
    tax: Decimal
    tax_country: str
    fee: Decimal
    provider: str
    reference: str
    reason: str
    actor: str

    @property
    def total(self) -> Decimal:
        """The money."""
        return self.from_lot + self.owed + self.tax + self.fee


def take_for_refund(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """Take the credit of a refund out of a locked wallet; its money is on its way."""
    refunds = chart_account(Account.REFUNDS, wallet.currency)
    cost = chart_account(Account.PROMOTIONAL_COST, wallet.currency)
    others = [*_tax_and_fee(wallet, back, -1), _line(refunds, back.total), _line(cost, back.bonus)]
    _take(wallet, back, Kind.REFUND, refunds, cost, others, at=at)


def send_refund_money(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """The money of a refund has left our account."""
    _post(wallet, back, Kind.REFUND, _refund_money(wallet, back, 1), at=at)


def recall_refund_money(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """The money of a refund that had left came back."""
    _post(wallet, back, Kind.REFUND, _refund_money(wallet, back, -1), at=at)


def return_from_refund(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """Put the credit of a refund that failed back."""
    refunds = chart_account(Account.REFUNDS, wallet.currency)
    cost = chart_account(Account.PROMOTIONAL_COST, wallet.currency)
    others = [*_tax_and_fee(wallet, back, 1), _line(refunds, -back.total), _line(cost, -back.bonus)]
    _give(wallet, back, Kind.REFUND, refunds, cost, others, at=at)


def freeze_for_dispute(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """The bank has withheld the money of a payment: its credit is frozen, and what was used of it is owed."""
    frozen = chart_account(Account.DISPUTED_CREDIT, wallet.currency)
    _take(wallet, back, Kind.DISPUTE, frozen, frozen, _withheld(wallet, back, frozen, 1), at=at)


def return_from_dispute(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """The bank gave the money back: so is the credit."""
    frozen = chart_account(Account.DISPUTED_CREDIT, wallet.currency)
    _give(wallet, back, Kind.DISPUTE, frozen, frozen, _withheld(wallet, back, frozen, -1), at=at)


def lose_dispute(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """The money is gone for good, and what stood against it."""
    _post(wallet, back, Kind.DISPUTE, _lost(wallet, back, 1), at=at)


def unlose_dispute(wallet: LockedWallet, back: MoneyBack, *, at: datetime) -> None:
    """The bank takes up again what was lost."""
    _post(wallet, back, Kind.DISPUTE, _lost(wallet, back, -1), at=at)


def _line(account: ChartAccount, amount: Decimal) -> NewPosting:
    return NewPosting(account, amount)


def _tax_and_fee(wallet: LockedWallet, back: MoneyBack, sign: int) -> list[NewPosting]:
    tax = chart_account(Account.TAX_PAYABLE, wallet.currency, back.tax_country) if back.tax else None
    fee = chart_account(Account.FEES, wallet.currency, "top_up") if back.fee else None
    return [_line(account, sign * amount) for account, amount in ((tax, back.tax), (fee, back.fee)) if account is not None]


def _refund_money(wallet: LockedWallet, back: MoneyBack, sign: int) -> list[NewPosting]:
    refunds = chart_account(Account.REFUNDS, wallet.currency)
    cash = chart_account(Account.CASH_CLEARING, wallet.currency, back.provider)
    return [_line(refunds, -sign * back.total), _line(cash, sign * back.total)]


def _withheld(wallet: LockedWallet, back: MoneyBack, frozen: ChartAccount, sign: int) -> list[NewPosting]:
    receivable = chart_account(Account.DISPUTES_RECEIVABLE, wallet.currency, back.provider)
    cash = chart_account(Account.CASH_CLEARING, wallet.currency, back.provider)
    credit = back.from_lot + back.owed + back.bonus
    return [_line(frozen, sign * credit), _line(receivable, -sign * back.total), _line(cash, sign * back.total)]


def _lost(wallet: LockedWallet, back: MoneyBack, sign: int) -> list[NewPosting]:
    frozen = chart_account(Account.DISPUTED_CREDIT, wallet.currency)
    receivable = chart_account(Account.DISPUTES_RECEIVABLE, wallet.currency, back.provider)
    cost = chart_account(Account.PROMOTIONAL_COST, wallet.currency)
    credit = back.from_lot + back.owed + back.bonus
    return [
        _line(frozen, -sign * credit),
        *_tax_and_fee(wallet, back, -sign),
        _line(receivable, sign * back.total),
        _line(cost, sign * back.bonus),
    ]


def _take(
    wallet: LockedWallet,
    back: MoneyBack,
    kind: JournalEntry.Kind,
    contra: ChartAccount,
    bonus_contra: ChartAccount,
    others: Sequence[NewPosting],
    *,
    at: datetime,
) -> None:
    """Take out of the lots what they hold of it, and owe the rest."""
    postings: list[NewPosting] = []
    remainders: list[tuple[int, Decimal]] = []
    for lot, amount, against in _lots(wallet, back, contra, bonus_contra):
        assert amount <= lot.remaining, (back.reference, lot.public_id, amount, lot.remaining)
        postings.append(NewPosting(account_of_lot(lot, currency=wallet.currency), -amount, lot.pk, against))
        remainders.append((lot.pk, lot.remaining - amount))
    if back.owed:
        owed = chart_account(Account.OVERDRAFT_RECEIVABLE, wallet.currency)
        postings.append(NewPosting(owed, -back.owed, None, contra))
    _post(wallet, back, kind, [*postings, *others], at=at)
    store_remainders(remainders, bucket=wallet.bucket)


def _give(
    wallet: LockedWallet,
    back: MoneyBack,
    kind: JournalEntry.Kind,
    contra: ChartAccount,
    bonus_contra: ChartAccount,
    others: Sequence[NewPosting],
    *,
    at: datetime,
) -> None:
    """Put back into the lots what was taken out of them, and owe that much less."""
    work = Work(wallet)
    lots: dict[int, CreditLot] = {}
    for lot, amount, against in _lots(wallet, back, contra, bonus_contra):
        lots[lot.pk] = lot
        work.back[lot.pk] += amount
        work.postings.append(NewPosting(account_of_lot(lot, currency=wallet.currency), amount, lot.pk, against))
    if back.owed:
        owed = chart_account(Account.OVERDRAFT_RECEIVABLE, wallet.currency)
        work.overdrawn = back.owed
        work.postings.append(NewPosting(owed, back.owed, None, contra))
    work.postings += [one for one in others if one.amount]
    settle_overdraft(work, lots, at=at)
    post_come_back(work, lots, kind, reference=back.reference, reason=back.reason, actor=back.actor, at=at)


def _lots(
    wallet: LockedWallet, back: MoneyBack, contra: ChartAccount, bonus_contra: ChartAccount
) -> list[tuple[CreditLot, Decimal, ChartAccount]]:
    """The lots something goes out of or into, with how much and what stands against it."""
    wanted = [(back.lot_id, back.from_lot, contra), (back.bonus_lot_id, back.bonus, bonus_contra)]
    lots = CreditLot.objects.filter(bucket=wallet.bucket, pk__in=[pk for pk, amount, _ in wanted if amount])
    by_id = {lot.pk: lot for lot in lots}
    return [(by_id[pk], amount, against) for pk, amount, against in wanted if pk is not None and amount]


def _post(
    wallet: LockedWallet, back: MoneyBack, kind: JournalEntry.Kind, postings: Sequence[NewPosting], *, at: datetime
) -> None:
    lines = [one for one in postings if one.amount]
    post_entries([NewEntry(wallet, kind, lines, back.reference, back.reason, back.actor)], at=at)
