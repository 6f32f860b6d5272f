"""Void an event: what it was charged goes back to the lots it came from, and usage is reported without it.

At a cumulative price what goes back is price(total) - price(total - quantity) as of now, so that the charges of the period
keep adding up to the price of its net total: to the lots the event drew from, then to those its counter drew from last.
Where the price rises with less usage (volume), the difference is charged.
"""

from __future__ import annotations

import json
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.db.utils import OperationalError
from psycopg import errors as pg

from metering.caps.count import count_charges
from metering.usage.models import Charge, EventVoid, UsageEvent
from metering.usage.take_back import LONGEST_REFERENCE, Cause, charges_of, take_back_charges
from wallets.balances.lock import LockBusy, limit_lock_waits, lock_wallets
from wallets.errors import Conflict, NotFound
from wallets.input import Input


class AlreadyVoided(Conflict):
    """The event was taken back before."""

    code = "already_voided"


def void_event(*, event_pk: int, at: datetime, reason: str = "", actor: str = "") -> list[Charge]:
    """Take back the event with this row id, once; the charges that undo its charges (none when it was never charged).

    Each charge is mirrored (with its signs turned, unless its price is cumulative), the credit returns as `give_back` says,
    the hour of the event is reported without it. An event that still waits for a price stops waiting. Sent again, it stays a
    duplicate.

    Raises AlreadyVoided, WalletClosed, NotFound, InvalidInput, LockBusy.
    """
    check = Input()
    reason = check.text("reason", reason, longest=500)
    actor = check.text("actor", actor, longest=200)
    check.refuse("The event cannot be voided like this.")
    with transaction.atomic():
        event = UsageEvent.objects.annotate(text=Cast("properties", TextField())).filter(pk=event_pk).first()
        if event is None:
            raise NotFound(f"There is no event with row id {event_pk}.")
        _stop_waiting(event, at=at)
        charges, _ = charges_of(event_pk=event.pk, bucket=event.bucket)
        wallets = lock_wallets({charge.wallet_id for charge in charges}, bucket=event.bucket)
        if EventVoid.objects.filter(bucket=event.bucket, event_id=event.pk).exists():
            raise AlreadyVoided(f"Event {event.event_id!r} was voided before.")
        EventVoid.objects.create(event_id=event.pk, bucket=event.bucket, voided_at=at, reason=reason, actor=actor)
        properties: dict[str, Any] = json.loads(event.text, parse_float=Decimal)
        charges, next_line = charges_of(event_pk=event.pk, bucket=event.bucket)  # re-rated while the wallet was waited for
        cause = Cause(at, event.event_id[:LONGEST_REFERENCE], reason, actor)
        undone = take_back_charges(event, properties, charges, wallets, next_line=next_line, cause=cause)
        if undone:
            held = list(wallets.values())
            count_charges(held, event_ids=[event.pk], bucket=event.bucket, at=at, from_lines=[next_line])
    return undone


def _stop_waiting(event: UsageEvent, *, at: datetime) -> None:
    """Close the event's dead letter, if it has one that waits; a replay of it that runs now is waited for.

    Dead letters stand above usage (`ingest`), so by SQL. Lock order as in a replay: letters, then wallets.
    """
    with connection.cursor() as cursor:
        limit_lock_waits(cursor)
        try:
            cursor.execute(
                """UPDATE metering_deadletter SET replayed_at = %s
                   WHERE bucket = %s AND event_id = %s AND replayed_at IS NULL""",
                [at, event.bucket, event.pk],
            )
        except OperationalError as error:
            if isinstance(error.__cause__, pg.LockNotAvailable):
                raise LockBusy("The event is being replayed; send the request again in a moment.") from error
            raise
