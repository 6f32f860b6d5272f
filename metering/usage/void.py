"""Void an event: what it was charged goes back to the lots it came from, and usage is reported without it.

At a cumulative price what goes back is price(total) - price(total - quantity) as of now, so that the charges of the period
keep adding up to the price of its net total: to the lots the event drew from, then to those its counter drew from last.
Where the price rises with less usage (volume), the difference is charged.
"""

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

from metering.caps.count import count_charges
from metering.usage.models import Charge, EventVoid, ReturnedDraw, UsageEvent
from metering.usage.undo import Undo, undo_charge
from pricing.meters.measure import dimension_text, reported_dimensions
from wallets.balances.lock import LockBusy, LockedWallet, limit_lock_waits, lock_wallets
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.give_back import give_back
from wallets.errors import Conflict, NotFound
from wallets.input import Input
from wallets.ledger.models import JournalEntry
from wallets.money import ZERO

LONGEST_REFERENCE = JournalEntry._meta.get_field("reference").max_length or 0  # noqa: SLF001 - Django's documented API


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
        charges = list(
            Charge.objects.filter(bucket=event.bucket, event_id=event.pk, reverses__isnull=True)
            .select_related("meter", "price")
            .order_by("line")
        )
        wallets = lock_wallets({charge.wallet_id for charge in charges}, bucket=event.bucket)
        if EventVoid.objects.filter(bucket=event.bucket, event_id=event.pk).exists():
            raise AlreadyVoided(f"Event {event.event_id!r} was voided before.")
        EventVoid.objects.create(event_id=event.pk, bucket=event.bucket, voided_at=at, reason=reason, actor=actor)
        properties: dict[str, Any] = json.loads(event.text, parse_float=Decimal)
        undone = _undo(event, properties, charges, wallets, at=at, reason=reason, actor=actor)
        Charge.objects.bulk_create(undone)
        _report_without(event, properties, undone, wallets)
        if undone:
            count_charges(list(wallets.values()), event_ids=[event.pk], bucket=event.bucket, at=at, reversing=True)
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
    properties: dict[str, Any],
    charges: Sequence[Charge],
    wallets: dict[int, LockedWallet],
    *,
    at: datetime,
    reason: str,
    actor: str,
) -> list[Charge]:
    """Give back what the charges drew, charge what their counters owe now, and mirror them."""
    undone: list[Charge] = []
    line = max((charge.line for charge in charges), default=-1) + 1
    for wallet in wallets.values():
        undos: list[Undo] = []
        for charge in reversed(charges):
            if charge.wallet_id == wallet.id:
                undos.append(undo_charge(charge, properties=properties, line=line + len(undone) + len(undos)))
        _give_back(undos, wallet, event, at=at, reason=reason, actor=actor)
        _charge(undos, wallet, event, at=at)
        undone += [undo.mirror for undo in undos]
        ReturnedDraw.objects.bulk_create(row for undo in undos for row in undo.returned_rows())
    return undone


def _give_back(
    undos: Sequence[Undo], wallet: LockedWallet, event: UsageEvent, *, at: datetime, reason: str, actor: str
) -> None:
    """One entry for all that goes back to this wallet; notes on each mirror where on its lines it stands."""
    parts = [part for undo in undos for part in undo.parts]
    if not parts:
        return
    reference = event.event_id[:LONGEST_REFERENCE]
    given = give_back(wallet=wallet, parts=parts, at=at, reference=reference, reason=reason, actor=actor)
    places = iter(given.places)
    for undo in undos:
        for part in undo.parts:
            place = next(places)
            undo.mirror.entry_id = given.entry_id
            if part.units:
                undo.mirror.allowance_from = place if undo.mirror.allowance_from is None else undo.mirror.allowance_from
            else:
                undo.mirror.line_from = place if undo.mirror.line_from is None else undo.mirror.line_from


def _charge(undos: Sequence[Undo], wallet: LockedWallet, event: UsageEvent, *, at: datetime) -> None:
    """Debit the wallet for mirrors that cost more: the period's net total has moved to a dearer tier."""
    owed = [undo.mirror for undo in undos if undo.mirror.amount > 0]
    if not owed:
        return
    reference = event.event_id[:LONGEST_REFERENCE]
    covered = [(mirror.meter.code, mirror.amount, event.time) for mirror in owed]
    entry_id = debit_wallets([WalletDebit(wallet, covered, reference)], at=at)[wallet.id]
    lines: dict[str, Decimal] = {}
    for mirror in owed:
        assert mirror.entry_id is None, "one charge either gives back or costs more"
        code = mirror.meter.code
        mirror.entry_id, mirror.line_from = entry_id, lines.get(code, ZERO)
        lines[code] = mirror.line_from + mirror.amount


def _report_without(
    event: UsageEvent, properties: dict[str, Any], undone: Sequence[Charge], wallets: dict[int, LockedWallet]
) -> None:
    """Take the charges that were undone off their hour."""
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
