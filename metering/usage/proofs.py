"""Proofs over usage: nothing is charged twice (I3), nothing that was taken is lost (I4), charges are what the journal earned,
roll-ups are what was charged, amounts are price times quantity (I10); what depends on earlier usage is in
`counted_proofs.py`. Set-based SQL, in one pass each; `%s` in `format` is
PostgreSQL's."""

from __future__ import annotations

from typing import Final

from metering.usage.counted_proofs import PROOFS as COUNTED
from metering.usage.days import usage_days_hold
from wallets.ledger.proof import Proof, Prover, prove_rows


def events_stand_once() -> Proof:
    """An event id stands once per account, in the account's bucket."""
    return prove_rows(
        "Every event id stands once per account",
        "I3",
        """
        SELECT CASE
            WHEN e.copies > 1 THEN format('event %L of account %s stands %s times', e.event_id, a.key, e.copies)
            WHEN a.id IS NULL THEN format('event %L is of account row %s, which does not exist', e.event_id, e.account_id)
            WHEN a.bucket <> e.bucket
                THEN format('event %L of account %s stands in bucket %s', e.event_id, a.key, e.bucket)
        END
        FROM (
            SELECT bucket, account_id, event_id, count(*) AS copies FROM metering_usageevent
            GROUP BY bucket, account_id, event_id
        ) e
        LEFT JOIN wallets_account a ON a.id = e.account_id
        """,
    )


def events_are_accounted_for() -> Proof:
    """Every event is charged, waits for a price, or was voided; what waits is not charged."""
    return prove_rows(
        "Every event received is charged, parked or voided",
        "I4",
        """
        SELECT CASE
            WHEN c.event_id IS NULL AND v.event_id IS NULL AND (d.event_id IS NULL OR d.replayed_at IS NOT NULL)
                THEN format('event %L (row %s) is neither charged nor parked nor voided', e.event_id, e.id)
            WHEN c.event_id IS NOT NULL AND d.event_id IS NOT NULL AND d.replayed_at IS NULL
                THEN format('event %L (row %s) is charged and waits for a price', e.event_id, e.id)
        END
        FROM metering_usageevent e
        LEFT JOIN metering_charge c ON c.bucket = e.bucket AND c.event_id = e.id AND c.line = 0
        LEFT JOIN metering_deadletter d ON d.bucket = e.bucket AND d.event_id = e.id
        LEFT JOIN metering_eventvoid v ON v.bucket = e.bucket AND v.event_id = e.id
        """,
    )


def charges_refer_to_what_exists() -> Proof:
    """A charge's event, wallet, meter, price and entry exist and belong together (they carry no foreign keys)."""
    return prove_rows(
        "Every charge belongs to an event, wallet, price and entry that exist",
        "I3",
        """
        SELECT CASE
            WHEN e.id IS NULL THEN format('charge %s/%s is of an event that does not exist', c.event_id, c.line)
            WHEN w.id IS NULL OR w.account_id <> e.account_id OR w.bucket <> c.bucket
                THEN format('charge %s/%s is on wallet row %s, which is not its account''s', c.event_id, c.line, c.wallet_id)
            WHEN p.id IS NULL OR p.meter_id <> c.meter_id
                THEN format('charge %s/%s has price row %s, which is not its meter''s', c.event_id, c.line, c.price_id)
            WHEN c.amount <> 0 AND (c.entry_id IS NULL OR c.line_from IS NULL)
                THEN format('charge %s/%s of %s names no entry', c.event_id, c.line, c.amount)
            WHEN c.entry_id IS NOT NULL AND (j.id IS NULL OR j.wallet_id <> c.wallet_id)
                THEN format('charge %s/%s names entry %s, which is not its wallet''s', c.event_id, c.line, c.entry_id)
        END
        FROM metering_charge c
        LEFT JOIN metering_usageevent e ON e.bucket = c.bucket AND e.id = c.event_id
        LEFT JOIN wallets_wallet w ON w.id = c.wallet_id
        LEFT JOIN pricing_price p ON p.id = c.price_id
        LEFT JOIN wallets_journalentry j ON j.bucket = c.bucket AND j.id = c.entry_id
        """,
    )


