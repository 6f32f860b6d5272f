"""Correct a wrong price of a past window: `python manage.py rerate prv_WRONG prv_RIGHT --from … --to …`."""

from __future__ import annotations

from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metering.rerating.models import RerateRun
from metering.rerating.rerate import RerateReport, continue_rerate, preview_rerate, start_rerate
from metering.rerating.window import Window
from pricing.books.queries import version_by_id
from pricing.meters.queries import meter_by_code
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.fields import read_moment
from wallets.errors import Refusal
from wallets.money import plain


class Command(BaseCommand):
    """Re-rate."""

    help = "Charge past usage at the right version: first a report, with --apply for good; --resume RUN goes on with a run."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """Versions, window, account, meter, --apply with --reason, --resume."""
        parser.add_argument("wrong", nargs="?", help="id of the version with the wrong price (prv_…)")
        parser.add_argument("right", nargs="?", help="id of a published version with the right one")
        parser.add_argument("--from", dest="start", help="of the events' own time, such as 2026-11-01T00:00:00Z")
        parser.add_argument("--to", dest="end", help="exclusive")
        parser.add_argument("--account", help="key; left out: all accounts")
        parser.add_argument("--meter", help="code; left out: all meters")
        parser.add_argument("--apply", action="store_true", help="correct for good; left out: a report, nothing stays")
        parser.add_argument("--reason", default="", help="required with --apply")
        parser.add_argument("--resume", help="id of a run that was broken off (rer_…)")

    def handle(self, *_: Any, **options: Any) -> None:
        """Look, or correct, and print what it came to."""
        try:
            if options["resume"]:
                run = RerateRun.objects.filter(public_id=options["resume"]).first()
                if run is None:
                    raise CommandError(f"There is no run {options['resume']}.")
            else:
                window = _window(options)
                if not options["apply"]:
                    self._print(preview_rerate(window=window, at=clock.now()))
                    self.stdout.write("Nothing was changed; --apply corrects it.")
                    return
                run = start_rerate(window=window, at=clock.now(), reason=options["reason"], actor="manage.py rerate")
                self.stdout.write(f"Run {run.public_id}; --resume goes on with it if it is broken off.")
            self._print(continue_rerate(run=run, at=clock.now()))
        except Refusal as refusal:
            expected = "; ".join(f"{field}: {text}" for field, text in refusal.fields.items())
            raise CommandError(f"{refusal.message} {expected}".strip()) from refusal

    def _print(self, report: RerateReport) -> None:
        for (name, currency), sums in (*sorted(report.accounts.items()), *sorted(report.meters.items())):
            before, after, more = plain(sums.before), plain(sums.after), plain(sums.difference)
            self.stdout.write(f"{name}: {sums.events:,} events, {currency} {before} -> {after} ({more})")
        self.stdout.write(f"{report.events:,} events, {report.refused:,} left as they are.")
        for account, event_pk, why in report.reasons:
            self.stdout.write(f"  {account}, event row {event_pk}: {why}")


def _window(options: dict[str, Any]) -> Window:
    if not options["wrong"] or not options["right"]:
        raise CommandError("Name the version with the wrong price and the one with the right price.")
    return Window(
        version_by_id(public_id=options["wrong"]),
        version_by_id(public_id=options["right"]),
        _moment(options["start"]),
        _moment(options["end"]),
        account=account_by_key(key=options["account"]) if options["account"] else None,
        meter=meter_by_code(code=options["meter"]) if options["meter"] else None,
    )


def _moment(text: str | None) -> datetime:
    moment = read_moment(text)
    if moment is None:
        raise CommandError("--from and --to are needed, as times with their offset: 2026-11-01T00:00:00Z.")
    return moment
