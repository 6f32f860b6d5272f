"""How a lot's credit enters a balance: what it stands against is booked, and what the wallet owes is repaid from it first.

Booking of a lot (IFRS 15 B44-B47 for paid credit: a contract liability until consumed; credit given is a cost of sales
promotion until it is consumed or expires):

    paid          Dr cash clearing        price paid      other kinds    Dr promotional cost        amount
                  Dr sales discount       the difference                 Cr promotional liability   amount
                  Cr prepaid liability    amount
    on top        Dr cash clearing        tax + fee       what was charged beside the credit and never becomes credit
                  Cr tax payable          tax
                  Cr fees : top_up        fee
    repayment     Dr the lot's liability  what was owed, contra overdraft receivable
                  Cr overdraft receivable
    allowance     Dr allowance issued     units, in the currency UNITS: no money moves until the fee that pays for it
                  Cr allowance
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final, NamedTuple

from wallets.credit.models import CreditLot
from wallets.ledger.chart import UNITS, ChartAccount, chart_account, liability_kind
from wallets.ledger.models import LedgerAccount
from wallets.ledger.post import NewPosting
from wallets.money import ZERO

Account = LedgerAccount.Kind
WRITE_OFF: Final = "write-off:"
"""Begins the source of the lots through which overdraft is written off (`adjust.py`); the reason's code follows."""


class OnTop(NamedTuple):
    """What was charged beside the credit, in the wallet's currency. tax_country: ISO 3166-1."""

    tax: Decimal
    tax_country: str
    fee: Decimal


def account_of_lot(lot: CreditLot, *, currency: str) -> ChartAccount:
    """Where a lot's credit stands: the liability of its kind, or the allowance of its meter. currency: its wallet's."""
    if lot.unit_meter:
        return chart_account(Account.ALLOWANCE, UNITS, lot.unit_meter)
    return chart_account(liability_kind(lot.kind), currency)


def account_given_up(lot: CreditLot, *, currency: str, paid: LedgerAccount.Kind) -> ChartAccount:
    """Where a lot's credit goes that leaves it unused: paid credit to `paid`, given credit off its cost, units off what was
    issued."""
    if lot.unit_meter:
        return chart_account(Account.ALLOWANCE_ISSUED, UNITS, lot.unit_meter)
    if lot.source.startswith(WRITE_OFF):
        return chart_account(Account.BAD_DEBT, currency, lot.source.removeprefix(WRITE_OFF))
    return chart_account(paid if lot.kind == CreditLot.Kind.PAID else Account.PROMOTIONAL_COST, currency)


def postings_of_grant(lot: CreditLot, *, currency: str) -> list[NewPosting]:
    """What a lot's credit stands against when it is granted, and the credit itself."""
    liability = NewPosting(account_of_lot(lot, currency=currency), lot.amount, lot.pk)
    if lot.kind != CreditLot.Kind.PAID:
        return [NewPosting(account_given_up(lot, currency=currency, paid=Account.PROMOTIONAL_COST), -lot.amount), liability]
    postings = []
    if lot.price_paid:
        postings.append(NewPosting(chart_account(Account.CASH_CLEARING, currency, lot.source), -lot.price_paid))
    if lot.price_paid != lot.amount:
        postings.append(NewPosting(chart_account(Account.SALES_DISCOUNT, currency), lot.price_paid - lot.amount))
    return [*postings, liability]


def postings_on_top(on_top: OnTop, *, source: str, currency: str) -> list[NewPosting]:
    """What came in through `source` beside the price of the credit."""
    postings = []
    if on_top.tax:
        postings.append(NewPosting(chart_account(Account.TAX_PAYABLE, currency, on_top.tax_country), on_top.tax))
    if on_top.fee:
        postings.append(NewPosting(chart_account(Account.FEES, currency, "top_up"), on_top.fee))
    if postings:
        cash = chart_account(Account.CASH_CLEARING, currency, source)
        postings.append(NewPosting(cash, -on_top.tax - on_top.fee))
    return postings


def may_repay(lot: CreditLot, *, at: datetime) -> bool:
    """Whether a lot's credit repays what its wallet owes: it must be valid now and for every meter.

    What a wallet owes is one sum over all meters. Credit for some meters only must not pay for usage of others, so a lot
    with a scope repays nothing; it waits for usage in its scope.
    """
    return not lot.meters and not lot.unit_meter and lot.effective_at <= at and (lot.expires_at is None or at < lot.expires_at)


def postings_of_repayment(*, lot_id: int, lot_kind: str, amount: Decimal, currency: str) -> list[NewPosting]:
    """`amount` of a lot repays overdraft. Negative: what it had repaid comes back to it.

    Recognised later by its contra: the lot's posting against the overdraft.
    """
    owed = chart_account(Account.OVERDRAFT_RECEIVABLE, currency)
    liability = chart_account(liability_kind(lot_kind), currency)
    return [NewPosting(liability, -amount, lot_id, owed), NewPosting(owed, amount, None, liability)]


def repayment(lot: CreditLot, *, owed: Decimal, at: datetime) -> Decimal:
    """How much of what is `owed` a lot entering the balance repays."""
    return min(owed, lot.remaining) if may_repay(lot, at=at) else ZERO


def state_of(lot: CreditLot) -> CreditLot.State:
    """The state of a lot in the balance: open while it holds something."""
    return CreditLot.State.OPEN if lot.remaining else CreditLot.State.EXHAUSTED
