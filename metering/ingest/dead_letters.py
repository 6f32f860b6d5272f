"""Events that could not be rated: kept with their reason, replayed by one action after the fix."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import connection, transaction
from django.db.models import QuerySet, TextField
from django.db.models.functions import Cast
from msgspec import Raw

from metering.ingest.accounts import refresh_wallets, resolve_accounts
from metering.ingest.charging import WalletMoved, usage_of
from metering.ingest.debit import charge_items
from metering.ingest.decode import UsageInput, decode_stored
from metering.ingest.models import DeadLetter
from metering.ingest.rating import Item, Unusable, rate_item
from metering.ingest.rows import postgres_microseconds
from metering.usage.models import UsageEvent
from pricing.books.in_force import Catalogue, catalogue_in_force
from wallets.balances.lock import LockBusy
from wallets.ledger.post import reserve_entry_ids
from wallets.money import ZERO

BATCH: Final = 2_000
TRIES: Final = 3  # times the wallet to charge may change under a replay


@dataclass(slots=True)
class Replayed:
    """What a replay did: events charged now, events that still wait, and the sum charged by currency."""

    replayed: int = 0
    still_waiting: int = 0
    charged: dict[str, Decimal] = field(default_factory=dict)


def park(waiting: Sequence[tuple[Item, tuple[str, str]]], *, bucket: int, at: datetime) -> None:
    """Keep events (already stored) that wait for a price, each with its reason and a sentence."""
    DeadLetter.objects.bulk_create(
        [
            DeadLetter(
                event_id=item.row_id, bucket=bucket, account_id=item.account.id, reason=reason, detail=detail, parked_at=at
            )
            for item, (reason, detail) in waiting
        ]
    )


def dead_letters_waiting() -> QuerySet[DeadLetter]:
    """What waits for a price, with its event and account."""
    return DeadLetter.objects.filter(replayed_at__isnull=True).select_related("event", "account")


def replay_dead_letters(*, at: datetime, ids: Collection[int] | None = None) -> Replayed:
    """Rate and charge waiting events (those with these dead-letter row ids, or all) at the prices in force at their time.

    What still cannot be rated keeps waiting, with its present reason. Two replays at once charge nothing twice. Raises
    LockBusy; what was done before that stays done.
    """
    catalogue = catalogue_in_force()
    waiting = DeadLetter.objects.filter(replayed_at__isnull=True)
    if ids is not None:
        waiting = waiting.filter(pk__in=list(ids))
    outcome = Replayed()
    for bucket in sorted(set(waiting.values_list("bucket", flat=True))):
        letters, moved = waiting.filter(bucket=bucket).order_by("pk"), 0
        while True:
            try:
                with transaction.atomic():
                    some = list(
                        letters.select_related("event", "account").select_for_update(of=("self",), skip_locked=True)[:BATCH]
                    )
                    if not some:
                        break
                    _replay(some, catalogue, bucket=bucket, at=at, outcome=outcome)
                    letters, moved = letters.filter(pk__gt=some[-1].pk), 0
            except WalletMoved:  # the same letters again, with the wallets as they are now
                moved += 1
                if moved == TRIES:
                    raise LockBusy("A wallet changes all the time; send the request again in a moment.") from None
    return outcome


def _replay(letters: Sequence[DeadLetter], catalogue: Catalogue, *, bucket: int, at: datetime, outcome: Replayed) -> None:
    """Charge what can be rated now, in the caller's transaction, and say of each letter what became of it."""
    accounts = resolve_accounts({letter.account.key for letter in letters})
    refresh_wallets(list(accounts.values()))
    catalogue.read_assignments([account.id for account in accounts.values()])
    raw = _properties_of([letter.event_id for letter in letters], bucket=bucket)
    items = []
    for letter in letters:
        event = letter.event
        stored = UsageInput(event.event_id, event.type, letter.account.key, Raw(raw[event.pk].encode()), event.time)
        item = Item(0, letter.pk, stored, accounts[letter.account.key], event.time)
        item.row_id, item.time_us = event.pk, postgres_microseconds(event.time)
        _rate(item, catalogue)
        items.append(item)
    with connection.cursor() as cursor:
        entry_ids = reserve_entry_ids(len({(item.account.id, item.currency) for item in items}))
        charge_items(cursor, items, usage_of(items, bucket=bucket), bucket=bucket, at=at, entry_ids=entry_ids)
    for letter, item in zip(letters, items, strict=True):
        letter.attempts += 1
        if item.parked is None:
            letter.replayed_at = at
            outcome.replayed += 1
            outcome.charged[item.currency] = outcome.charged.get(item.currency, ZERO) + item.amount
        else:
            letter.reason, letter.detail = item.parked
            outcome.still_waiting += 1
    DeadLetter.objects.bulk_update(letters, ["attempts", "replayed_at", "reason", "detail"])


def _rate(item: Item, catalogue: Catalogue) -> None:
    """Rate an item; one that cannot be measured any more (a meter changed) waits on."""
    if item.event.type not in catalogue.meters:
        item.parked = (DeadLetter.Reason.NO_QUANTITY, f"No meter counts events of type {item.event.type!r}.")
        return
    try:
        rate_item(item, decode_stored(item.event.properties), catalogue.version_in_force(item.account.id, item.time), catalogue)
    except Unusable as error:
        item.charges, item.pending = (), ()
        item.parked = (DeadLetter.Reason.NO_QUANTITY, str(error))


def _properties_of(event_pks: Collection[int], *, bucket: int) -> dict[int, str]:
    """The properties of events as JSON text: Python's JSON would read its numbers as binary floats."""
    events = UsageEvent.objects.filter(bucket=bucket, pk__in=event_pks)
    return dict(events.annotate(text=Cast("properties", TextField())).values_list("pk", "text"))
