"""Opening balances, or credit for many customers, from a CSV: a dry run, and with --apply all of it or nothing."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from wallets.clock import now
from wallets.errors import Refusal
from wallets.imports.take_in import OPENING, import_credit, plan_import


class Command(BaseCommand):
    help = "Grant credit by a CSV (account,currency,kind,amount,price_paid,expires_at,reference). Without --apply a dry run."

    def add_arguments(self, parser: CommandParser) -> None:
        """The file, what its source says it adds up to, and whether to do it."""
        parser.add_argument("file", type=Path)
        parser.add_argument(
            "--total", action="append", default=[], metavar="USD=120.50", help="from the source; one a currency"
        )
        parser.add_argument("--source", default=OPENING, help="name of the cash clearing account that hands the money over")
        parser.add_argument("--reason", default="")
        parser.add_argument("--apply", action="store_true")

    def handle(self, *_: Any, file: Path, total: list[str], source: str, reason: str, apply: bool, **__: Any) -> None:
        """Say what would happen, or do it."""
        text, totals = file.read_text(encoding="utf-8-sig"), _totals(total)
        try:
            plan = plan_import(text=text, totals=totals)
            sums = ", ".join(f"{amount:f} {currency}" for currency, amount in plan.totals.items())
            self.stdout.write(f"{plan.rows:,} rows for {plan.wallets:,} wallets: {sums}")
            if not apply:
                self.stdout.write("Nothing was changed; --apply does it.")
                return
            run = import_credit(
                text=text, totals=totals, name=file.name, reason=reason, source=source, actor="import_credit", at=now(),
                tell=self.stdout.write,
            )  # fmt: skip
        except Refusal as error:
            lines = [error.message, *(f"  {name}: {what}" for name, what in error.fields.items())]
            raise CommandError("\n".join(lines)) from error
        self.stdout.write(f"Done: {run.rows:,} rows.")


def _totals(texts: list[str]) -> dict[str, Decimal]:
    totals = {}
    for text in texts:
        currency, _, amount = text.partition("=")
        try:
            totals[currency] = Decimal(amount)
        except InvalidOperation as error:
            raise CommandError(f"--total {text}: as USD=120.50") from error
    return totals
