"""Issue the statements that are due: `python manage.py close_periods`."""

from __future__ import annotations

import json
import sys
from argparse import ArgumentParser
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from metering.usage.close_periods import Closed, close_periods
from wallets import clock
from wallets.accounts.queries import account_by_key
from wallets.api.fields import read_moment
from wallets.balances.models import Wallet


class Command(BaseCommand):
    """Close periods."""

    help = "Issue a statement for every wallet and month that has ended; what is there already is left alone."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--account, --at, --json."""
        parser.add_argument("--account", help="key; left out: all accounts")
        parser.add_argument("--at", help="months that had ended then, such as 2026-12-01T02:00:00Z; left out: now")
        parser.add_argument("--json", action="store_true", help="one JSON object instead of words")

    def handle(self, *_: Any, **options: Any) -> None:
        """Issue, telling how far it is; exits 1 when some did not add up."""
        wallet_ids = None
        if options["account"]:
            account = account_by_key(key=options["account"])
            wallet_ids = list(Wallet.objects.filter(account=account).values_list("pk", flat=True))
        closed = close_periods(at=_moment(options["at"]), wallet_ids=wallet_ids, tell=self._tell)
        if options["json"]:
            self.stdout.write(json.dumps({"due": closed.due, "issued": closed.issued, "faults": closed.faults}))
        else:
            self.stdout.write(f"{closed.issued:,} of {closed.due:,} statements issued.")
            for fault in closed.faults:
                self.stdout.write(fault)
        if closed.faults:
            sys.exit(1)

    def _tell(self, closed: Closed) -> None:
        if self.stderr.isatty():
            self.stderr.write(f"\r{closed.issued:,} of {closed.due:,}", ending="")


def _moment(text: str | None) -> datetime:
    if text is None:
        return clock.now()
    moment = read_moment(text)
    if moment is None:
        raise CommandError("--at: a time with its zone, such as 2026-12-01T02:00:00Z.")
    return min(moment, clock.now())
