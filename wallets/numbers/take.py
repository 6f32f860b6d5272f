"""Take the next numbers of a series."""

from __future__ import annotations

from typing import Final

from django.db import connection

_NEXT: Final = """INSERT INTO wallets_numberseries AS s (document, entity, year, last_number) VALUES (%s, %s, %s, %s)
    ON CONFLICT (document, entity, year) DO UPDATE SET last_number = s.last_number + EXCLUDED.last_number
    RETURNING last_number"""


def take_numbers(*, document: str, entity: str, year: int, count: int = 1) -> range:
    """The next `count` numbers of a document's series in a legal entity's year; whoever else needs one waits until this
    transaction ends."""
    assert connection.in_atomic_block, "a number belongs to the transaction that uses it"
    with connection.cursor() as cursor:
        cursor.execute(_NEXT, [document, entity, year, count])
        (last,) = cursor.fetchone()
    return range(last - count + 1, last + 1)
