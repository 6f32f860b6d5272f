"""What a replay says: while it runs, a bar; at its end, a table or JSON."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.table import Table

from billing_site.demo.replay_setup import Made
from metering.ingest.replay_file import ReplayTotals
from wallets.money import plain

_MICROSECOND: Final = timedelta(microseconds=1)
NAMED: Final = 20  # refused records shown; the JSON has more, --rejects has all


@dataclass(frozen=True, slots=True)
class ReplayReport:
    """A finished run. seconds: wall time.  preset: its title, empty without one."""

    file: str
    preset: str
    totals: ReplayTotals
    made: Made | None
    seconds: Decimal

    @property
    def events_per_second(self) -> int:
        """Events sent (new ones and duplicates) for each second of the run, without that of opening demo accounts."""
        sent = self.totals.events + self.totals.duplicates
        seconds = self.seconds - (self.made.seconds if self.made is not None else 0)
        return int(sent / seconds) if seconds > 0 else 0

    def as_primitives(self) -> dict[str, Any]:
        """For JSON; amounts and quantities are decimal strings."""
        totals, made = self.totals, self.made
        return {
            "file": self.file,
            "preset": self.preset or None,
            "from_line": totals.from_line,
            "shift_seconds": f"{Decimal(totals.shift // _MICROSECOND).scaleb(-6):f}",
            "records": totals.records,
            "events": totals.events,
            "duplicates": totals.duplicates,
            "unrated": totals.unrated,
            "rejected": dict(totals.rejected),
            "refused": [{"line": one.line, "id": one.id, "code": one.code, "detail": one.detail} for one in totals.refused],
            "charged": [
                {"meter": meter, "currency": currency, "charges": total.charges,
                 "quantity": _count(total.quantity), "amount": plain(total.amount)}
                for (meter, currency), total in sorted(totals.charged.items())
            ],
            "total": {currency: plain(amount) for currency, amount in self.by_currency().items()},
            "made": None if made is None else {"meters": made.meters, "price_book": made.book or None,
                                               "accounts": made.accounts, "credit": plain(made.credit)},
            "seconds": f"{self.seconds:.3f}",
            "events_per_second": self.events_per_second,
        }  # fmt: skip

    def by_currency(self) -> dict[str, Decimal]:
        """What was charged, all meters together."""
        sums: dict[str, Decimal] = {}
        for (_, currency), total in sorted(self.totals.charged.items()):
            sums[currency] = sums.get(currency, Decimal(0)) + total.amount
        return sums


def print_report(report: ReplayReport, console: Console) -> None:
    """The summary as tables."""
    totals, made = report.totals, report.made
    if made is not None and (made.meters or made.book or made.accounts):
        parts = [f"{made.accounts} accounts with {plain(made.credit)} of credit in all"]
        parts += [f"meters {', '.join(made.meters)}"] * bool(made.meters) + [f"price book {made.book!r}"] * bool(made.book)
        console.print(f"Made for the demonstration: {escape('; '.join(parts))}.")
    if totals.from_line > 1:
        console.print(f"Went on at line {totals.from_line}, where a run was broken off.")
    if totals.shift:
        console.print(f"Times moved by {totals.shift}.")
    counts = Table(title=f"Replay of {escape(report.file)}", title_justify="left", show_header=False)
    counts.add_column("what")
    counts.add_column("count", justify="right")
    counts.add_row("records read", f"{totals.records:,}")
    counts.add_row("events, new", f"{totals.events:,}")
    counts.add_row("duplicates", f"{totals.duplicates:,}")
    counts.add_row("rejected", f"{sum(totals.rejected.values()):,}")
    for code, number in sorted(totals.rejected.items()):
        counts.add_row(f"  {code}", f"{number:,}")
    counts.add_row("unrated (wait for a price)", f"{totals.unrated:,}")
    counts.add_row("wall time", f"{report.seconds:.1f} s")
    if made is not None and made.accounts:
        counts.add_row("  of it opening accounts", f"{made.seconds:.1f} s")
    counts.add_row("events per second", f"{report.events_per_second:,}")
    console.print(counts)
    _print_charged(report, console)
    for one in totals.refused[:NAMED]:
        console.print(f"line {one.line}: {one.code}: {escape(one.detail)}", highlight=False)
    left = sum(totals.rejected.values()) - len(totals.refused[:NAMED])
    if left > 0:
        console.print(f"... and {left:,} more; --rejects FILE writes them all.")


def _print_charged(report: ReplayReport, console: Console) -> None:
    if not report.totals.charged:
        console.print("Charged: nothing.")
        return
    charged = Table(title="Charged", title_justify="left")
    charged.add_column("meter")
    for name in ("charges", "quantity", "amount"):
        charged.add_column(name, justify="right")
    charged.add_column("currency")
    for (meter, currency), total in sorted(report.totals.charged.items()):
        charged.add_row(meter, f"{total.charges:,}", _count(total.quantity), plain(total.amount), currency)
    for currency, amount in report.by_currency().items():
        charged.add_row("all", "", "", plain(amount), currency, style="bold")
    console.print(charged)


def _count(quantity: Decimal) -> str:
    """A quantity without trailing zeros."""
    return f"{quantity.normalize():f}"


@contextmanager
def progress_bar(console: Console, *, size: int | None, shown: bool) -> Iterator[Any]:
    """A bar over the bytes of the file; yields what to call with (totals, searching). size: None when not known."""
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.fields[records]:,} records"),
               TimeElapsedColumn(), TimeRemainingColumn())  # fmt: skip
    with Progress(*columns, console=console, disable=not shown, transient=True) as progress:
        tasks: dict[bool, TaskID] = {}

        def told(totals: ReplayTotals, searching: bool) -> None:  # noqa: FBT001 - called by position, see Watchers
            if searching not in tasks:
                label = "looking for the last time" if searching else "replaying"
                tasks[searching] = progress.add_task(label, total=size, records=0)
            progress.update(tasks[searching], completed=totals.place.offset, records=totals.records)

        yield told