def charges_are_the_revenue() -> Proof:
    """By entry and meter, the charges sum to what was posted as revenue."""
    return prove_rows(
        "By entry and meter, charges are the revenue posted",
        "I3",
        """
        SELECT CASE WHEN c.total IS DISTINCT FROM r.total
            THEN format('entry %s, meter %s: charges sum to %s, the revenue posted to %s',
                        coalesce(c.entry_id, r.entry_id), coalesce(c.code, r.code), coalesce(c.total, 0), coalesce(r.total, 0))
        END
        FROM (
            SELECT c.bucket, c.entry_id, m.code, c.total
            FROM (
                SELECT bucket, entry_id, meter_id, sum(amount) AS total FROM metering_charge
                WHERE line_from IS NOT NULL GROUP BY bucket, entry_id, meter_id
            ) c JOIN pricing_meter m ON m.id = c.meter_id
        ) c
        FULL JOIN (
            SELECT p.bucket, p.entry_id, a.qualifier AS code, sum(p.amount) AS total
            FROM wallets_posting p JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = 'REVENUE'
            WHERE a.qualifier <> 'hold.capture'  -- by amount, without an event: proved with the holds
            GROUP BY p.bucket, p.entry_id, a.qualifier
        ) r ON r.bucket = c.bucket AND r.entry_id = c.entry_id AND r.code = c.code
        """,
    )


def charges_lie_end_to_end() -> Proof:
    """On the line of a meter in an entry, each charge begins where the one before it ends: none shares a lot's cent."""
    return prove_rows(
        "Charges lie end to end on their entry's lines",
        "I3",
        """
        SELECT CASE WHEN line_from <> end_before
            THEN format('charge %s/%s begins at %s on meter row %s of entry %s, the one before it ends at %s',
                        event_id, line, line_from, meter_id, entry_id, end_before)
        END
        FROM (
            SELECT event_id, line, entry_id, meter_id, line_from,
                   lag(line_from + abs(amount), 1, 0) OVER (PARTITION BY entry_id, meter_id ORDER BY line_from) AS end_before
            FROM metering_charge WHERE entry_id IS NOT NULL AND line_from IS NOT NULL
        ) laid
        """,
    )


def voids_undo_their_charges() -> Proof:
    """A void mirrors each charge of its event once; nothing else mirrors a charge."""
    return prove_rows(
        "A void undoes each charge of its event, exactly",
        "I7",
        """
        SELECT CASE
            WHEN c.event_id IS NULL THEN format('charge %s/%s undoes a charge that does not exist', r.event_id, r.line)
            WHEN v.event_id IS NULL AND NOT EXISTS (
                SELECT 1 FROM metering_rerateitem i WHERE i.event_id = r.event_id AND i.refused = ''
            ) AND NOT EXISTS (
                SELECT 1 FROM wallets_creditedcharge k WHERE k.event_id = r.event_id AND k.line = r.reverses
            ) THEN format('charge %s/%s undoes one that was not voided, re-rated or credited', r.event_id, r.line)
            WHEN (c.counter_id IS NULL AND (r.quantity, r.amount, r.cost) <> (-c.quantity, -c.amount, -c.cost))
                 OR r.counter_id IS DISTINCT FROM c.counter_id
                 OR (r.wallet_id, r.meter_id, r.price_id) <> (c.wallet_id, c.meter_id, c.price_id)
                THEN format('charge %s/%s does not mirror charge %s', r.event_id, r.line, r.reverses)
        END
        FROM metering_charge r
        LEFT JOIN metering_charge c
            ON c.bucket = r.bucket AND c.event_id = r.event_id AND c.line = r.reverses AND c.reverses IS NULL
        LEFT JOIN metering_eventvoid v ON v.bucket = r.bucket AND v.event_id = r.event_id
        WHERE r.reverses IS NOT NULL
        UNION ALL
        SELECT CASE
            WHEN r.event_id IS NULL THEN format('charge %s/%s stands though its event was voided', c.event_id, c.line)
        END
        FROM metering_eventvoid v
        JOIN metering_charge c ON c.bucket = v.bucket AND c.event_id = v.event_id AND c.reverses IS NULL
        LEFT JOIN metering_charge r ON r.bucket = c.bucket AND r.event_id = c.event_id AND r.reverses = c.line
        """,
    )


