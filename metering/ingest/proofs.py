"""Proof over arrival (I4): what was received is rated, parked, duplicate or rejected, and the tables hold what was counted."""

from __future__ import annotations

from typing import Final

from wallets.ledger.proof import Proof, Prover, prove_rows


def nothing_received_is_lost() -> Proof:
    """By bucket: received = rated + parked + duplicate + rejected; as many events stand as were rated or parked on arrival,
    and as many dead letters as were parked."""
    return prove_rows(
        "Received = rated + parked + duplicate + rejected",
        "I4",
        """
        SELECT CASE
            WHEN t.received <> t.rated + t.parked + t.duplicates + t.rejected
                THEN format('bucket %s: %s received, %s rated, %s parked, %s duplicates, %s rejected', t.bucket, t.received,
                            t.rated, t.parked, t.duplicates, t.rejected)
            WHEN coalesce(e.events, 0) <> coalesce(t.rated + t.parked, 0)
                THEN format('bucket %s: %s events stand, %s were rated and %s parked when they arrived',
                            coalesce(t.bucket, e.bucket), coalesce(e.events, 0), coalesce(t.rated, 0), coalesce(t.parked, 0))
            WHEN coalesce(d.letters, 0) <> coalesce(t.parked, 0)
                THEN format('bucket %s: %s dead letters stand, %s events were parked', coalesce(t.bucket, e.bucket),
                            coalesce(d.letters, 0), coalesce(t.parked, 0))
        END
        FROM (
            SELECT bucket, sum(received) AS received, sum(rated) AS rated, sum(parked) AS parked,
                   sum(duplicates) AS duplicates, sum(rejected) AS rejected
            FROM metering_ingesttally GROUP BY bucket
        ) t
        FULL JOIN (SELECT bucket, count(*) AS events FROM metering_usageevent GROUP BY bucket) e ON e.bucket = t.bucket
        LEFT JOIN (SELECT bucket, count(*) AS letters FROM metering_deadletter GROUP BY bucket) d
            ON d.bucket = coalesce(t.bucket, e.bucket)
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (nothing_received_is_lost,)
