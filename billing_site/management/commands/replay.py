"""Stream a CSV or JSONL file of usage through ingest: `python manage.py replay usage.csv --map time=ts --map ...`."""

from __future__ import annotations

import json as json_text
import re
import time
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from contextlib import ExitStack
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.core.management.base import BaseCommand, CommandError
from rich.console import Console

from billing_site.demo.replay_setup import ReplaySetup
from billing_site.management.replay_report import ReplayReport, print_report, progress_bar
from metering.ingest.replay_file import BATCH, Refused, ReplayPlan, Watchers, replay_file
from metering.ingest.replay_map import MOST_ACCOUNTS, EventMap, Spread, parse_map
from metering.ingest.replay_presets import PRESETS, DemoPrice, Preset, preset_for, preset_named
from metering.ingest.replay_rows import FORMATS, GZIP, Shape, UnreadableFile, file_size, find_shape
from wallets import clock
from wallets.errors import Refusal

MOST_BATCH: Final = 10_000
MOST_NAME: Final = 40

_TRACES: Final = "; ".join(f"{preset.name} ({', '.join(preset.columns[:3])}...)" for preset in PRESETS)

HELP: Final = f"""
Stream a CSV or JSONL file (also gzipped) of any shape through ingest, in batches. Replaying a file again charges nothing,
and a run that was broken off goes on where it stopped.

Which column is what: --map TARGET=SOURCE, once each. Targets are id, type, account, time, or a property's name
(properties.NAME when it is one of these four words). Without id, it is the file's name and the record's number. Sources:
  COLUMN                a column; in JSONL a member, usage.prompt_tokens for one inside another
  column:COLUMN         the same, for a column whose name looks like another source
  const:TEXT            the same text for every record
  pick:A,B,C            one of these, chosen by the record's number
  minus:COLUMN:COLUMN   the first less the second
  --map '*'             every column not named otherwise is a property of its own name

Example:
  python manage.py replay usage.csv.gz --map type=const:llm.request --map time=TIMESTAMP --map account=customer \\
      --map input_tokens=ContextTokens --map output_tokens=GeneratedTokens

A file that names no customer: --accounts N spreads it over N demo accounts by the record's number; those that do not
exist are opened, with credit, and with a price book of their own if there are --price options. A file whose rows name
their accounts gets nothing made unless --demo-setup is given.

Without --map, a known trace is told by its header: {_TRACES}.
"""


