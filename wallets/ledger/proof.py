"""A proof goes over all rows of something and names those in which an invariant (DESIGN section 3) does not hold."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

MOST_NAMED: Final = 20

# Each proof is one statement that reads everything once: hash joins and sums want memory more than anything else. A nested
# loop is what PostgreSQL plans for tables it takes for empty (just loaded, not analysed yet), and then never ends.
_SETTINGS: Final = {"work_mem": "128MB", "jit": "off", "enable_nestloop": "off"}


@dataclass(frozen=True, slots=True)
class Proof:
    """What was proved. checked: rows (or things) looked at; faults: how many are wrong; offenders: the first of them, each
    named in a sentence."""

    name: str
    invariant: str
    checked: int
    faults: int
    offenders: tuple[str, ...]

    @property
    def holds(self) -> bool:
        """Nothing was found wrong."""
        return self.faults == 0


Prover = Callable[[], Proof]


def prove_rows(name: str, invariant: str, faults_sql: str) -> Proof:
    """Prove by one SELECT of one column: for each row checked NULL, or a sentence that names what is wrong.

    It sees one snapshot, so traffic does not disturb it. name: what holds, as a sentence. invariant: `I2`.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        for setting, value in _SETTINGS.items():
            cursor.execute("SELECT set_config(%s, %s, true)", [setting, value])
        cursor.execute(
            f"""SELECT count(*), count(fault), (array_agg(fault) FILTER (WHERE fault IS NOT NULL))[1:{MOST_NAMED}]
                FROM ({faults_sql}) AS checked (fault)"""  # noqa: S608 - of constants
        )
        checked, faults, offenders = cursor.fetchone()
    return Proof(name, invariant, checked, faults, tuple(offenders or ()))


def prove_things(name: str, invariant: str, faults: dict[str, str | None]) -> Proof:
    """Prove from things already looked at: each with what is wrong with it, or None."""
    wrong = [f"{thing} {fault}" for thing, fault in sorted(faults.items()) if fault is not None]
    return Proof(name, invariant, len(faults), len(wrong), tuple(wrong[:MOST_NAMED]))