def roll_ups_are_the_charges() -> Proof:
    """By account, meter, hour and currency, hourly usage is the sum of the charges."""
    return prove_rows(
        "Hourly usage is the sum of the charges",
        "I3",
        """
        SELECT CASE
            WHEN (c.events, c.quantity, c.amount, c.cost) IS DISTINCT FROM (u.events, u.quantity, u.amount, u.cost)
                THEN format('account row %s, meter row %s, %s: %s events, quantity %s, amount %s charged; %s, %s, %s rolled up',
                            coalesce(c.account_id, u.account_id), coalesce(c.meter_id, u.meter_id), coalesce(c.hour, u.hour),
                            coalesce(c.events, 0), coalesce(c.quantity, 0), coalesce(c.amount, 0),
                            coalesce(u.events, 0), coalesce(u.quantity, 0), coalesce(u.amount, 0))
        END
        FROM (
            SELECT e.bucket, e.account_id, c.meter_id, date_trunc('hour', e.time, 'UTC') AS hour, w.currency,
                   sum(CASE WHEN c.reverses IS NULL THEN 1 ELSE -1 END) AS events,
                   sum(c.quantity) AS quantity, sum(c.amount) AS amount, sum(c.cost) AS cost
            FROM metering_charge c
            JOIN metering_usageevent e ON e.bucket = c.bucket AND e.id = c.event_id
            JOIN wallets_wallet w ON w.id = c.wallet_id
            GROUP BY e.bucket, e.account_id, c.meter_id, date_trunc('hour', e.time, 'UTC'), w.currency
        ) c
        FULL JOIN (
            SELECT bucket, account_id, meter_id, hour, currency, sum(events) AS events, sum(quantity) AS quantity,
                   sum(amount) AS amount, sum(cost) AS cost
            FROM metering_hourlyusage GROUP BY bucket, account_id, meter_id, hour, currency
        ) u ON u.bucket = c.bucket AND u.account_id = c.account_id AND u.meter_id = c.meter_id AND u.hour = c.hour
               AND u.currency = c.currency
        """,
    )


def amounts_are_price_times_quantity() -> Proof:
    """A flat price that nothing else touched (`counted_proofs.py`): amount = unit price x quantity, at least the minimum
    charge; cost = unit cost x quantity; half up, as PostgreSQL rounds."""
    return prove_rows(
        "Amounts are unit price times quantity, at least the minimum charge",
        "I10",
        """
        SELECT CASE WHEN c.amount <> greatest(round(p.unit_price * c.quantity, 12), coalesce(p.minimum_charge, 0))
                      OR c.cost <> round(p.unit_cost * c.quantity, 12)
            THEN format('charge %s/%s: quantity %s at %s (cost %s, minimum %s) is charged %s, cost %s', c.event_id, c.line,
                        c.quantity, p.unit_price, p.unit_cost, coalesce(p.minimum_charge, 0), c.amount, c.cost)
        END
        FROM metering_charge c JOIN pricing_price p ON p.id = c.price_id
        WHERE p.model = 'per_unit' AND p.free_units = 0 AND c.reverses IS NULL AND c.counter_id IS NULL AND c.allowance IS NULL
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (
    events_stand_once,
    events_are_accounted_for,
    charges_refer_to_what_exists,
    charges_are_the_revenue,
    charges_lie_end_to_end,
    roll_ups_are_the_charges,
    voids_undo_their_charges,
    amounts_are_price_times_quantity,
    usage_days_hold,
    *COUNTED,
)
