"""Answer a repeated request with its first answer. The claim is a row written in the transaction of the effect: a second
request with the same key waits on that row, and finds the answer when the first commits, or takes over when it fails."""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from django.db import connection, transaction
from django.db.utils import OperationalError
from psycopg import errors as pg

from wallets.errors import Conflict, InvalidInput
from wallets.idempotency.models import StoredAnswer

WAIT_MS: Final = 5_000


class KeyReused(InvalidInput):
    """The Idempotency-Key was sent before with another request."""

    code = "idempotency_key_reused"


class KeyInUse(Conflict):
    """The first request with this Idempotency-Key is still under way."""

    code = "idempotency_key_in_use"


@dataclass(frozen=True, slots=True)
class FirstAnswer:
    """What the first request was answered."""

    status: int
    headers: dict[str, str]
    body: bytes


def claim_key(*, caller: str, key: str, body_hash: bytes, at: datetime) -> FirstAnswer | int:
    """The first answer to this request, or the row id of a fresh claim to be settled with `store_answer`.

    caller: who is asking; keys of two callers never meet.  body_hash: SHA-256 over what makes the request.
    Must run inside the transaction of the effect. Raises KeyReused, KeyInUse after WAIT_MS milliseconds.
    """
    assert transaction.get_connection().in_atomic_block, "a claim lives and dies with the effect's transaction"
    with connection.cursor() as cursor:
        try:
            cursor.execute("SELECT set_config('lock_timeout', %s, true)", [str(WAIT_MS)])
            cursor.execute(
                """INSERT INTO wallets_storedanswer (caller, key, body_hash, status, headers, body, created_at)
                   VALUES (%s, %s, %s, 0, '{}', '', %s) ON CONFLICT (caller, key) DO NOTHING RETURNING id""",
                [caller, key, body_hash, at],
            )
            row = cursor.fetchone()
        except OperationalError as error:
            if isinstance(error.__cause__, pg.LockNotAvailable):
                raise KeyInUse("The first request with this Idempotency-Key is still under way; ask again.") from error
            raise
    if row is not None:
        return int(row[0])
    answer = StoredAnswer.objects.get(caller=caller, key=key)
    if not hmac.compare_digest(bytes(answer.body_hash), body_hash):
        raise KeyReused(
            "This Idempotency-Key was sent with another request before; use a new key for a new request.",
            fields={"Idempotency-Key": "a key that was not used for another request"},
        )
    assert answer.status, f"answer {answer.pk} was committed without its status"
    return FirstAnswer(answer.status, answer.headers, bytes(answer.body))


def store_answer(*, claim_id: int, status: int, headers: dict[str, Any], body: bytes) -> None:
    """Settle a claim made in this transaction with the answer to its request."""
    stored = StoredAnswer.objects.filter(pk=claim_id, status=0).update(status=status, headers=headers, body=body)
    assert stored == 1, f"claim {claim_id} was settled before"
