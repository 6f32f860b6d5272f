"""Void an event: what it was charged goes back to the lots it came from, and usage is reported without it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import connection, transaction
from django.db.models import TextField
from django.db.models.functions import Cast
from django.db.utils import OperationalError
from psycopg import errors as pg

from metering.usage.models import Charge, EventVoid, UsageEvent
from pricing.meters.measure import dimension_text, reported_dimensions
from wallets.balances.lock import LockBusy, LockedWallet, limit_lock_waits, lock_wallets
from wallets.credit.give_back import Part, give_back
from wallets.errors import Conflict, NotFound
from wallets.input import Input
from wallets.ledger.models import JournalEntry

LONGEST_REFERENCE = JournalEntry._meta.get_field("reference").max_length or 0  # noqa: SLF001 - Django's documented API


class AlreadyVoided(Conflict):
    """The event was taken back before."""

    code = "already_voided"


def void_event(*, event_pk: int, at: datetime, reason: str = "", actor: str = "") -> list[Charge]:
    """Take back the event with this row id, once; the charges that undo its charges (none when it was never charged).

    Each charge is mirrored with its signs turned, the credit returns as `give_back` says, the hour of the event is
    reported without it. An event that still waits for a price stops waiting. Sent again, it stays a duplicate.

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
        charges = list(
            Charge.objects.filter(bucket=event.bucket, event_id=event.pk, reverses__isnull=True)
            .select_related("meter")
            .order_by("line")
        )
        wallets = lock_wallets({charge.wallet_id for charge in charges}, bucket=event.bucket)
        if EventVoid.objects.filter(bucket=event.bucket, event_id=event.pk).exists():
            raise AlreadyVoided(f"Event {event.event_id!r} was voided before.")
        EventVoid.objects.create(event_id=event.pk, bucket=event.bucket, voided_at=at, reason=reason, actor=actor)
        undone = _undo(event, charges, wallets, at=at, reason=reason, actor=actor)
        Charge.objects.bulk_create(undone)
        _report_without(event, undone, wallets)
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


def _undo(
    event: UsageEvent,
    charges: Sequence[Charge],
    wallets: dict[int, LockedWallet],
    *,
    at: datetime,
    reason: str,
    actor: str,
) -> list[Charge]:
    """Give back what the charges drew, and mirror them."""
    undone: list[Charge] = []
    line = max((charge.line for charge in charges), default=-1) + 1
    for wallet in wallets.values():
        of_wallet = [charge for charge in reversed(charges) if charge.wallet_id == wallet.id]
        places: dict[int, tuple[int, Decimal]] = {}
        drawn = [charge for charge in of_wallet if charge.amount]
        if drawn:
            given = give_back(
                wallet=wallet,
                parts=[_part(charge) for charge in drawn],
                at=at,
                reference=event.event_id[:LONGEST_REFERENCE],
                reason=reason,
                actor=actor,
            )
            places = {charge.line: (given.entry_id, place) for charge, place in zip(drawn, given.places, strict=True)}
        for charge in of_wallet:
            undone.append(_mirror(charge, line + len(undone), places.get(charge.line)))
    return undone


def _part(charge: Charge) -> Part:
    assert charge.entry_id is not None, (charge.event_id, charge.line)
    assert charge.line_from is not None, (charge.event_id, charge.line)
    return Part(charge.entry_id, charge.meter.code, charge.line_from, charge.amount)


def _mirror(charge: Charge, line: int, place: tuple[int, Decimal] | None) -> Charge:
    """A charge with its signs turned that names the one it undoes."""
    mirrored = Charge(
        event_id=charge.event_id,
        line=line,
        bucket=charge.bucket,
        wallet_id=charge.wallet_id,
        meter=charge.meter,
        price_id=charge.price_id,
        quantity=-charge.quantity,
        amount=-charge.amount,
        cost=-charge.cost,
        reverses=charge.line,
    )
    if place is not None:
        mirrored.entry_id, mirrored.line_from = place
    return mirrored


def _report_without(event: UsageEvent, undone: Sequence[Charge], wallets: dict[int, LockedWallet]) -> None:
    """Take the charges that were undone off their hour."""
    properties: dict[str, Any] = json.loads(event.text, parse_float=Decimal)  # type: ignore[attr-defined]  # annotated
    hour = event.time.replace(minute=0, second=0, microsecond=0)
    with connection.cursor() as cursor:
        for charge in sorted(undone, key=lambda one: one.meter_id):
            dimensions = json.dumps(_dimensions(charge, properties))
            currency = wallets[charge.wallet_id].currency
            cursor.execute(
                _ADD_TO_HOUR,
                [
                    *(event.bucket, event.account_id, charge.meter_id, hour, currency, dimensions),
                    *(-1, charge.quantity, charge.amount, charge.cost),
                ],
            )


_ADD_TO_HOUR = """
    INSERT INTO metering_hourlyusage AS u
        (bucket, account_id, meter_id, hour, currency, dimensions, events, quantity, amount, cost)
    VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s)
    ON CONFLICT (bucket, account_id, meter_id, hour, currency, dimensions) DO UPDATE
    SET events = u.events + EXCLUDED.events, quantity = u.quantity + EXCLUDED.quantity,
        amount = u.amount + EXCLUDED.amount, cost = u.cost + EXCLUDED.cost
"""


def _dimensions(charge: Charge, properties: dict[str, Any]) -> dict[str, str]:
    """What the charge is reported by, as ingest told it (`Line.dimensions`; a meter's dimensions never change)."""
    texts = {name: dimension_text(properties.get(name)) for name in charge.meter.dimensions}
    return reported_dimensions(charge.meter.dimensions, texts)