class Command(BaseCommand):
    """Replay a file."""

    help = HELP

    def create_parser(self, prog_name: str, subcommand: str, **kwargs: Any) -> Any:
        """Keep the line breaks of the help."""
        parser = super().create_parser(prog_name, subcommand, **kwargs)
        parser.formatter_class = RawDescriptionHelpFormatter
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        """FILE and how to read it, where to send it, and what to make for it."""
        parser.add_argument("file", type=Path)
        reading = parser.add_argument_group("reading the file")
        reading.add_argument("--map", action="append", default=[], metavar="TARGET=SOURCE", dest="entries")
        reading.add_argument("--preset", help=f"one of {', '.join(p.name for p in PRESETS)}, or none; --map then adds to it")
        reading.add_argument("--format", choices=FORMATS, help="default: told from the first line")
        reading.add_argument("--delimiter", help="of a CSV file; default: told from the first line; \\t for a tab")
        reading.add_argument("--encoding", default="utf-8", help="default: utf-8")
        reading.add_argument("--columns", help="a,b,c: names for a CSV file without a header line")
        reading.add_argument(
            "--time-format", help="iso (default), epoch, epoch-ms, relative, relative-ms, or a strptime pattern"
        )
        reading.add_argument("--time-zone", default="UTC", help="of times without an offset; default: UTC")
        reading.add_argument("--time-start", help="when relative times start, ISO with offset")
        sending = parser.add_argument_group("sending the events")
        sending.add_argument("--accounts", type=int, metavar="N", help="spread the records over N demo accounts")
        sending.add_argument("--account-prefix", help="of demo accounts' keys; default: the preset's or the file's name")
        sending.add_argument("--id-prefix", default="", help="put before every event id: the same file counts as new usage")
        sending.add_argument("--shift-to-now", action="store_true", help="move all times alike so that the last is now")
        sending.add_argument("--batch", type=int, default=BATCH, help=f"records a transaction; default: {BATCH}")
        sending.add_argument("--restart", action="store_true", help="begin again even if a run was broken off")
        making = parser.add_argument_group("making what a demonstration needs")
        making.add_argument("--demo-setup", action="store_true", help="also for accounts that the rows name")
        making.add_argument("--no-demo-setup", action="store_true", help="make nothing: accounts and prices must be there")
        making.add_argument("--price", action="append", default=[], metavar="METER[:PROPERTY]=UNIT_PRICE", dest="prices",
                            help="a meter (of a property; else it counts events) and its price in USD")  # fmt: skip
        making.add_argument("--credit", default="100", help="USD for each account that is opened; default: 100")
        parser.add_argument("--rejects", type=Path, metavar="FILE", help="write every refused record to FILE, a JSON a line")
        parser.add_argument("--json", action="store_true", help="print the summary as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Find out how to read the file, make what is missing, replay, report."""
        try:
            self._replay(options)
        except KeyboardInterrupt:
            raise CommandError("Stopped. The next run of the same file goes on from here.", returncode=130) from None
        except (UnreadableFile, OSError) as error:
            raise CommandError(str(error)) from error
        except Refusal as refusal:
            expected = "; ".join(f"{name}: {text}" for name, text in refusal.fields.items())
            raise CommandError(f"{refusal.message} {f'({expected})' if expected else ''}".strip()) from refusal

    def _replay(self, options: dict[str, Any]) -> None:
        path: Path = options["file"]
        console = Console(file=self.stderr if options["json"] else self.stdout, highlight=False)  # type: ignore[arg-type]
        columns = tuple(name.strip() for name in options["columns"].split(",")) if options["columns"] else ()
        delimiter = options["delimiter"].replace("\\t", "\t") if options["delimiter"] else None
        shape = find_shape(path, format=options["format"], delimiter=delimiter, encoding=options["encoding"], columns=columns)
        preset = _preset(options, shape)
        event_map = _event_map(options, preset, path)
        if preset is not None:
            spread = event_map.spread
            over = f", spread over {spread.count} demo accounts {spread.prefix}-…" if spread else ""
            console.print(f"Preset {preset.name}: {preset.title}{over}.", markup=False, soft_wrap=True)
        setup = _setup(options, preset, event_map, path)
        if setup is not None:
            setup.prepare(at=clock.now())
        plan = ReplayPlan(path=path, shape=shape, event_map=event_map, shift_to_now=options["shift_to_now"],
                          restart=options["restart"], batch_size=_within("--batch", options["batch"], MOST_BATCH))  # fmt: skip
        started = time.monotonic_ns()
        with ExitStack() as stack:
            shown = console.is_terminal and not options["json"]
            told = stack.enter_context(progress_bar(console, size=_size(path), shown=shown))
            watchers = Watchers(on_progress=told)
            if setup is not None:
                watchers = Watchers(before_batch=lambda keys: setup.open_accounts(keys, at=clock.now()), on_progress=told)
            if options["rejects"] is not None:
                rejects = stack.enter_context(options["rejects"].open("w", encoding="utf-8"))
                watchers = Watchers(watchers.before_batch, told, lambda one: _write_refused(rejects, one))
            totals = replay_file(plan=plan, now=clock.now, watchers=watchers)
        seconds = Decimal(time.monotonic_ns() - started).scaleb(-9)
        report = ReplayReport(path.name, preset.title if preset else "", totals, None if setup is None else setup.made, seconds)
        if options["json"]:
            self.stdout.write(json_text.dumps(report.as_primitives()))
            return
        print_report(report, console)
        if totals.rejected.get("unknown_account") and setup is None:
            console.print("Unknown accounts: open them first, or give --demo-setup for a demonstration.")
        if totals.unrated:
            console.print("Unrated events wait in the dead letters: publish a price that fits and replay them there.")


def _preset(options: dict[str, Any], shape: Shape) -> Preset | None:
    """The preset asked for by name, or, without a map, told by the header."""
    name = options["preset"]
    if name == "none":
        return None
    if name is not None:
        preset = preset_named(name)
        if preset is None:
            raise CommandError(f"There is no preset {name}; there are {', '.join(one.name for one in PRESETS)}.")
        return preset
    if options["entries"]:
        return None
    preset = preset_for(shape.columns)
    if preset is None:
        raise CommandError("No known trace has this header: say with --map which column is what (see --help).")
    return preset


def _event_map(options: dict[str, Any], preset: Preset | None, path: Path) -> EventMap:
    entries = list(options["entries"])
    mapped = {entry.partition("=")[0] for entry in entries}
    if preset is not None:
        entries = [entry for entry in preset.entries if entry.partition("=")[0] not in mapped] + entries
    named = any(entry.startswith("account=") for entry in entries)
    count = options["accounts"]
    if count is None and preset is not None and not named:
        count = preset.accounts
    if count is not None:
        count = _within("--accounts", count, MOST_ACCOUNTS)
        entries = [entry for entry in entries if not entry.startswith("account=") or entry in options["entries"]]
    elif not named:
        raise CommandError("No column names the account: give --map account=COLUMN, or --accounts N for demo accounts.")
    start = options["time_start"]
    return parse_map(
        entries,
        spread=Spread(count, _prefix(options, preset, path)) if count else None,
        time_format=options["time_format"] or (preset.time_format if preset else "iso"),
        zone=_zone(options["time_zone"]),
        time_start=_moment(start) if start else (preset.time_start if preset else None),
        id_prefix=options["id_prefix"],
    )


def _setup(options: dict[str, Any], preset: Preset | None, event_map: EventMap, path: Path) -> ReplaySetup | None:
    """What may be made: for rows spread over demo accounts, or when asked for."""
    if options["no_demo_setup"] or (event_map.spread is None and not options["demo_setup"]):
        return None
    prices = [_price(written) for written in options["prices"]] or list(preset.prices if preset else ())
    kind = event_map.fields["type"]
    if prices and kind.kind not in {"const", "pick"}:
        raise CommandError("Prices for a demonstration need events of a known type: --map type=const:TYPE.")
    types = kind.names if kind.kind in {"const", "pick"} else ()
    return ReplaySetup(
        name=_prefix(options, preset, path), prices=prices, event_types=types, credit=_amount("--credit", options["credit"])
    )


def _prefix(options: dict[str, Any], preset: Preset | None, path: Path) -> str:
    name = options["account_prefix"] or (preset.name if preset else path.name.partition(".")[0])
    return re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:MOST_NAME] or "replay"


