"""Reading and writing the lots of locked wallets, many at a time."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection

from wallets.bulk import array_literal, binary_rows
from wallets.credit.burn_down import Lot
from wallets.credit.models import CreditLot

State = CreditLot.State
EVERYTHING: Final[frozenset[str]] = frozenset()


def drawable_lots(wallet_ids: Collection[int], *, bucket: int, at: datetime) -> tuple[dict[int, list[Lot]], frozenset[int]]:
    """The open lots of money of locked wallets, by wallet, oldest first (empty for a wallet without any); and the wallets
    that have a scheduled lot whose time has come by `at`, to be activated first. One query."""
    lots: dict[int, list[Lot]] = {wallet_id: [] for wallet_id in wallet_ids}
    due: set[int] = set()
    for wallet_id, lot_id, kind, priority, effective_at, expires_at, remaining, meters in binary_rows(
        """SELECT wallet_id, id, kind, priority, effective_at, expires_at, remaining, meters FROM wallets_creditlot
           WHERE bucket = %s AND wallet_id = ANY(%s) AND state IN ('OPEN', 'SCHEDULED') AND unit_meter = ''
             AND (state = 'OPEN' OR effective_at <= %s) ORDER BY id""",
        [bucket, list(wallet_ids), at],
    ):
        if not remaining:  # scheduled: an open lot holds something (lot_open_exactly_while_it_has_credit)
            due.add(wallet_id)
            continue
        scope = frozenset(meters) if meters else EVERYTHING
        lots[wallet_id].append(Lot(lot_id, kind, priority, effective_at, expires_at, remaining, scope))
    return lots, frozenset(due)


def store_remainders(remainders: Iterable[tuple[int, Decimal]], *, bucket: int) -> None:
    """Write what lots still hold, by lot row id; a lot is OPEN while it holds something, else EXHAUSTED."""
    pairs = list(remainders)
    if not pairs:
        return
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE wallets_creditlot l
               SET remaining = v.remaining, state = v.state
               FROM unnest(%s::bigint[], %s::numeric[], %s::text[]) AS v(id, remaining, state)
               WHERE l.bucket = %s AND l.id = v.id""",
            [
                array_literal([lot_id for lot_id, _ in pairs]),
                array_literal([remaining for _, remaining in pairs]),
                array_literal([State.OPEN.value if remaining else State.EXHAUSTED.value for _, remaining in pairs]),
                bucket,
            ],
        )
        assert cursor.rowcount == len(pairs), (pairs, cursor.rowcount)
