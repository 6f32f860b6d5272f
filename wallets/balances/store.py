"""Write locked wallets back: one statement for all of them."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection

from wallets.balances.lock import LockedWallet
from wallets.bulk import array_literal


def store_wallets(wallets: Sequence[LockedWallet], *, bucket: int) -> None:
    """Write the figures of wallets locked in this transaction (all of one bucket)."""
    with connection.cursor() as cursor:
        cursor.execute(
            """UPDATE wallets_wallet w
               SET balance = v.balance, overdraft = v.overdraft, version = v.version, head_hash = v.head_hash,
                   reference_balance = v.reference_balance, armed_percent = v.armed_percent,
                   crossing_number = v.crossing_number, recharge_armed = v.recharge_armed, armed_amount = v.armed_amount
               FROM unnest(%s::bigint[], %s::numeric[], %s::numeric[], %s::bigint[], %s::bytea[], %s::numeric[],
                           %s::smallint[], %s::bigint[], %s::boolean[], %s::numeric[])
                    AS v(id, balance, overdraft, version, head_hash, reference_balance, armed_percent, crossing_number,
                         recharge_armed, armed_amount)
               WHERE w.bucket = %s AND w.id = v.id""",
            [
                array_literal([w.id for w in wallets]),
                array_literal([w.balance for w in wallets]),
                array_literal([w.overdraft for w in wallets]),
                array_literal([w.version for w in wallets]),
                array_literal([f'"\\\\x{w.head_hash.hex()}"' for w in wallets]),
                array_literal([w.reference_balance for w in wallets]),
                array_literal([w.armed_percent for w in wallets]),
                array_literal([w.crossing_number for w in wallets]),
                array_literal([w.recharge_armed for w in wallets]),
                array_literal(["NULL" if w.armed_amount is None else w.armed_amount for w in wallets]),
                bucket,
            ],
        )
        assert cursor.rowcount == len(wallets), ([w.id for w in wallets], cursor.rowcount)