def _price(written: str) -> DemoPrice:
    meter, equals, price = written.partition("=")
    code, _, measured = meter.partition(":")
    if not equals or not code:
        raise CommandError(f"--price {written} is not METER=UNIT_PRICE or METER:PROPERTY=UNIT_PRICE.")
    return DemoPrice(code, measured, _amount("--price", price))


def _amount(option: str, text: str) -> Decimal:
    try:
        amount = Decimal(text)
    except InvalidOperation:
        amount = Decimal("NaN")
    if not amount.is_finite() or amount < 0:
        raise CommandError(f"{option} {text}: an amount, zero or more, is expected.")
    return amount


def _within(option: str, number: int, most: int) -> int:
    if not 1 <= number <= most:
        raise CommandError(f"{option} {number}: 1 to {most} is expected.")
    return number


def _zone(name: str) -> ZoneInfo:
    try:
        return ZoneInfo(name)
    except (ValueError, LookupError, OSError):
        raise CommandError(f"--time-zone {name}: an IANA name such as Europe/Berlin is expected.") from None


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise CommandError(f"--time-start {text}: an ISO time is expected, 2025-01-01T00:00:00Z.") from None
    if moment.tzinfo is None:
        raise CommandError(f"--time-start {text} has no offset: add Z or +02:00.")
    return moment


def _size(path: Path) -> int | None:
    """Bytes to read; not known beforehand when the file is compressed."""
    with path.open("rb") as file:
        return None if file.read(2) == GZIP else file_size(path)


def _write_refused(file: Any, one: Refused) -> None:
    file.write(json_text.dumps({"line": one.line, "id": one.id, "code": one.code, "detail": one.detail}) + "\n")
