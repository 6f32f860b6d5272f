"""Prove the books: every invariant that can be checked on a live database, over all of it. Exit code 1 when one fails."""

from __future__ import annotations

import json
from dataclasses import asdict
from time import perf_counter
from typing import IO, Any, Final, cast

from django.core.management.base import BaseCommand, CommandError, CommandParser
from rich.console import Console
from rich.table import Table

from metering.ingest import proofs as arrival
from metering.usage import proofs as usage
from pricing.credit_products import proofs as vouchers
from pricing.plans import proofs as plans
from wallets.holds import proofs as holds
from wallets.ledger import proofs as ledger
from wallets.ledger import schema_proofs as schema
from wallets.ledger.proof import Proof, Prover
from wallets.refunds import proofs as refunds

PROOFS: Final[tuple[Prover, ...]] = (
    *ledger.PROOFS, *holds.PROOFS, *refunds.PROOFS, *arrival.PROOFS, *usage.PROOFS, *plans.PROOFS, *vouchers.PROOFS,
    *schema.PROOFS,
)  # fmt: skip


class Command(BaseCommand):
    help = "Prove that balances, lots, journal, charges and roll-ups agree and that nothing was altered."

    def add_arguments(self, parser: CommandParser) -> None:
        """--json"""
        parser.add_argument("--json", action="store_true", help="print the outcome as JSON")

    def handle(self, *_: Any, **options: Any) -> None:
        """Run every proof, print what was proved, fail when one does not hold."""
        outcome = [_timed(prover) for prover in PROOFS]
        proofs = [proof for proof, _ in outcome]
        if options["json"]:
            rows = [asdict(proof) | {"holds": proof.holds, "seconds": round(seconds, 3)} for proof, seconds in outcome]
            self.stdout.write(json.dumps({"holds": all(proof.holds for proof in proofs), "proofs": rows}, indent=2))
        else:
            _print_table(Console(file=cast("IO[str]", self.stdout)), outcome)
        failed = [proof for proof in proofs if not proof.holds]
        if failed:
            raise CommandError(f"{len(failed)} of {len(proofs)} proofs do not hold.", returncode=1)


def _timed(prover: Prover) -> tuple[Proof, float]:
    start = perf_counter()
    return prover(), perf_counter() - start


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
