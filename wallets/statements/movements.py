"""What the journal says changed a wallet in a span: consumption by meter, and everything else entry by entry."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from django.db import connection

from wallets.bulk import array_literal
from wallets.ledger.chart import wallet_side_kinds
from wallets.ledger.history import LABELS
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.money import ZERO
from wallets.statements.models import StatementLine
from wallets.statements.spans import Span

Kind = JournalEntry.Kind
Section = StatementLine.Section
Account = LedgerAccount.Kind

SECTION_OF_KIND: Final[dict[str, Section]] = {
    Kind.GRANT: Section.TOP_UP,
    Kind.EXPIRY: Section.EXPIRY,
    Kind.TRANSFER_IN: Section.TRANSFER,
    Kind.TRANSFER_OUT: Section.TRANSFER,
    Kind.FEE: Section.FEE,
    Kind.REFUND: Section.REFUND,
    Kind.DISPUTE: Section.REFUND,
}
"""Where an entry stands; what is not here is an adjustment. Credit that was not paid for is a grant, and a line whose other
side is a fee is a fee."""

LABEL_OF_SECTION: Final[dict[str, str]] = {Section.TOP_UP: "Credit bought", Section.GRANT: "Credit given"}


@dataclass(frozen=True, slots=True)
class Movement:
    """What one entry did to the balance, as one section sees it."""

    section: Section
    label: str
    happened_at: datetime
    reference: str
    entry_id: int
    amount: Decimal


@dataclass(slots=True)
class Movements:
    """Of one wallet. used: by meter, what its usage took from the balance (net of what went back)."""

    used: dict[str, Decimal] = field(default_factory=dict)
    others: list[Movement] = field(default_factory=list)


def read_movements(spans: Sequence[Span]) -> dict[int, Movements]:
    """By wallet's row id; the amounts of a wallet add up to closing - opening."""
    found = {span.wallet_id: Movements() for span in spans}
    values: list[Any] = [
        array_literal(span.wallet_id for span in spans),
        array_literal(span.bucket for span in spans),
        array_literal(span.low for span in spans),
        array_literal(span.high for span in spans),
        sorted(wallet_side_kinds()),
    ]
    with connection.cursor() as cursor:
        cursor.execute(_USED, values)
        for wallet_id, meter, amount in cursor.fetchall():
            found[wallet_id].used[meter] = -amount
        cursor.execute(_OTHERS, values)
        for wallet_id, entry_id, kind, at, reference, reason, paid, fee, amount in cursor.fetchall():
            section = _section(kind, paid=paid, fee=bool(fee))
            label = LABEL_OF_SECTION.get(section) or (fee.partition(":")[2] or fee if fee else LABELS.get(kind, kind.title()))
            text = f"{label}: {reason}" if reason else label
            found[wallet_id].others.append(Movement(section, text[:300], at, reference, entry_id, amount))
    return found


def _section(kind: str, *, paid: bool, fee: bool) -> Section:
    if fee:
        return Section.FEE
    section = SECTION_OF_KIND.get(kind, Section.ADJUSTMENT)
    return Section.GRANT if section == Section.TOP_UP and not paid else section


def total_of(movements: Movements) -> Decimal:
    """What all of it did to the balance."""
    return sum((one.amount for one in movements.others), ZERO) - sum(movements.used.values(), ZERO)


_POSTINGS: Final = """
    FROM unnest(%s::bigint[], %s::smallint[], %s::bigint[], %s::bigint[]) AS k(wallet_id, bucket, low, high)
    JOIN wallets_journalentry e ON e.bucket = k.bucket AND e.wallet_id = k.wallet_id
        AND e.wallet_version > k.low AND e.wallet_version <= k.high
    JOIN wallets_posting p ON p.bucket = e.bucket AND p.entry_id = e.id
    JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = ANY(%s)
    LEFT JOIN wallets_ledgeraccount c ON c.id = p.contra_id
"""
_USED: Final = f"SELECT e.wallet_id, c.qualifier, sum(p.amount) {_POSTINGS} WHERE c.kind = 'REVENUE' GROUP BY 1, 2"
_OTHERS: Final = f"""
    SELECT e.wallet_id, e.id, e.kind, e.at, e.reference, e.reason, bool_or(a.kind = 'PREPAID_LIABILITY'),
           CASE WHEN c.kind = 'FEES' THEN c.qualifier ELSE '' END AS fee, sum(p.amount)
    {_POSTINGS}
    WHERE c.kind IS DISTINCT FROM 'REVENUE'
    GROUP BY e.wallet_id, e.id, e.wallet_version, fee
    HAVING sum(p.amount) <> 0
    ORDER BY e.wallet_id, e.wallet_version, fee
"""  # noqa: S608 - of constants
