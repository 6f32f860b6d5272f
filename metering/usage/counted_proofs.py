"""Proofs over charges that depend on earlier usage (I10): the charges of a period add up to the price of its net total, what
went back was drawn, and allowances lost what charges say they covered."""

from __future__ import annotations

from typing import Final

from django.db import connection, transaction

from pricing.books.in_force import terms_of
from pricing.books.models import Price
from pricing.rating.rate import change, is_cumulative
from wallets.ledger.proof import Proof, Prover, prove_rows, prove_things

SOME: Final = 5_000
_PLACE_IN_RUN: Final = (
    "r.prior_places + row_number() OVER (PARTITION BY c.counter_id, c.entry_id, c.counter_place IS NULL ORDER BY c.event_id)"
)


def periods_add_up() -> Proof:
    """At a cumulative price, the charges of a wallet and period add up to the price of what the counter says was priced, and
    the counter says what its charges do. One sum in the database; the prices are worked out here, as rating does."""
    faults: dict[str, str | None] = {}
    terms = {price.pk: terms_of(price) for price in Price.objects.filter(pk__in=_counted_prices())}
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """DECLARE counters NO SCROLL CURSOR FOR
               SELECT k.id, k.wallet_id, k.price_id, k.period_start, k.quantity, k.measured, k.places,
                      coalesce(c.amount, 0), coalesce(c.quantity, 0), coalesce(c.places, 0)
               FROM pricing_pricecounter k
               LEFT JOIN (
                   SELECT counter_id, sum(amount) AS amount, sum(quantity) AS quantity, count(*) AS places
                   FROM metering_charge WHERE counter_id IS NOT NULL GROUP BY counter_id
               ) c ON c.counter_id = k.id"""
        )
        while True:
            cursor.execute(f"FETCH {SOME} FROM counters")
            rows = cursor.fetchall()
            for counter_id, wallet_id, price_id, period, quantity, measured, places, amount, counted, charges in rows:
                thing = f"counter {counter_id} (wallet row {wallet_id}, price row {price_id}, period from {period:%Y-%m-%d})"
                price = terms[price_id]
                faults[thing] = None
                if places != charges:
                    faults[thing] = f"has given {places} places, {charges} charges have one"
                elif measured and measured != counted:
                    faults[thing] = f"stands at {measured:f}, its charges at {counted:f}"
                elif is_cumulative(price) and change(price, 0, quantity)[0] != amount:
                    faults[thing] = f"has priced {quantity:f}: {change(price, 0, quantity)[0]:f}; its charges sum to {amount:f}"
            if not rows:
                break
    return prove_things("The charges of a period add up to the price of its net total", "I10", faults)


def _counted_prices() -> list[int]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT DISTINCT price_id FROM pricing_pricecounter")
        return [row[0] for row in cursor.fetchall()]


def allowances_cover_what_charges_say() -> Proof:
    """By entry and meter, the units that charges say allowances covered are those posted."""
    return prove_rows(
        "Allowances lost what charges say they covered",
        "I2",
        """
        SELECT CASE WHEN c.total IS DISTINCT FROM u.total
            THEN format('entry %s, meter %s: charges say %s units were covered, %s were posted',
                        coalesce(c.entry_id, u.entry_id), coalesce(c.code, u.code), coalesce(c.total, 0), coalesce(u.total, 0))
        END
        FROM (
            SELECT c.bucket, c.entry_id, m.code, sum(c.allowance) AS total
            FROM metering_charge c JOIN pricing_meter m ON m.id = c.meter_id
            WHERE c.allowance IS NOT NULL GROUP BY c.bucket, c.entry_id, m.code
        ) c
        FULL JOIN (
            SELECT p.bucket, p.entry_id, a.qualifier AS code, sum(p.amount) AS total
            FROM wallets_posting p JOIN wallets_ledgeraccount a ON a.id = p.ledger_account_id AND a.kind = 'ALLOWANCE_USED'
            GROUP BY p.bucket, p.entry_id, a.qualifier
        ) u ON u.bucket = c.bucket AND u.entry_id = c.entry_id AND u.code = c.code
        """,
    )


