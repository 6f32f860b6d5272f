"""All proofs of all apps, and the nightly run over them: it is kept, what it names is frozen, finance is told."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from time import perf_counter
from typing import Final

from django.db import connection, transaction

from metering.ingest import proofs as arrival
from metering.usage import proofs as usage
from metering.usage.models import Charge
from pricing.credit_products import proofs as vouchers
from pricing.plans import proofs as plans
from wallets.audit.record import record_change
from wallets.balances.freeze import WalletFrozen, freeze_wallet
from wallets.balances.models import Wallet
from wallets.credit.models import CreditLot
from wallets.errors import Refusal
from wallets.holds import proofs as holds
from wallets.ledger import proofs as ledger
from wallets.ledger import schema_proofs as schema
from wallets.ledger.entries import wallets_of_entries
from wallets.ledger.proof import Proof, Prover
from wallets.ledger.proof_models import ProofRun
from wallets.outbox.topics import ProofFailed
from wallets.outbox.write import add_news
from wallets.refunds import proofs as refunds

PROOFS: Final[tuple[Prover, ...]] = (
    *ledger.PROOFS, *holds.PROOFS, *refunds.PROOFS, *arrival.PROOFS, *usage.PROOFS, *plans.PROOFS, *vouchers.PROOFS,
    *schema.PROOFS,
)  # fmt: skip
JOB: Final = "prove_nightly"
MOST_TOLD: Final = 5


def run_proofs(provers: Iterable[Prover] = PROOFS) -> list[tuple[Proof, float]]:
    """What was proved, and in how many seconds each."""
    return [_timed(prover) for prover in provers]


def prove_and_keep(*, at: datetime, provers: Iterable[Prover] = PROOFS) -> ProofRun | None:
    """Run the proofs and keep how they came out. Wallets that a failed proof names are frozen: what they hold is not
    certain, and no call is let through until somebody has looked. Finance is told (`ProofFailed`). None while another run
    is under way."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(hashtextextended('prove and keep', 0))")
        if not cursor.fetchone()[0]:
            return None
    try:
        start = perf_counter()
        outcome = [proof for proof, _ in run_proofs(provers)]
        failed = [proof for proof in outcome if not proof.holds]
        frozen = _freeze(wallets_named(line for proof in failed for line in proof.offenders), at=at)
        with transaction.atomic():
            run = ProofRun.objects.create(
                at=at,
                took_ms=int((perf_counter() - start) * 1000),
                proofs=len(outcome),
                failed=len(failed),
                checked=sum(proof.checked for proof in outcome),
                findings=[asdict(proof) for proof in failed],
                frozen=frozen,
            )
            if failed:
                told = [line for proof in failed for line in proof.offenders][:MOST_TOLD]
                news = ProofFailed(run.pk, len(failed), len(outcome), "\n".join(told), ", ".join(frozen))
                add_news([("", news)], at=at)
        return run
    finally:
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_unlock(hashtextextended('prove and keep', 0))")


def wallets_named(offenders: Iterable[str]) -> list[Wallet]:
    """The wallets that sentences of proofs name: by their own id, or by that of an entry, a lot or a charge."""
    text = "\n".join(offenders)
    entries = {int(one) for one in re.findall(r"\bentry (\d+)", text)}
    events = {int(one) for one in re.findall(r"\bcharge (\d+)/", text)}
    lots = set(re.findall(r"\blot_\w+", text))
    found = set(re.findall(r"\bwal_\w+", text))
    keys = wallets_of_entries(entries)
    keys |= set(CreditLot.objects.filter(public_id__in=lots).values_list("wallet_id", flat=True))
    keys |= set(Charge.objects.filter(event_id__in=events).values_list("wallet_id", flat=True))
    keys |= set(Wallet.objects.filter(public_id__in=found).values_list("pk", flat=True))
    return list(Wallet.objects.filter(pk__in=keys).order_by("pk"))


def _freeze(named: Iterable[Wallet], *, at: datetime) -> list[str]:
    """Freeze each; those that are not active stay as they are."""
    frozen = []
    for wallet in named:
        try:
            with transaction.atomic():
                freeze_wallet(wallet_id=wallet.pk, at=at)
                record_change(
                    actor=JOB, action="freeze_wallet", subject_kind="wallets.wallet", subject=wallet.public_id,
                    before={"status": wallet.status}, after={"status": Wallet.Status.FROZEN.value},
                    reason="A proof that names it does not hold.", at=at, account=wallet.account_id,
                )  # fmt: skip
            frozen.append(wallet.public_id)
        except WalletFrozen:
            frozen.append(wallet.public_id)
        except Refusal:
            continue
    return frozen


def _timed(prover: Prover) -> tuple[Proof, float]:
    start = perf_counter()
    return prover(), perf_counter() - start
