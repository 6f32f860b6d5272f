"""Proofs over subscriptions: what periods say was paid, given back and granted is what stands in the journal and the lots."""

from __future__ import annotations

from typing import Final

from wallets.ledger.proof import Proof, Prover, prove_rows


def fees_are_posted() -> Proof:
    """The fee of a period is what its journal entry posted."""
    return prove_rows(
        "Every fee of a period is what its entry posted",
        "I2",
        """
        SELECT CASE WHEN p.total IS DISTINCT FROM f.amount
            THEN format('the fee of %s in period %s of %s is %s, entry %s posted %s',
                        pl.code, sp.index, s.public_id, f.amount, f.entry_id, coalesce(p.total, 0))
        END
        FROM pricing_periodfee f
        JOIN pricing_plan pl ON pl.id = f.plan_id
        JOIN pricing_subscriptionperiod sp ON sp.id = f.period_id
        JOIN pricing_subscription s ON s.id = sp.subscription_id
        LEFT JOIN (
            SELECT p.entry_id, a.qualifier, sum(p.amount) AS total
            FROM wallets_posting p JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = 'FEES'
            GROUP BY p.entry_id, a.qualifier
        ) p ON p.entry_id = f.entry_id AND p.qualifier = 'subscription:' || pl.code
        WHERE f.entry_id IS NOT NULL
        """,
    )


def refunds_are_posted() -> Proof:
    """What fees of a subscription gave back is what was posted for it."""
    return prove_rows(
        "What was given back of a subscription's fees was posted",
        "I2",
        """
        SELECT CASE WHEN f.refunded <> coalesce(p.total, 0)
            THEN format('%s of the fees of %s was given back, posted was %s', f.refunded, f.public_id, coalesce(p.total, 0))
        END
        FROM (
            SELECT s.public_id, sum(f.refunded) AS refunded
            FROM pricing_subscription s
            JOIN pricing_subscriptionperiod sp ON sp.subscription_id = s.id
            JOIN pricing_periodfee f ON f.period_id = sp.id GROUP BY s.public_id
        ) f
        LEFT JOIN (
            SELECT e.reference, -sum(p.amount) AS total
            FROM wallets_journalentry e
            JOIN wallets_posting p ON p.bucket = e.bucket AND p.entry_id = e.id
            JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = 'FEES'
            WHERE e.kind = 'GIVE_BACK' GROUP BY e.reference
        ) p ON p.reference = f.public_id
        """,
    )


def allowances_are_lots() -> Proof:
    """What a period got is held by a lot of the subscription's wallet and of the meter; what rolled over was left over."""
    return prove_rows(
        "Units of a period are lots of its wallet, and no more rolled over than was left",
        "I2",
        """
        SELECT CASE
            WHEN l.amount <> a.quantity OR l.unit_meter <> m.code OR l.wallet_id <> s.wallet_id
                THEN format('period %s of %s got %s of %s, its lot %s holds %s of %s',
                            sp.index, s.public_id, a.quantity, m.code, l.public_id, l.amount, l.unit_meter)
            WHEN a.quantity > old.amount
                THEN format('%s rolled over from lot %s, which never held more than %s', a.quantity, old.public_id, old.amount)
        END
        FROM pricing_periodallowance a
        JOIN pricing_meter m ON m.id = a.meter_id
        JOIN pricing_subscriptionperiod sp ON sp.id = a.period_id
        JOIN pricing_subscription s ON s.id = sp.subscription_id
        LEFT JOIN wallets_creditlot l ON l.id = a.lot_id
        LEFT JOIN wallets_creditlot old ON old.id = a.rolled_from_id
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (fees_are_posted, refunds_are_posted, allowances_are_lots)