def what_went_back_was_drawn() -> Proof:
    """A charge below zero names the draws it gave back, all of its counter; none gave back more than it drew."""
    return prove_rows(
        "What a falling price gave back was drawn at it before",
        "I7",
        """
        SELECT CASE WHEN r.total > c.amount OR c.event_id IS NULL
            THEN format('charge %s/%s drew %s, of which %s went back', r.event_id, r.line, c.amount, r.total)
        END
        FROM (
            SELECT bucket, event_id, line, sum(amount) AS total FROM metering_returneddraw GROUP BY bucket, event_id, line
        ) r
        LEFT JOIN metering_charge c ON c.bucket = r.bucket AND c.event_id = r.event_id AND c.line = r.line
        UNION ALL
        SELECT CASE WHEN c.amount <> -r.total OR c.event_id IS NULL OR r.others > 0
            THEN format('charge %s/%s of %s gave back %s', r.by_event_id, r.by_line, c.amount, r.total)
        END
        FROM (
            SELECT r.bucket, r.by_event_id, r.by_line, sum(r.amount) AS total,
                   count(*) FILTER (WHERE drawn.counter_id IS DISTINCT FROM cause.counter_id) AS others
            FROM metering_returneddraw r
            LEFT JOIN metering_charge drawn ON drawn.bucket = r.bucket AND drawn.event_id = r.event_id AND drawn.line = r.line
            LEFT JOIN metering_charge cause
                ON cause.bucket = r.bucket AND cause.event_id = r.by_event_id AND cause.line = r.by_line
            GROUP BY r.bucket, r.by_event_id, r.by_line
        ) r
        LEFT JOIN metering_charge c ON c.bucket = r.bucket AND c.event_id = r.by_event_id AND c.line = r.by_line
        """,
    )


def draws_are_stacked() -> Proof:
    """A charge names a charge of its own counter that drew before it, itself or by its run, and the counter names one of its
    own: what goes back is found from there down."""
    return prove_rows(
        "What a counter's charges drew is found from the last one down",
        "I7",
        f"""
        WITH placed AS (
            SELECT c.bucket, c.event_id, c.line, c.counter_id, c.amount, c.previous_event, c.previous_line,
                   coalesce(c.counter_place, {_PLACE_IN_RUN}) AS place
            FROM metering_charge c
            LEFT JOIN metering_counterrun r ON c.counter_place IS NULL
                AND r.bucket = c.bucket AND r.counter_id = c.counter_id AND r.entry_id = c.entry_id
            WHERE c.counter_id IS NOT NULL
        ), named AS (
            SELECT bucket, counter_id, event_id, line, place, previous_event, previous_line
            FROM placed WHERE previous_event IS NOT NULL
            UNION ALL
            SELECT bucket, counter_id, first_event, NULL, prior_places + 1, drew_event, drew_line
            FROM metering_counterrun WHERE drew_event IS NOT NULL
        )
        SELECT CASE WHEN below.counter_id IS DISTINCT FROM c.counter_id OR below.amount <= 0 OR below.place >= c.place
            THEN format('charge %s/%s names %s/%s below it, which did not draw before it for its counter',
                        c.event_id, c.line, c.previous_event, c.previous_line)
        END
        FROM named c
        LEFT JOIN placed below
            ON below.bucket = c.bucket AND below.event_id = c.previous_event AND below.line = c.previous_line
        UNION ALL
        SELECT CASE WHEN top.counter_id IS DISTINCT FROM k.id OR top.amount <= 0
            THEN format('counter %s names %s/%s as its last draw, which is none', k.id, k.drew_event, k.drew_line)
        END
        FROM pricing_pricecounter k
        LEFT JOIN metering_charge top ON top.bucket = k.bucket AND top.event_id = k.drew_event AND top.line = k.drew_line
        WHERE k.drew_event IS NOT NULL
        """,  # noqa: S608 - of a constant
    )


def runs_hold_their_charges() -> Proof:
    """A charge that does not say its place in its counter is of a run; a run has as many as it says, all of them drew, and
    begins at the first."""
    return prove_rows(
        "A run of charges holds those it says, from where its counter stood",
        "I6",
        """
        SELECT CASE WHEN r.counter_id IS NULL OR c.counter_id IS NULL OR c.charges <> r.charges OR c.least <= 0
                      OR c.first <> r.first_event
            THEN format('run of counter %s and entry %s: %s charges from event row %s on, %s from %s on found',
                        coalesce(r.counter_id, c.counter_id), coalesce(r.entry_id, c.entry_id), r.charges, r.first_event,
                        c.charges, c.first)
        END
        FROM (
            SELECT bucket, counter_id, entry_id, count(*) AS charges, min(event_id) AS first, min(amount) AS least
            FROM metering_charge WHERE counter_id IS NOT NULL AND counter_place IS NULL
            GROUP BY bucket, counter_id, entry_id
        ) c
        FULL JOIN metering_counterrun r ON r.bucket = c.bucket AND r.counter_id = c.counter_id AND r.entry_id = c.entry_id
        """,
    )


PROOFS: Final[tuple[Prover, ...]] = (
    periods_add_up,
    allowances_cover_what_charges_say,
    what_went_back_was_drawn,
    draws_are_stacked,
    runs_hold_their_charges,
)
