"""The gate's usual question read from a connection, and answered on it; `gate_worker.py` says when.

Nothing is taken from the connection until the question is wholly understood and its answer known. Whatever is not plainly
`GET /gate/check` (or what Envoy asks) with a few printable headers and no body, and whatever memory and Redis cannot answer,
is left where it is for gunicorn to read, and comes to the same view through `metering/api/gate_wsgi.py`.
"""

from __future__ import annotations

import re
import socket
import time
from collections.abc import Mapping
from email.utils import formatdate
from http import HTTPStatus
from typing import Final, NamedTuple

from metering.api.gate_check import FOR_ENVOY, SCOPE_HEADERS, AnswerParts
from metering.api.gate_wsgi import ENVOY_PATH, PATH, STATUS_LINE, bearer, quick_answer
from wallets import clock

LARGEST: Final = 4_096
# Names without `_`: gunicorn knows what to do with those. Values of printable letters; no `#`, which would end the query.
_QUESTION: Final = re.compile(
    rb"(?:GET " + PATH.encode() + rb"(?:\?([!\x22$-~]*))?"
    rb"|(?!HEAD )[A-Z]+ (" + ENVOY_PATH.encode() + rb")[!\x22$-~]*) HTTP/1\.1\r\n"
    rb"((?:[0-9A-Za-z!#$%&'*+.^`|~-]+:[\t -~]*\r\n)*)\r\n"
)
_WHO: Final = [(scope, name.lower().encode()) for scope, name in SCOPE_HEADERS.items()]
# With one of these the request may have a body, or wants something of the connection.
_MORE_THAN_A_QUESTION: Final = frozenset({b"transfer-encoding", b"expect", b"upgrade", b"te", b"trailer"})


class Question(NamedTuple):
    """A question as it came in, and how many bytes it has. who: what headers say of who calls, by scope of spend caps."""

    size: int
    query: str
    account: str
    secret: str
    who: Mapping[str, str]


def answer_at_once(client: socket.socket) -> bool:
    """Answer the question that waits on this connection, and take it off; False: nothing was touched."""
    try:
        question = understood(client.recv(LARGEST, socket.MSG_PEEK))
    except OSError:
        return False
    if question is None:
        return False
    parts = quick_answer(question.query, question.account, question.secret, clock.now(), who=question.who)
    if parts is None:
        return False
    answer = http_answer(parts)
    try:
        client.recv(question.size)
        sent = client.send(answer)
    except OSError:
        sent = 0
    if sent < len(answer):  # nobody reads there any more; gunicorn finds the connection closed
        client.shutdown(socket.SHUT_RDWR)
        return False
    return True


def understood(come: bytes) -> Question | None:
    """The question in what has come in, if that is one usual question and nothing else."""
    match = _QUESTION.fullmatch(come)
    if match is None:
        return None
    lines = match[3].split(b"\r\n")[:-1]
    read = {name.lower(): value.strip(b" \t") for name, _, value in (line.partition(b":") for line in lines)}
    if len(read) < len(lines) or not _MORE_THAN_A_QUESTION.isdisjoint(read):
        return None
    if read.get(b"content-length", b"0") != b"0" or read.get(b"connection", b"keep-alive").lower() != b"keep-alive":
        return None
    gate_key = read.get(b"x-gate-key")
    return Question(
        len(come),
        FOR_ENVOY if match[2] else (match[1] or b"").decode("ascii"),
        read.get(b"x-account", b"").decode("ascii"),
        bearer(read.get(b"authorization", b"").decode("ascii")) if gate_key is None else gate_key.decode("ascii"),
        {scope: read[name].decode("ascii") for scope, name in _WHO if name in read},
    )


def http_answer(parts: AnswerParts) -> bytes:
    """The answer as it goes over the wire, the connection staying open."""
    status, headers, body = parts
    lines = [f"HTTP/1.1 {STATUS_LINE[status]}", f"Date: {_date(int(time.time()))}"]
    lines += [f"{name}: {text}" for name, text in headers.items()]
    if body or status != HTTPStatus.NO_CONTENT:  # without it, a reader waits for a body until the connection closes
        lines.append(f"Content-Length: {len(body)}")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + body


_dated: tuple[int, str] = (0, "")


def _date(second: int) -> str:
    """The date of this second, made once."""
    global _dated  # noqa: PLW0603 - one thread of the process: the event loop
    if _dated[0] != second:
        _dated = (second, formatdate(second, usegmt=True))
    return _dated[1]
