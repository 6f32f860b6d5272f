"""Re-rate a past window: look first (nothing stays), then correct, in batches that each stand by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from metering.ingest.accounts import resolve_accounts
from metering.rerating.correct import Corrected, correct_events
from metering.rerating.models import RerateItem, RerateRun
from metering.rerating.window import Window, accounts_in, events_to_correct
from metering.usage.take_back import Cause
from pricing.books.in_force import catalogue_in_force
from pricing.books.models import PriceVersion
from wallets.errors import InvalidInput
from wallets.input import Input
from wallets.money import ZERO

BATCH: Final = 200
MOST_AT_ONCE: Final = 2_000  # events over HTTP: one transaction
MOST_REFUSED: Final = 20  # named in a report


@dataclass(slots=True)
class Sums:
    """What was charged and what is charged instead, in one currency."""

    events: int = 0
    before: Decimal = ZERO
    after: Decimal = ZERO

    @property
    def difference(self) -> Decimal:
        """How much more customers pay; negative: they get it back."""
        return self.after - self.before

    def add(self, before: Decimal, after: Decimal) -> None:
        """One event more."""
        self.events += 1
        self.before += before
        self.after += after


@dataclass(slots=True)
class RerateReport:
    """What a re-rating comes to, by (account key, currency) and by (meter code, currency); events that were left as they
    are, and of the first of them, (account key, event row id, why)."""

    accounts: dict[tuple[str, str], Sums] = field(default_factory=dict)
    meters: dict[tuple[str, str], Sums] = field(default_factory=dict)
    refused: int = 0
    reasons: list[tuple[str, int, str]] = field(default_factory=list)

    @property
    def events(self) -> int:
        """Events that are charged anew."""
        return sum(sums.events for sums in self.accounts.values())

    def add(self, account: str, one: Corrected) -> None:
        """Add what became of one event."""
        if one.refused:
            self.refused += 1
            if len(self.reasons) < MOST_REFUSED:
                self.reasons.append((account, one.event_pk, one.refused))
            return
        sums = self.accounts.setdefault((account, one.currency), Sums())
        sums.add(sum(one.before.values(), ZERO), sum(one.after.values(), ZERO))
        for code in sorted(one.before.keys() | one.after.keys()):
            of_meter = self.meters.setdefault((code, one.currency), Sums())
            of_meter.add(one.before.get(code, ZERO), one.after.get(code, ZERO))


def refuse_more_than(most: int, *, window: Window) -> None:
    """Refuse a window with more events to correct than this (InvalidInput)."""
    found = 0
    for account_id, _, bucket in accounts_in(window):
        found += len(events_to_correct(window, account_id=account_id, bucket=bucket, after=0, most=most + 1 - found))
        if found > most:
            raise InvalidInput(
                f"More than {most:,} events are to be corrected; a request does no more. manage.py rerate does.",
                fields={"to": "a shorter window, one account or one meter"},
            )


def preview_rerate(*, window: Window, at: datetime) -> RerateReport:
    """What re-rating the window would come to, exactly: done account by account and rolled back. Nothing stays. An account's
    wallets are locked while it is looked at. Raises InvalidInput, LockBusy."""
    _check(window)
    report = RerateReport()
    for account_id, key, bucket in accounts_in(window):
        with transaction.atomic():
            for outcomes in _batches(window, account_id, key, bucket, None, at=at):
                for one in outcomes:
                    report.add(key, one)
            transaction.set_rollback(True)
    return report


def start_rerate(*, window: Window, at: datetime, reason: str, actor: str = "") -> RerateRun:
    """Put down that a window is to be corrected, and why (required). `continue_rerate` does it. Raises InvalidInput."""
    check = Input()
    reason = check.text("reason", reason, longest=500, required=True)
    actor = check.text("actor", actor, longest=200)
    check.refuse("Usage cannot be re-rated like this.")
    _check(window)
    return RerateRun.objects.create(
        wrong_version=window.wrong, right_version=window.right, account=window.account, meter=window.meter,
        start=window.start, end=window.end, reason=reason, actor=actor, created_at=at,
    )  # fmt: skip


def continue_rerate(*, run: RerateRun, at: datetime) -> RerateReport:
    """Correct what the run has not corrected yet; what this call did. Broken off at any point, it can be called again: each
    event is corrected once. Raises LockBusy; what was done before that stays done."""
    window = Window(run.wrong_version, run.right_version, run.start, run.end, run.account, run.meter)
    report = RerateReport()
    for account_id, key, bucket in accounts_in(window):
        for outcomes in _batches(window, account_id, key, bucket, run, at=at):
            for one in outcomes:
                report.add(key, one)
    RerateRun.objects.filter(pk=run.pk, status=RerateRun.Status.RUNNING).update(status=RerateRun.Status.DONE, finished_at=at)
    run.refresh_from_db()
    return report


def _check(window: Window) -> None:
    check = Input()
    published = PriceVersion.Status.PUBLISHED
    check.expect("wrong_version", window.wrong.status == published, "a published version")
    check.expect("price_version", window.right.status == published, "a published version: publish the correction first")
    check.expect("price_version", window.right.pk != window.wrong.pk, "another version than the wrong one")
    check.expect("to", window.start < window.end, "a time after from")
    check.refuse("Usage cannot be re-rated like this.")


def _batches(
    window: Window, account_id: int, key: str, bucket: int, run: RerateRun | None, *, at: datetime
) -> Iterator[list[Corrected]]:
    """Correct an account's events, a batch a transaction (or savepoint, where the caller has one); of a run, noted with it."""
    cause = Cause(at, "", "", "") if run is None else Cause(at, run.public_id, run.reason, run.actor)
    after = 0
    while True:
        with transaction.atomic():
            run_id = run.pk if run is not None else None
            pks = events_to_correct(window, account_id=account_id, bucket=bucket, after=after, most=BATCH, run_id=run_id)
            if not pks:
                return
            catalogue = catalogue_in_force()
            catalogue.read_assignments([account_id])
            outcomes = correct_events(
                event_pks=pks, window=window, account=resolve_accounts({key})[key], catalogue=catalogue,
                cause=cause,
            )  # fmt: skip
            if run is not None:
                _note(run, outcomes, account_id, bucket)
        yield outcomes
        after = pks[-1]


def _note(run: RerateRun, outcomes: list[Corrected], account_id: int, bucket: int) -> None:
    RerateItem.objects.bulk_create(
        RerateItem(
            run=run, event_id=one.event_pk, bucket=bucket, account_id=account_id, currency=one.currency,
            before=sum(one.before.values(), ZERO), after=sum(one.after.values(), ZERO), refused=one.refused[:500],
        )
        for one in outcomes
    )  # fmt: skip
