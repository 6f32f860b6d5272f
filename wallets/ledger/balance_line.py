"""What a wallet held at many moments at once, for a line over time: found by halving its versions, not by reading them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from wallets.balances.models import Wallet
from wallets.money import ZERO

# All moments are looked for together: one round of index look-ups for each doubling of the wallet's entries.
_SEARCH: Final = """
WITH RECURSIVE search (number, at, low, high) AS (
    SELECT number, at, 0::bigint, %(version)s::bigint
    FROM unnest(%(moments)s::timestamptz[]) WITH ORDINALITY AS one (at, number)
  UNION ALL
    SELECT s.number, s.at,
           CASE WHEN e.at <= s.at THEN (s.low + s.high + 1) / 2 ELSE s.low END,
           CASE WHEN e.at <= s.at THEN s.high ELSE (s.low + s.high + 1) / 2 - 1 END
    FROM search s
    JOIN wallets_journalentry e
      ON e.bucket = %(bucket)s AND e.wallet_id = %(wallet)s AND e.wallet_version = (s.low + s.high + 1) / 2
    WHERE s.low < s.high
)
SELECT s.number, e.balance_after
FROM search s
JOIN wallets_journalentry e ON e.bucket = %(bucket)s AND e.wallet_id = %(wallet)s AND e.wallet_version = s.low
WHERE s.low = s.high
"""


def balances_at(*, wallet: Wallet, moments: Sequence[datetime]) -> list[Decimal]:
    """What the wallet held at each of these moments, entries of that instant included; zero before its first entry. One query,
    which reads as many entries a moment as its number of entries has doublings.

    Where clocks of several machines disagree, neighbouring entries may be taken for each other.
    """
    balances = [ZERO] * len(moments)
    with connection.cursor() as cursor:
        cursor.execute(
            _SEARCH,
            {"moments": list(moments), "version": wallet.version, "bucket": wallet.bucket, "wallet": wallet.pk},
        )
        for number, balance in cursor.fetchall():
            balances[number - 1] = balance
    return balances
