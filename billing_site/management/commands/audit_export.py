"""Write journal, lots and statements of a span of time to a folder that verifies itself."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wallets.clock import now
from wallets.errors import Refusal
from wallets.ledger.rolled_days import DAY, start_of
from wallets.reports.audit_export import write_audit


class Command(BaseCommand):
    help = "Write journal, lots and statements to a folder; `python3 verify.py` in it proves them without this software."

    def add_arguments(self, parser: CommandParser) -> None:
        """--from, --to, --out"""
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, help="first day, UTC")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, help="last day, UTC")
        parser.add_argument("--out", type=Path, required=True, help="a folder, empty or not there yet")

    def handle(self, *_: Any, first: date, last: date, out: Path, **__: Any) -> None:
        """Write it, saying how far it is."""
        if first > last:
            raise CommandError("--to is before --from.")
        try:
            write_audit(folder=out, start=start_of(first), end=start_of(last + DAY), at=now(), tell=self.stdout.write)
        except Refusal as error:
            raise CommandError(error.message) from error
        self.stdout.write(f"{out}: verify it with `python3 {out / 'verify.py'}`")
