"""The hash of a journal entry over the one before it in its wallet (I7). Pure.

The same text is built by `proofs.py` in SQL, so every form here is one that PostgreSQL prints too: amounts with 12
decimals, times as microseconds since 1970, nothing for NULL, fields parted by the unit separator (U+001F).
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from hashlib import sha256
from typing import Final

from wallets.money import scaled_text

SEPARATOR: Final = "\x1f"
EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND: Final = timedelta(microseconds=1)

PostingText = str


def microseconds(moment: datetime) -> int:
    """Microseconds since 1970-01-01 UTC, exact."""
    return (moment - EPOCH) // MICROSECOND


def posting_text(
    line: int,
    ledger_account_id: int,
    contra_id: int | None,
    lot_id: int | None,
    currency: str,
    amount: Decimal,
    line_from: Decimal | None,
) -> PostingText:
    """One posting; nothing for None."""
    start = "" if line_from is None else scaled_text(line_from)
    return f"{line}:{ledger_account_id}:{contra_id or ''}:{lot_id or ''}:{currency}:{scaled_text(amount)}:{start}"


def entry_hash(  # noqa: PLR0913 - everything an entry says
    before: bytes,
    *,
    wallet_id: int,
    wallet_version: int,
    kind: str,
    currency: str,
    at: datetime,
    balance_after: Decimal,
    overdraft_after: Decimal,
    reverses_id: int | None,
    reference: str,
    reason: str,
    actor: str,
    postings: Sequence[PostingText],
) -> bytes:
    """SHA-256 over the hash before it (empty for a wallet's first entry), the entry and its postings in line order."""
    text = (
        f"{wallet_id}\x1f{wallet_version}\x1f{kind}\x1f{currency}\x1f{microseconds(at)}\x1f{scaled_text(balance_after)}"
        f"\x1f{scaled_text(overdraft_after)}\x1f{reverses_id or ''}\x1f{reference}\x1f{reason}\x1f{actor}"
        f"\x1f{';'.join(postings)}"
    )
    return sha256(before + text.encode()).digest()
