"""Ids. Public ids are prefixed and unguessable (`wal_…`, `lot_…`); row ids of the hot path are handed out in blocks, so
that a batch knows its rows' ids before it writes them and nothing waits on a sequence per row."""

from __future__ import annotations

import secrets
import threading
from typing import Final

from django.db import connection

ALPHABET: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZabcdefghjkmnpqrstvwxyz"
BLOCK: Final = 10_000


def new_public_id(prefix: str) -> str:
    """`prefix` + underscore + 22 random characters (more than 126 bits)."""
    return f"{prefix}_" + "".join(secrets.choice(ALPHABET) for _ in range(22))


def new_wallet_id() -> str:
    """wal_…"""
    return new_public_id("wal")


def new_lot_id() -> str:
    """lot_…"""
    return new_public_id("lot")


def new_statement_id() -> str:
    """stm_…"""
    return new_public_id("stm")


def new_hold_id() -> str:
    """hold_…"""
    return new_public_id("hold")


def new_price_book_id() -> str:
    """pbk_…"""
    return new_public_id("pbk")


def new_price_version_id() -> str:
    """prv_…"""
    return new_public_id("prv")


def new_pin_id() -> str:
    """pin_…"""
    return new_public_id("pin")


class RowIds:
    """Row ids from a PostgreSQL sequence that counts blocks of 10,000 (the hi/lo scheme).

    Unique across processes; not gap-free and not in time order across processes. Safe to call from several threads.
    """

    def __init__(self, sequence: str) -> None:
        self._sequence = sequence
        self._lock = threading.Lock()
        self._next = 0
        self._end = 0

    def take(self, count: int) -> range | list[int]:
        """`count` ids, ascending."""
        with self._lock:
            if self._end - self._next >= count:
                first = self._next
                self._next += count
                return range(first, first + count)
            ids = list(range(self._next, self._end))
            while len(ids) < count:
                with connection.cursor() as cursor:
                    cursor.execute("SELECT nextval(%s::regclass)", [self._sequence])
                    (block,) = cursor.fetchone()
                wanted = min(count - len(ids), BLOCK)
                ids.extend(range(block * BLOCK, block * BLOCK + wanted))
                self._next, self._end = block * BLOCK + wanted, (block + 1) * BLOCK
            return ids
