"""Let PostgreSQL work while Python goes on: a statement is sent, and its result is fetched when it is needed.

Made of psycopg's own generators (`psycopg.generators`, the ones its cursors are made of), so waiting, errors and the
connection's state are psycopg's.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from psycopg import Connection, errors, generators
from psycopg.pq import ExecStatus


class Running:
    """A statement on its way; `rows` is how many rows it changed, once the block has ended."""

    rows: int = 0


@contextmanager
def running(connection: Connection[Any], statement: str) -> Iterator[Running]:
    """Send `statement` (a constant of the calling code, no parameters) and run the block while the server works.

    The connection must be inside a transaction and must not be used in the block. The result is awaited at the end of the
    block, also when it raises. Raises psycopg's error when the statement fails.
    """
    pgconn = connection.pgconn
    pgconn.send_query_params(statement.encode(), None)
    connection.wait(generators.send(pgconn))
    run = Running()
    try:
        yield run
    finally:
        results = connection.wait(generators.fetch_many(pgconn))
        for result in results:
            if result.status == ExecStatus.FATAL_ERROR:
                raise errors.error_from_result(result, encoding=connection.info.encoding)
            run.rows = result.command_tuples or 0
