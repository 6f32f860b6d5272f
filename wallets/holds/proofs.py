"""Proofs over holds: what wallets hold is what holds set aside, and what was captured without an event was charged."""

from __future__ import annotations

from typing import Final

from wallets.ledger.proof import Proof, Prover, prove_rows


def wallets_hold_what_is_open() -> Proof:
    """A wallet's `held` is the sum of its open holds, none of which ends before it knows."""
    return prove_rows(
        "Every wallet holds the sum of its open holds, and knows when the first ends",
        "I2",
        """
        SELECT CASE
            WHEN w.held <> coalesce(h.amount, 0)
                THEN format('wallet %s holds %s, its open holds sum to %s', w.public_id, w.held, coalesce(h.amount, 0))
            WHEN h.first_end IS NOT NULL AND (w.next_lapse_at IS NULL OR w.next_lapse_at > h.first_end)
                THEN format('wallet %s has a hold that ends at %s, it looks at %s', w.public_id, h.first_end, w.next_lapse_at)
            WHEN h.strangers > 0 THEN format('wallet %s has a hold in another bucket', w.public_id)
        END
        FROM wallets_wallet w
        LEFT JOIN (
            SELECT h.wallet_id, sum(h.amount) AS amount, min(h.expires_at) AS first_end,
                   count(*) FILTER (WHERE h.bucket <> o.bucket) AS strangers
            FROM wallets_hold h JOIN wallets_wallet o ON o.id = h.wallet_id WHERE h.state = 'OPEN' GROUP BY h.wallet_id
        ) h ON h.wallet_id = w.id
        """,
    )


def captures_are_charged() -> Proof:
    """What holds were captured for by amount is the revenue of captures, hold by hold."""
    return prove_rows(
        "What was captured without an event is the revenue of captures",
        "I5",
        """
        SELECT CASE
            WHEN h.public_id IS NULL THEN format('revenue of %s was captured for %s, which is no hold', r.amount, r.reference)
            WHEN h.amount <> coalesce(r.amount, 0)
                THEN format('hold %s was captured for %s, the revenue posted is %s',
                            h.public_id, h.amount, coalesce(r.amount, 0))
        END
        FROM (
            SELECT public_id, substr(captured_by, 8)::numeric AS amount FROM wallets_hold WHERE captured_by LIKE 'amount:%'
        ) h
        FULL JOIN (
            SELECT e.reference, sum(p.amount) AS amount
            FROM wallets_posting p
            JOIN wallets_ledgeraccount a
                ON a.id = p.ledger_account_id AND a.kind = 'REVENUE' AND a.qualifier = 'hold.capture'
            JOIN wallets_journalentry e ON e.bucket = p.bucket AND e.id = p.entry_id
            GROUP BY e.reference
        ) r ON r.reference = h.public_id
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (wallets_hold_what_is_open, captures_are_charged)
