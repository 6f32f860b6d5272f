"""Make the demo company: `python manage.py seed_demo`. Does nothing when it is there."""

from __future__ import annotations

import json as json_text
import time
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console
from rich.progress import Progress

from billing_site.demo.company import DAYS, SEED, seed_demo
from wallets import clock


class Command(BaseCommand):
    """Seed the demo company."""

    help = "Make the demo company: an LLM API vendor with prices, customers and a history of usage, payments and expiry."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--days, --seed, --events, --json."""
        parser.add_argument("--days", type=int, default=DAYS, help=f"of history; default: {DAYS}")
        parser.add_argument("--seed", type=int, default=SEED, help=f"the same seed makes the same company; default: {SEED}")
        parser.add_argument("--events", type=int, help="about so many, money scaled alike; default: some 1,500 a day")
        parser.add_argument("--renew", action="store_true", help="make a new password and API key and tell them")
        parser.add_argument("--json", action="store_true", help="print JSON")

    def handle(self, *_: Any, days: int, seed: int, events: int | None, renew: bool, json: bool, **__: Any) -> None:
        """Seed and print who can sign in."""
        if not (1 <= days <= 366 and 1 <= (events or 1) <= 10_000_000):  # noqa: PLR2004 - a demonstration
            raise CommandError("--days 1 to 366 and --events 1 to 10000000 are expected.")
        started = time.monotonic()
        console = Console(file=self.stderr, highlight=False)  # type: ignore[arg-type]
        with Progress(console=console, disable=json or not console.is_terminal, transient=True) as progress:
            task = progress.add_task(f"{days} days of history", total=None)
            facts = seed_demo(
                at=clock.now(),
                seed=seed,
                days=days,
                events=events,
                renew=renew,
                on_progress=lambda done, total: progress.update(task, completed=done, total=total),
            )
        if json:
            self.stdout.write(json_text.dumps(facts))
            return
        for login in facts["logins"]:
            password = login["password"] or "as told when it was made"
            self.stdout.write(f"{login['role']:10} {login['email']:28} {password:26} {login['what']}")
        self.stdout.write(f"API key    {facts['api_key'] or 'as told when it was made'}")
        self.stdout.write(f"{facts['events']:,} events in {time.monotonic() - started:.1f} s")
