"""What wallets consumed in spans of their journals, line by line as statements print it: by meter, price and what breaks usage
down; what was used before the period apart. One pass over the charges of all the wallets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any, Final

from django.conf import settings
from django.db import connection

from pricing.books.models import Price
from pricing.books.price_text import price_lines
from pricing.meters.models import Meter
from wallets.bulk import array_literal
from wallets.statements.issue import Consumed
from wallets.statements.spans import Span


def consumed_in(spans: Sequence[Span]) -> dict[int, list[Consumed]]:
    """By wallet's row id. Charges stand where their journal entry does; those for which nothing was drawn (free units, a price
    of nothing) where their event arrived."""
    with connection.cursor() as cursor:
        cursor.execute(_CONSUMED, values_of(spans))
        rows = cursor.fetchall()
    meters = Meter.objects.in_bulk({row[1] for row in rows})
    prices = Price.objects.select_related("meter", "version").in_bulk({row[2] for row in rows})
    words = {price_id: "\n".join(price_lines(price)) for price_id, price in prices.items()}
    lines: dict[int, list[Consumed]] = defaultdict(list)
    for wallet_id, meter_id, price_id, late, detail, events, quantity, allowance, amount in rows:
        meter = meters[meter_id]
        lines[wallet_id].append(
            Consumed(
                meter.code,
                meter.name or meter.code,
                said_of(detail),
                words[price_id],
                price_id,
                meter.unit,
                late,
                events,
                quantity,
                allowance,
                amount,
            )
        )
    return lines


def values_of(spans: Sequence[Span]) -> dict[str, Any]:
    """What CHARGED asks for."""
    return {
        "wallets": array_literal(span.wallet_id for span in spans),
        "buckets": array_literal(span.bucket for span in spans),
        "lows": array_literal(span.low for span in spans),
        "highs": array_literal(span.high for span in spans),
        "starts": array_literal(f'"{span.period_start.isoformat()}"' for span in spans),
        "ends": array_literal(f'"{span.period_end.isoformat()}"' for span in spans),
        "dimensions": settings.STATEMENT_DIMENSIONS,
    }


def said_of(detail: Sequence[str | None]) -> str:
    """What breaks a line's usage down, as it is printed."""
    return ", ".join(value for value in detail if value)[:500]


# Charges of entries of the spans, and of events that arrived in them and drew nothing. Entries are numbered about as they come,
# so the numbers of the spans' entries leave out most of the table before anything is joined (a BRIN index).
CHARGED: Final = """
    WITH k AS MATERIALIZED (
        SELECT * FROM unnest(%(wallets)s::bigint[], %(buckets)s::smallint[], %(lows)s::bigint[], %(highs)s::bigint[],
                             %(starts)s::timestamptz[], %(ends)s::timestamptz[])
            AS k(wallet_id, bucket, low, high, period_start, period_end)
    ), entry AS MATERIALIZED (
        SELECT e.id, k.wallet_id, k.bucket, k.period_start FROM k
        JOIN wallets_journalentry e ON e.bucket = k.bucket AND e.wallet_id = k.wallet_id
            AND e.wallet_version > k.low AND e.wallet_version <= k.high
    ), charged AS (
        SELECT c.*, e.period_start
        FROM entry e JOIN metering_charge c ON c.bucket = e.bucket AND c.entry_id = e.id
        WHERE c.entry_id BETWEEN (SELECT min(id) FROM entry) AND (SELECT max(id) FROM entry)
        UNION ALL
        SELECT c.*, k.period_start
        FROM metering_usageevent v
        JOIN metering_charge c ON c.bucket = v.bucket AND c.event_id = v.id AND c.entry_id IS NULL
        JOIN k ON k.wallet_id = c.wallet_id AND v.received_at >= k.period_start AND v.received_at < k.period_end
        WHERE v.received_at >= (SELECT min(period_start) FROM k) AND v.received_at < (SELECT max(period_end) FROM k)
    )
"""
"""The charges of spans as `charged`, a name for SQL to read from."""
DETAIL: Final = "ARRAY(SELECT v.properties->>d FROM unnest(%(dimensions)s::text[]) WITH ORDINALITY AS d(d, n) ORDER BY n)"
_CONSUMED: Final = f"""{CHARGED}
    SELECT c.wallet_id, c.meter_id, c.price_id, v.time < c.period_start AS late, {DETAIL} AS detail,
           sum(CASE WHEN c.reverses IS NULL THEN 1 ELSE -1 END), sum(c.quantity), coalesce(sum(c.allowance), 0), sum(c.amount)
    FROM charged c JOIN metering_usageevent v ON v.bucket = c.bucket AND v.id = c.event_id
    GROUP BY c.wallet_id, c.meter_id, c.price_id, late, detail
    ORDER BY c.wallet_id
"""  # noqa: S608 - of constants
