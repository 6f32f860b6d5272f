"""Prove the books: every invariant that can be checked on a live database, over all of it. Exit code 1 when one fails."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import IO, Any, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from billing_site.proving import PROOFS, prove_and_keep, run_proofs
from wallets.clock import now
from wallets.ledger.proof import Proof

__all__ = ["PROOFS", "Command"]


class Command(BaseCommand):
    help = "Prove that balances, lots, journal, charges and roll-ups agree and that nothing was altered."

    def add_arguments(self, parser: CommandParser) -> None:
        """--json, --keep"""
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")
        parser.add_argument(
            "--keep",
            action="store_true",
            help="as the nightly run: keep the outcome, freeze the wallets it names, tell finance",
        )

    def handle(self, *_: Any, **options: Any) -> None:
        """Run every proof, print what was proved, fail when one does not hold."""
        if options["keep"]:
            self._keep()
            return
        outcome = run_proofs()
        proofs = [proof for proof, _ in outcome]
        if options["json"]:
            rows = [asdict(proof) | {"holds": proof.holds, "seconds": round(seconds, 3)} for proof, seconds in outcome]
            self.stdout.write(json.dumps({"holds": all(proof.holds for proof in proofs), "proofs": rows}, indent=2))
        else:
            _print_table(Console(file=cast("IO[str]", self.stdout)), outcome)
        failed = [proof for proof in proofs if not proof.holds]
        if failed:
            raise CommandError(f"{len(failed)} of {len(proofs)} proofs do not hold.", returncode=1)

    def _keep(self) -> None:
        run = prove_and_keep(at=now())
        if run is None:
            raise CommandError("Another run is under way.")
        self.stdout.write(
            f"{run}; {run.checked:,} rows in {run.took_ms / 1000:.1f} s; frozen: {', '.join(run.frozen) or 'none'}"
        )
        if not run.holds:
            raise CommandError(run.outcome, returncode=1)


def _print_table(console: Console, outcome: list[tuple[Proof, float]]) -> None:
    table = Table(box=None)
    for heading, justify in (("", "left"), ("proved", "left"), ("checked", "right"), ("wrong", "right"), ("seconds", "right")):
        table.add_column(heading, justify=justify)  # type: ignore[arg-type]  # one of rich's words
    for proof, seconds in sorted(outcome, key=lambda one: int(one[0].invariant[1:])):
        faults = f"[bold red]{proof.faults:,}[/]" if proof.faults else "0"
        table.add_row(proof.invariant, proof.name, f"{proof.checked:,}", faults, f"{seconds:.1f}")
    console.print(table)
    for proof, _ in outcome:
        for offender in proof.offenders:
            console.print(f"  {proof.invariant}: {offender}", style="red", markup=False, soft_wrap=True)
        if proof.faults > len(proof.offenders):
            console.print(f"  {proof.invariant}: and {proof.faults - len(proof.offenders):,} more", style="red")
