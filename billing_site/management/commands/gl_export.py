"""Write the journal of some days for a bookkeeping program."""

from __future__ import annotations

from datetime import UTC, date
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wallets.clock import now
from wallets.errors import Refusal
from wallets.reports.general_ledger import gl_lines
from wallets.reports.general_ledger_formats import NAMES, Datev, gl_file


class Command(BaseCommand):
    help = "Print the journal by day and account code, for CSV, QuickBooks, Xero, NetSuite or DATEV."

    def add_arguments(self, parser: CommandParser) -> None:
        """Which days, which currency, for which program."""
        parser.add_argument("--from", dest="first", type=date.fromisoformat, required=True, help="first day, UTC")
        parser.add_argument("--to", dest="last", type=date.fromisoformat, required=True, help="last day, UTC")
        parser.add_argument("--currency", default="USD")
        parser.add_argument("--for", dest="program", choices=NAMES, default="csv")
        parser.add_argument("--suspense", default="", help="account code for what has none")
        parser.add_argument("--datev-consultant", default="1001")
        parser.add_argument("--datev-client", default="1")
        parser.add_argument("--datev-clearing", default="1590")

    def handle(self, *_: Any, **options: Any) -> None:
        """Print the file."""
        try:
            export = gl_lines(
                first_day=options["first"], last_day=options["last"], currency=options["currency"], suspense=options["suspense"]
            )
        except Refusal as error:
            raise CommandError(error.message) from error
        clearing = options["datev_clearing"]
        datev = Datev(options["datev_consultant"], options["datev_client"], len(clearing), 1, clearing)
        for line in gl_file(export, format_=options["program"], made_at=now().astimezone(UTC), datev=datev):
            self.stdout.write(line, ending="")
