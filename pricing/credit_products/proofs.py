"""Proofs over what was sold and given: vouchers and purchases stand against their lots."""

from __future__ import annotations

from typing import Final

from wallets.ledger.proof import Proof, Prover, prove_rows


def vouchers_are_redeemed_as_counted() -> Proof:
    """A code was used as often as it was redeemed, each time for a lot of what its batch is worth."""
    return prove_rows(
        "Every voucher was redeemed as often as it says, for what it is worth",
        "I2",
        """
        SELECT CASE
            WHEN c.used <> coalesce(r.redeemed, 0)
                THEN format('voucher …%s of %s says it was used %s times, it was redeemed %s times',
                            c.hint, b.public_id, c.used, coalesce(r.redeemed, 0))
            WHEN r.least <> b.amount OR r.most <> b.amount
                THEN format('voucher …%s of %s is worth %s, it gave %s to %s', c.hint, b.public_id, b.amount, r.least, r.most)
        END
        FROM pricing_vouchercode c
        JOIN pricing_voucherbatch b ON b.id = c.batch_id
        LEFT JOIN (
            SELECT r.code_id, count(*) AS redeemed, min(l.amount) AS least, max(l.amount) AS most
            FROM pricing_voucherredemption r JOIN wallets_creditlot l ON l.id = r.lot_id GROUP BY r.code_id
        ) r ON r.code_id = c.id
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (vouchers_are_redeemed_as_counted,)
