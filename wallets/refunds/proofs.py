"""Proofs over money that goes back: each refund and dispute has booked what it says, and its top-up stands as they make it."""

from __future__ import annotations

from typing import Final

from wallets.ledger.chart import wallet_side_kinds
from wallets.ledger.proof import Proof, Prover, prove_rows

_WALLET_SIDE: Final = ", ".join(f"'{kind}'" for kind in sorted(wallet_side_kinds()))

# What the journal says about each refund and dispute: credits positive. A lot that ended meanwhile, and what is written off,
# are entries of other kinds.
_BOOKED: Final = f"""
    SELECT e.reference, e.kind,
           coalesce(sum(p.amount) FILTER (WHERE a.kind IN ({_WALLET_SIDE})), 0) AS wallet,
           coalesce(sum(p.amount) FILTER (WHERE a.kind = 'CASH_CLEARING'), 0) AS cash,
           coalesce(sum(p.amount) FILTER (WHERE a.kind = 'TAX_PAYABLE'), 0) AS tax,
           coalesce(sum(p.amount) FILTER (WHERE a.kind = 'FEES'), 0) AS fee,
           coalesce(sum(p.amount) FILTER (WHERE a.kind IN ('REFUNDS', 'DISPUTES_RECEIVABLE')), 0) AS waiting
    FROM wallets_posting p
    JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id
    JOIN wallets_journalentry e ON e.bucket = p.bucket AND e.id = p.entry_id
    WHERE e.kind IN ('REFUND', 'DISPUTE') GROUP BY e.reference, e.kind
"""  # noqa: S608 - of constants


def refunds_are_booked() -> Proof:
    """What a refund took out of its wallet, off the tax and out of the till is what its row says, in its state."""
    return prove_rows(
        "Every refund has booked what it says: credit, tax, fee and money",
        "I2",
        f"""
        SELECT CASE
            WHEN r.public_id IS NULL THEN format('there are entries of refund %s, which does not exist', b.reference)
            WHEN coalesce(b.wallet, 0) <> CASE WHEN r.taken THEN -(r.credit + r.bonus) ELSE 0 END
                THEN format('refund %s (%s) of %s and bonus %s changed its wallet by %s',
                            r.public_id, r.state, r.credit, r.bonus, coalesce(b.wallet, 0))
            WHEN (coalesce(b.tax, 0), coalesce(b.fee, 0)) <> (CASE WHEN r.taken THEN -r.tax ELSE 0 END,
                                                              CASE WHEN r.taken THEN -r.fee ELSE 0 END)
                THEN format('refund %s (%s) gives back %s tax and %s fee, booked are %s and %s',
                            r.public_id, r.state, r.tax, r.fee, -coalesce(b.tax, 0), -coalesce(b.fee, 0))
            WHEN coalesce(b.cash, 0) <> CASE WHEN r.state = 'SUCCEEDED' THEN r.total ELSE 0 END
                THEN format('refund %s (%s) of %s has sent %s', r.public_id, r.state, r.total, coalesce(b.cash, 0))
            WHEN coalesce(b.waiting, 0) <> CASE WHEN r.state IN ('CREATED', 'PENDING') THEN r.total ELSE 0 END
                THEN format('refund %s (%s) of %s has %s on its way', r.public_id, r.state, r.total, coalesce(b.waiting, 0))
        END
        FROM (SELECT *, state IN ('CREATED', 'PENDING', 'SUCCEEDED') AS taken FROM wallets_refund) r
        FULL JOIN (SELECT * FROM ({_BOOKED}) b WHERE b.kind = 'REFUND') b ON b.reference = r.public_id
        """,  # noqa: S608 - of constants
    )


def disputes_are_booked() -> Proof:
    """What a dispute froze, withheld and lost is what its row says, in its state."""
    return prove_rows(
        "Every dispute has booked what it says: frozen, withheld, lost",
        "I2",
        f"""
        SELECT CASE
            WHEN d.public_id IS NULL THEN format('there are entries of dispute %s, which does not exist', b.reference)
            WHEN coalesce(b.wallet, 0) <> CASE WHEN d.frozen THEN -(d.credit + d.bonus) ELSE 0 END
                THEN format('dispute %s (%s) of %s and bonus %s changed its wallet by %s',
                            d.public_id, d.state, d.credit, d.bonus, coalesce(b.wallet, 0))
            WHEN coalesce(b.cash, 0) <> CASE WHEN d.frozen THEN d.total ELSE 0 END
                THEN format('dispute %s (%s) over %s has withheld %s', d.public_id, d.state, d.total, coalesce(b.cash, 0))
            WHEN coalesce(b.waiting, 0) <> CASE WHEN d.state = 'OPEN' THEN -d.total ELSE 0 END
                THEN format('dispute %s (%s) over %s has %s to come back',
                            d.public_id, d.state, d.total, -coalesce(b.waiting, 0))
            WHEN (coalesce(b.tax, 0), coalesce(b.fee, 0)) <> (CASE WHEN d.state = 'LOST' THEN -d.tax ELSE 0 END,
                                                              CASE WHEN d.state = 'LOST' THEN -d.fee ELSE 0 END)
                THEN format('dispute %s (%s) lost %s tax and %s fee, booked are %s and %s',
                            d.public_id, d.state, d.tax, d.fee, -coalesce(b.tax, 0), -coalesce(b.fee, 0))
        END
        FROM (SELECT *, state IN ('OPEN', 'LOST') AS frozen FROM wallets_dispute) d
        FULL JOIN (SELECT * FROM ({_BOOKED}) b WHERE b.kind = 'DISPUTE') b ON b.reference = d.public_id
        """,  # noqa: S608 - of constants
    )


def top_ups_tie_to_their_refunds() -> Proof:
    """A top-up of which money goes back is in the state that follows, and no more goes back than was paid."""
    return prove_rows(
        "Every top-up stands as its refunds and disputes make it, and gave back no more than was paid",
        "I9",
        """
        SELECT CASE
            WHEN g.refunded > t.total
                THEN format('top-up %s of %s gave back %s', t.public_id, t.total, g.refunded)
            WHEN t.lot_id IS NULL THEN format('top-up %s gave back %s and was never credited', t.public_id, g.refunded)
            WHEN t.state <> CASE WHEN g.disputed THEN 'DISPUTED' WHEN g.settled >= t.amount THEN 'REFUNDED' ELSE 'SUCCEEDED' END
                THEN format('top-up %s is %s with %s of %s refunded', t.public_id, t.state, g.settled, t.amount)
        END
        FROM wallets_topup t
        JOIN (
            SELECT top_up_id, sum(refunded) AS refunded, sum(settled) AS settled, bool_or(disputed) AS disputed
            FROM (
                SELECT top_up_id, CASE WHEN state IN ('CREATED', 'PENDING', 'SUCCEEDED') THEN total ELSE 0 END AS refunded,
                       CASE WHEN state = 'SUCCEEDED' THEN credit ELSE 0 END AS settled, false AS disputed
                FROM wallets_refund
                UNION ALL
                SELECT top_up_id, 0, 0, state IN ('OPEN', 'LOST') FROM wallets_dispute
            ) parts
            GROUP BY top_up_id
        ) g ON g.top_up_id = t.id
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (refunds_are_booked, disputes_are_booked, top_ups_tie_to_their_refunds)
