"""The chart of accounts, in a controller's words.

| kind | stands for | on the wallet's side |
| --- | --- | --- |
| PREPAID_LIABILITY | paid credit not yet consumed: deferred revenue | yes |
| PROMOTIONAL_LIABILITY | credit given, not sold, not yet consumed | yes |
| OVERDRAFT_RECEIVABLE | usage beyond credit: what the customer owes | yes |
| CASH_CLEARING : provider | money on its way from a provider (or by hand) to the bank | no |
| REVENUE : meter | consumption, by meter | no |
| FEES : code | fees that are no usage: `subscription:pro`, `commitment:…`, `top_up` | no |
| TAX_PAYABLE : country | tax collected with a payment and owed to a tax office; never credit | no |
| BREAKAGE | paid credit that expired unused | no |
| PROMOTIONAL_COST | what given credit costs; comes back when it expires | no |
| SALES_DISCOUNT | credit sold for less (or more) than its face value | no |
| REFUNDS | money given back that is still on its way: what we owe until it has left our account | no |
| DISPUTES_RECEIVABLE : provider | money the provider withholds over payments in dispute; comes back when one is won | no |
| DISPUTED_CREDIT | credit frozen (or consumed and owed) while the payment behind it is in dispute | no |
| ADJUSTMENTS : reason | corrections by hand | no |
| BAD_DEBT : reason | overdraft that was written off: what customers owed and will not pay; `dispute`: lost in disputes | no |
| TRANSFERS_IN_TRANSIT | between two wallets of one account; always zero in sum | no |
| ALLOWANCE : meter | units of a meter granted and not yet used, in the currency UNITS | in units |
| ALLOWANCE_ISSUED : meter | units granted, less those that expired or were taken back | in units |
| ALLOWANCE_USED : meter | units used | in units |
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from wallets.ledger.models import LedgerAccount

Kind = LedgerAccount.Kind

UNITS: Final = "units"
"""The currency of postings that count a meter's units; no wallet is in it (currencies are written in capitals)."""

WALLET_SIDE: Final = frozenset({Kind.PREPAID_LIABILITY, Kind.PROMOTIONAL_LIABILITY, Kind.OVERDRAFT_RECEIVABLE})


@dataclass(frozen=True, slots=True)
class ChartAccount:
    """An account of the chart as postings name it."""

    id: int
    kind: Kind
    currency: str
    wallet_side: bool
    receivable: bool


_FIND: Final = "SELECT id FROM wallets_ledgeraccount WHERE kind = %s AND qualifier = %s AND currency = %s"
_OPEN: Final = """INSERT INTO wallets_ledgeraccount (kind, qualifier, currency) VALUES (%s, %s, %s)
    ON CONFLICT (kind, qualifier, currency) DO NOTHING"""

_known: dict[tuple[Kind, str, str], ChartAccount] = {}


def liability_kind(lot_kind: str) -> Kind:
    """Where the credit of a lot of this kind stands: paid credit is a debt to the customer, the rest is promotional."""
    return Kind.PREPAID_LIABILITY if lot_kind == "paid" else Kind.PROMOTIONAL_LIABILITY


def chart_account(kind: Kind, currency: str, qualifier: str = "") -> ChartAccount:
    """An account of the chart; opened when first used.

    Remembered by this process once the transaction that opened it has committed.
    """
    key = (kind, currency, qualifier)
    known = _known.get(key)
    if known is not None:
        return known
    values = [str(kind), qualifier, currency]
    with connection.cursor() as cursor:
        cursor.execute(_FIND, values)
        row = cursor.fetchone()
        if row is None:
            # One at a time until it has committed: two that open the same accounts in different orders would wait for each
            # other in a circle.
            cursor.execute("SELECT pg_advisory_xact_lock('wallets_ledgeraccount'::regclass::oid::bigint)")
            cursor.execute(_OPEN, values)
            cursor.execute(_FIND, values)
            row = cursor.fetchone()
    account = ChartAccount(row[0], kind, currency, kind in WALLET_SIDE, kind == Kind.OVERDRAFT_RECEIVABLE)
    transaction.on_commit(lambda: _known.__setitem__(key, account))
    return account


def wallet_side_kinds() -> frozenset[str]:
    """Kinds whose postings make up a wallet's balance."""
    return frozenset(str(kind) for kind in WALLET_SIDE)


def forget() -> None:
    """Drop what this process remembers (the database was emptied under it)."""
    _known.clear()
