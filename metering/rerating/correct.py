"""Correct some events of one account: their wrong charges go back to the lots they came from, and what was used is charged
again, at the right version, through the code that charges every event (allowances, counters, burn-down)."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal

from django.db import connection
from django.db.models import TextField
from django.db.models.functions import Cast
from msgspec import Raw

from metering.caps.count import count_charges
from metering.ingest.accounts import AccountView, refresh_wallets
from metering.ingest.charging import WalletMoved, usage_of
from metering.ingest.debit import charge_items
from metering.ingest.decode import UsageInput, decode_stored
from metering.ingest.rating import Item, Unusable, rate_item
from metering.ingest.rows import postgres_microseconds
from metering.rerating.window import Window
from metering.usage.models import Charge, UsageEvent
from metering.usage.take_back import Cause, charges_of, take_back_charges
from pricing.books.in_force import Catalogue
from pricing.books.version_view import VersionView
from wallets.balances.lock import LockBusy, LockedWallet, lock_wallets
from wallets.balances.models import Wallet
from wallets.ledger.post import reserve_entry_ids
from wallets.money import ZERO

BUSY = "The account's wallet changes all the time; try again in a moment."


@dataclass(slots=True)
class Corrected:
    """What became of one event: by meter's code, what was taken back and what was charged instead; or why nothing was."""

    event_pk: int
    currency: str
    before: dict[str, Decimal] = field(default_factory=dict)
    after: dict[str, Decimal] = field(default_factory=dict)
    refused: str = ""


@dataclass(slots=True)
class _Job:
    event: UsageEvent
    text: str
    charges: list[Charge]
    next_line: int
    item: Item
    outcome: Corrected

    def rate(self, view: VersionView, catalogue: Catalogue) -> None:
        """Rate the meters that are corrected; a reason on the outcome when that cannot be."""
        item, wanted = self.item, {charge.meter_id: charge.meter.code for charge in self.charges}
        if self.event.type not in catalogue.meters:
            self.outcome.refused = f"No meter counts events of type {self.event.type!r}."
            return
        try:
            rate_item(item, decode_stored(item.event.properties), view, catalogue)
        except Unusable as error:
            self.outcome.refused = str(error)
            return
        if item.parked is not None:
            self.outcome.refused = item.parked[1]
            return
        item.charges = [charge for charge in item.charges if charge[0].meter_id in wanted]
        item.pending = [measured for measured in item.pending if measured[0].meter_id in wanted]
        item.amount = sum((charge[2] for charge in item.charges), ZERO)
        found = {part[0].meter_id for part in (*item.charges, *item.pending)}
        missing = [code for meter_id, code in wanted.items() if meter_id not in found]
        if missing:
            self.outcome.refused = f"Version {view.number} does not measure {', '.join(sorted(missing))} in this event."
        elif item.currency != self.outcome.currency:
            self.outcome.refused = f"It was charged in {self.outcome.currency}, the right version charges {item.currency}."


def correct_events(
    *,
    event_pks: Sequence[int],
    window: Window,
    account: AccountView,
    catalogue: Catalogue,
    cause: Cause,
) -> list[Corrected]:
    """Correct events of one account, in the caller's transaction. What cannot be priced at the right version, or was charged
    to a wallet that is closed, stays as it is and says why. Raises LockBusy."""
    bucket = account.bucket
    view = catalogue.versions[window.right.pk].in_currency(catalogue.payers[account.id].currency)
    refresh_wallets([account])
    wallet_ids = set(
        Charge.objects.filter(bucket=bucket, event_id__in=event_pks).values_list("wallet_id", flat=True).distinct()
    )
    wallets = lock_wallets(wallet_ids | set(account.wallets.values()), bucket=bucket)
    jobs = _jobs(event_pks, window, account, wallets)
    for job in jobs:
        job.rate(view, catalogue)
        if any(wallets[charge.wallet_id].status == Wallet.Status.CLOSED for charge in job.charges):
            job.outcome.refused = "The wallet it was charged to is closed."
    taken = [job for job in jobs if not job.outcome.refused]
    for job in reversed(taken):
        properties = json.loads(job.text, parse_float=Decimal)
        undone = take_back_charges(job.event, properties, job.charges, wallets, next_line=job.next_line, cause=cause)
        for mirror in undone:
            _add(job.outcome.before, mirror.meter.code, -mirror.amount)
        job.item.first_line = job.next_line + len(undone)
    _charge(taken, view, account, catalogue, at=cause.at, reference=cause.reference)
    first_lines = [job.next_line for job in taken]
    if taken:
        ids = [job.event.pk for job in taken]
        count_charges(list(wallets.values()), event_ids=ids, bucket=bucket, at=cause.at, from_lines=first_lines)
    return [job.outcome for job in jobs]


def _jobs(event_pks: Sequence[int], window: Window, account: AccountView, wallets: dict[int, LockedWallet]) -> list[_Job]:
    """The events with the charges to correct, as they stand now that their wallets are locked."""
    events = UsageEvent.objects.annotate(text=Cast("properties", TextField()))
    jobs = []
    for event in events.filter(bucket=account.bucket, pk__in=event_pks).order_by("received_at", "pk"):
        charges, next_line = charges_of(event_pk=event.pk, bucket=account.bucket)
        wrong = [
            charge
            for charge in charges
            if charge.price.version_id == window.wrong.pk and (window.meter is None or charge.meter_id == window.meter.pk)
        ]
        if not wrong:  # taken back meanwhile
            continue
        sent = UsageInput(event.event_id, event.type, account.key, Raw(event.text.encode()), event.time)
        item = Item(0, 0, sent, account, event.time)
        item.row_id, item.time_us = event.pk, postgres_microseconds(event.time)
        outcome = Corrected(event.pk, wallets[wrong[0].wallet_id].currency)
        jobs.append(_Job(event, event.text, wrong, next_line, item, outcome))
    return jobs


def _charge(
    jobs: Sequence[_Job], view: VersionView, account: AccountView, catalogue: Catalogue, *, at: datetime, reference: str
) -> None:
    """Charge what was used at the right version, and put down what that came to."""
    if not jobs:
        return
    known = account.allowances
    refresh_wallets([account])
    if account.allowances != known:  # units came back
        for job in jobs:
            job.rate(view, catalogue)
    items = [job.item for job in jobs]
    entry_ids = reserve_entry_ids(len({item.wallet_id for item in items}))
    usage = usage_of(items, bucket=account.bucket)
    try:
        with connection.cursor() as cursor:
            charge_items(cursor, items, usage, bucket=account.bucket, at=at, entry_ids=entry_ids, reference=reference)
    except WalletMoved:
        raise LockBusy(BUSY) from None
    by_event = {job.event.pk: job for job in jobs}
    written = Charge.objects.filter(bucket=account.bucket, event_id__in=by_event, reverses__isnull=True)
    for event_id, line, code, amount in written.values_list("event_id", "line", "meter__code", "amount"):
        job = by_event[event_id]
        if line >= job.item.first_line:
            _add(job.outcome.after, code, amount)


def _add(sums: dict[str, Decimal], code: str, amount: Decimal) -> None:
    sums[code] = sums.get(code, ZERO) + amount
