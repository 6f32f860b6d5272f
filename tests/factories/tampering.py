"""What somebody with a database password could do, and must be found: SQL behind the application's back."""

from __future__ import annotations

from collections.abc import Sequence

from django.db import connection


def tamper(table: str, sql: str, params: Sequence[object] = ()) -> None:
    """Run SQL on a table with its triggers switched off for the moment; it must change something."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(f"ALTER TABLE {table} DISABLE TRIGGER USER")
        cursor.execute(sql, params or None)
        assert cursor.rowcount > 0, sql
        cursor.execute(f"ALTER TABLE {table} ENABLE TRIGGER USER")
