"""What `manage.py prove` proves, for the tests."""

from __future__ import annotations

from billing_site.management.commands.prove import PROOFS


def assert_everything_is_proved() -> None:
    """Every proof holds, and together they looked at something."""
    proofs = [prover() for prover in PROOFS]
    offenders = [offender for proof in proofs for offender in proof.offenders]
    assert not offenders, offenders[:5]
    assert sum(proof.checked for proof in proofs)
