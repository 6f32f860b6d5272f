"""`manage.py bench NAME`: measure, on servers of its own."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime
from typing import Any, Final

from django.core.management import call_command
from django.core.management.base import BaseCommand, CommandParser
from rich.console import Console
from rich.table import Table

from billing_site.benchmarks.alerts import measure_alerts
from billing_site.benchmarks.gate import measure_gate
from billing_site.benchmarks.ingest import measure_ingest
from billing_site.benchmarks.pages import measure_pages
from billing_site.benchmarks.reports import measure_reports
from wallets import clock

BENCHMARKS: Final[dict[str, Callable[..., dict[str, float]]]] = {
    "alerts": measure_alerts,
    "gate": measure_gate,
    "ingest": measure_ingest,
    "pages": measure_pages,
    "reports": measure_reports,
}
EVENTS: Final = {"pages": 1_000_000, "reports": 10_000_000}
DEFAULT_EVENTS: Final = 100_000


class Command(BaseCommand):
    """Measure a part of the system against a reference taken in the same run."""

    help = "Measure, on embedded servers of its own. Figures are medians; ratios compare figures of one run."

    def add_arguments(self, parser: CommandParser) -> None:
        """The benchmark and how to print it."""
        parser.add_argument("name", choices=sorted(BENCHMARKS))
        parser.add_argument("--json", action="store_true", help="one JSON object instead of a table")
        parser.add_argument("--events", type=int, help="events a measurement; 100,000, or what stands in the documents")

    def handle(self, *_: Any, name: str, events: int | None, **options: Any) -> None:
        """Migrate the empty database, measure, print."""
        call_command("migrate", verbosity=0)
        at: datetime = clock.now()
        figures = BENCHMARKS[name](at=at, events=events or EVENTS.get(name, DEFAULT_EVENTS), tell=self.stderr.write)
        if options["json"]:
            self.stdout.write(json.dumps({key: round(value, 3) for key, value in figures.items()}))
            return
        table = Table(title=f"bench {name}")
        table.add_column("figure")
        table.add_column("value", justify="right")
        for key, value in figures.items():
            table.add_row(key, f"{value:,.2f}" if "_over_" in key else f"{value:,.0f} {_unit(key)}")
        Console().print(table)


def _unit(key: str) -> str:
    return (
        "ms"
        if key.endswith("_ms")
        else ""
        if key in {"delivered", "missing", "events"}
        else "µs"
        if key.endswith("_us")
        else "/s"
        if key.endswith("_per_second")
        else "events/s"
    )
