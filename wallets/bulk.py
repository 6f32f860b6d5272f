"""Writing many rows at once: COPY in text form, from lines the caller has already put together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

NULL: Final = "\\N"
_ESCAPES: Final = str.maketrans({"\\": "\\\\", "\t": "\\t", "\n": "\\n", "\r": "\\r"})


def escaped(text: str) -> str:
    """`text` as a field of COPY's text format (PostgreSQL manual, COPY, Text Format)."""
    return text.translate(_ESCAPES)


def copy_lines(cursor: Any, table: str, columns: str, lines: Iterable[str]) -> None:
    """COPY `lines` (tab-separated fields, no newline at the end) into `table`.

    table and columns are constants of the calling code, never input. cursor: a Django or psycopg cursor.
    """
    with cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
        copy.write("\n".join(lines) + "\n")


def array_literal(values: Iterable[object]) -> str:
    """A PostgreSQL array literal of numbers or plain words, for `%s::bigint[]` and the like: cheaper than adapting a list."""
    return "{" + ",".join(map(str, values)) + "}"
