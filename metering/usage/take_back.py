"""Take charges back: what they drew returns, what their counters owe now is charged, their hour is reported without them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any, NamedTuple

from django.db import connection

from metering.usage.models import Charge, ReturnedDraw, UsageEvent
from metering.usage.undo import Undo, undo_charge
from pricing.meters.measure import dimension_text, reported_dimensions
from wallets.balances.lock import LockedWallet
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.give_back import give_back
from wallets.ledger.models import JournalEntry
from wallets.money import ZERO

LONGEST_REFERENCE = JournalEntry._meta.get_field("reference").max_length or 0  # noqa: SLF001 - Django's documented API


class Cause(NamedTuple):
    """When something is taken back, and what its entry says about it."""

    at: datetime
    reference: str
    reason: str
    actor: str


def charges_of(*, event_pk: int, bucket: int) -> tuple[list[Charge], int]:
    """The charges of an event that stand (not taken back), and the number that its next charge has."""
    charges = list(Charge.objects.filter(bucket=bucket, event_id=event_pk).select_related("meter", "price").order_by("line"))
    undone = {charge.reverses for charge in charges if charge.reverses is not None}
    standing = [charge for charge in charges if charge.reverses is None and charge.line not in undone]
    return standing, max((charge.line for charge in charges), default=-1) + 1


def take_back_charges(
    event: UsageEvent,
    properties: dict[str, Any],
    charges: Sequence[Charge],
    wallets: dict[int, LockedWallet],
    *,
    next_line: int,
    cause: Cause,
) -> list[Charge]:
    """Mirror charges of the event that stand, all of locked wallets, from line `next_line` on. Raises WalletClosed."""
    undone = _undo(event, properties, charges, wallets, line=next_line, cause=cause)
    Charge.objects.bulk_create(undone)
    _report_without(event, properties, undone, wallets)
    return undone


def _undo(
    event: UsageEvent,
    properties: dict[str, Any],
    charges: Sequence[Charge],
    wallets: dict[int, LockedWallet],
    *,
    line: int,
    cause: Cause,
) -> list[Charge]:
    """Give back what the charges drew, charge what their counters owe now, and mirror them."""
    undone: list[Charge] = []
    for wallet in wallets.values():
        undos: list[Undo] = []
        for charge in reversed(charges):
            if charge.wallet_id == wallet.id:
                undos.append(undo_charge(charge, properties=properties, line=line + len(undone) + len(undos)))
        _give_back(undos, wallet, cause)
        _charge(undos, wallet, event, cause)
        undone += [undo.mirror for undo in undos]
        ReturnedDraw.objects.bulk_create(row for undo in undos for row in undo.returned_rows())
    return undone


def _give_back(undos: Sequence[Undo], wallet: LockedWallet, cause: Cause) -> None:
    """One entry for all that goes back to this wallet; notes on each mirror where on its lines it stands."""
    parts = [part for undo in undos for part in undo.parts]
    if not parts:
        return
    given = give_back(wallet=wallet, parts=parts, **cause._asdict())
    places = iter(given.places)
    for undo in undos:
        for part in undo.parts:
            place = next(places)
            undo.mirror.entry_id = given.entry_id
            if part.units:
                undo.mirror.allowance_from = place if undo.mirror.allowance_from is None else undo.mirror.allowance_from
            else:
                undo.mirror.line_from = place if undo.mirror.line_from is None else undo.mirror.line_from


def _charge(undos: Sequence[Undo], wallet: LockedWallet, event: UsageEvent, cause: Cause) -> None:
    """Debit the wallet for mirrors that cost more: the period's net total has moved to a dearer tier."""
    owed = [undo.mirror for undo in undos if undo.mirror.amount > 0]
    if not owed:
        return
    covered = [(mirror.meter.code, mirror.amount, event.time) for mirror in owed]
    entry_id = debit_wallets([WalletDebit(wallet, covered, cause.reference)], at=cause.at)[wallet.id]
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
