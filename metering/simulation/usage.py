"""The past usage of a window: hourly sums of everybody, and single charges of whom they are not enough for."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any, Final, NamedTuple

from django.db import connection

from metering.ingest.models import DeadLetter
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot

A_MONTH: Final = timedelta(days=32)
AT_A_TIME: Final = 5_000


class HourSum(NamedTuple):
    """Usage of an account on a meter with the same dimensions: on a day of its time zone within the window, or (`day` None)
    in the month before the window began."""

    account_id: int
    meter_id: int
    currency: str
    dimensions: str
    day: date | None
    events: int
    quantity: Decimal
    amount: Decimal
    cost: Decimal


class PastCharge(NamedTuple):
    """A charge that stands, with what its event says."""

    account_id: int
    meter_id: int
    time: datetime
    quantity: Decimal
    measured: Decimal | None
    allowance: Decimal | None
    properties: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Customer:
    """An account as a simulation needs it. allowances: codes of meters of which it has or had units instead of money."""

    id: int
    key: str
    bucket: int
    currency: str
    time_zone: str
    allowances: frozenset[str]


def hour_sums(*, start: datetime, end: datetime, account_id: int | None) -> list[HourSum]:
    """What was used from `start` (a whole hour) until before `end`, and before it in the month, in order of days."""
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT u.account_id, u.meter_id, u.currency, u.dimensions::text,
                      CASE WHEN u.hour >= %s THEN (u.hour AT TIME ZONE a.time_zone)::date END AS day,
                      sum(u.events)::bigint, sum(u.quantity), sum(u.amount), sum(u.cost)
               FROM metering_hourlyusage u JOIN wallets_account a ON a.id = u.account_id AND a.bucket = u.bucket
               WHERE u.hour >= %s AND u.hour < %s
                 AND u.hour >= date_trunc('month', %s AT TIME ZONE a.time_zone) AT TIME ZONE a.time_zone
                 AND (%s::bigint IS NULL OR u.account_id = %s)
               GROUP BY 1, 2, 3, 4, 5
               ORDER BY 5 NULLS FIRST, 1, 2, 4""",
            [start, start - A_MONTH, end, start, account_id, account_id],
        )
        return list(map(HourSum._make, cursor.fetchall()))


def customers(account_ids: Collection[int]) -> dict[int, Customer]:
    """These accounts by row id; two queries."""
    ids = list(account_ids)
    lots = CreditLot.objects.filter(wallet__account_id__in=ids).exclude(unit_meter="").order_by("id")
    covered: dict[int, set[str]] = defaultdict(set)
    for account_id, meter in lots.values_list("wallet__account_id", "unit_meter"):
        covered[account_id].add(meter)
    rows = Account.objects.filter(pk__in=ids).values_list("pk", "key", "bucket", "currency", "time_zone")
    return {row[0]: Customer(*row, allowances=frozenset(covered[row[0]])) for row in rows}


def past_charges(pairs: Collection[tuple[Customer, int, datetime]], *, end: datetime) -> Iterator[PastCharge]:
    """The charges of these customers on these meters (row ids), each from its time on until before `end`, in the order in
    which their events arrived; streamed. What was undone is left out."""
    if not pairs:
        return
    with connection.chunked_cursor() as cursor:
        cursor.execute(
            """SELECT e.account_id, c.meter_id, e.time, c.quantity, c.measured, c.allowance, e.properties::text
               FROM unnest(%s::smallint[], %s::bigint[], %s::bigint[], %s::timestamptz[])
                   AS k(bucket, account_id, meter_id, since)
               JOIN metering_usageevent e ON e.bucket = k.bucket AND e.account_id = k.account_id
                   AND e.time >= k.since AND e.time < %s
               JOIN metering_charge c ON c.bucket = e.bucket AND c.event_id = e.id AND c.meter_id = k.meter_id
                   AND c.reverses IS NULL
               WHERE NOT EXISTS (  -- undone by a void, or by a correction that charged it again
                   SELECT 1 FROM metering_charge r WHERE r.bucket = c.bucket AND r.event_id = c.event_id AND r.reverses = c.line
               )
               ORDER BY e.received_at, e.id, c.line""",
            [
                [customer.bucket for customer, _, _ in pairs],
                [customer.id for customer, _, _ in pairs],
                [meter_id for _, meter_id, _ in pairs],
                [since for _, _, since in pairs],
                end,
            ],
        )
        while rows := cursor.fetchmany(AT_A_TIME):
            for row in rows:
                yield PastCharge._make((*row[:-1], json.loads(row[-1], parse_float=Decimal)))


def waiting_in(*, start: datetime, end: datetime, account_id: int | None) -> int:
    """How many events of the window wait for a price."""
    letters = DeadLetter.objects.filter(replayed_at__isnull=True, event__time__gte=start, event__time__lt=end)
    return (letters if account_id is None else letters.filter(account_id=account_id)).count()


@dataclass(frozen=True, slots=True)
class Purse:
    """A wallet as a replay needs it; usual: its mean paid credit."""

    id: int
    usual: Decimal | None


def purses(account_ids: Collection[int]) -> dict[tuple[int, str], Purse]:
    """The wallets usage is charged to, by account's row id and currency; two queries."""
    wallets = Wallet.objects.filter(account_id__in=list(account_ids), is_default=True)
    rows = list(wallets.values_list("pk", "account_id", "currency"))
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT wallet_id, avg(amount) FROM wallets_creditlot
               WHERE wallet_id = ANY(%s) AND kind = %s AND unit_meter = '' GROUP BY 1""",
            [[row[0] for row in rows], CreditLot.Kind.PAID],
        )
        usual = dict(cursor.fetchall())
    return {(account_id, currency): Purse(pk, usual.get(pk)) for pk, account_id, currency in rows}
