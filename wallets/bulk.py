"""Many rows at once: written by COPY from lines the caller has put together, read in PostgreSQL's binary form."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import psycopg
from django.db import connection

NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(text: str) -> str:
    """`text` as a field of COPY's text format (PostgreSQL manual, COPY, Text Format)."""
    return text.translate(_ESCAPES)


def copy_lines(cursor: Any, table: str, columns: str, lines: Iterable[str], options: str = "") -> None:
    """COPY `lines` (tab-separated fields unless `options` say otherwise, no newline at the end) into `table`.

    table, columns and options are constants of the calling code, never input. cursor: a Django or psycopg cursor.
    """
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN {options}") as copy:
        copy.write("\n".join(lines) + "\n")


def array_literal(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers or plain words, for `%s::bigint[]` and the like: cheaper than adapting a list."""
    return "{" + ",".join(map(str, values)) + "}"


def binary_rows(statement: str, parameters: Sequence[object]) -> list[tuple[Any, ...]]:
    """The rows of a query on Django's connection, sent in binary form: times and decimals are then read in C, at a third of
    the cost. Times come in UTC (the zone Django gives its connections). `statement` is a constant of the calling code."""
    connection.ensure_connection()
    with psycopg.Cursor(connection.connection) as cursor:
        cursor.execute(statement.encode(), parameters, binary=True)
        return cursor.fetchall()
