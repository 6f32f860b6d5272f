"""What a connection really sends to PostgreSQL, as libpq itself writes it down: COPY and statements sent below Django's
cursors are in it too, which Django's own log of queries does not see."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from django.db import connection
from psycopg.pq import Trace

_SENT: Final = re.compile(r'^F\t\d+\t(?:Query\t |Parse\t "" )"(.*?)"(?: \d+)*\n(?=[FB]\t)', re.DOTALL | re.MULTILINE)


@contextmanager
def sql_sent() -> Iterator[list[str]]:
    """The statements that the block sends on this thread's connection, in order, blanks folded; there once it has ended."""
    statements: list[str] = []
    connection.ensure_connection()
    server = connection.connection.pgconn
    with tempfile.TemporaryFile() as file:
        server.trace(file.fileno())
        server.set_trace_flags(Trace.SUPPRESS_TIMESTAMPS)
        try:
            yield statements
        finally:
            server.untrace()
            file.seek(0)
            trace = file.read().decode(errors="replace")
            statements += [re.sub(r"\s+", " ", match[1]).strip() for match in _SENT.finditer(trace)]
