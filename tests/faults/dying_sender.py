"""Sends batches in processes that are killed in the middle; run in `tests.child`, which itself never touches the database,
so that each process forked from it begins like a new one."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType
from typing import Any

from django.db import connection


def send(numbers: Sequence[int], *, staged: bool, die_at: int | None, committed: bool = False) -> int | None:
    """Send the events of these numbers in one batch, in a process of its own that is killed (-9) when it comes to its
    `die_at`-th function call (`committed`: since the commit). How many calls it took; None when it was killed before it
    could say so."""
    connection.close()
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, str(_send_counting(numbers, staged=staged, die_at=die_at, committed=committed)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        calls = answer.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed == (not calls), f"neither killed nor done: {status}, {calls!r}"
    return int(calls) if calls else None


def _send_counting(numbers: Sequence[int], *, staged: bool, die_at: int | None, committed: bool) -> int:
    from metering.ingest.batch import ingest_batch  # noqa: PLC0415 - the test imports this module before Django is set up
    from metering.ingest.insert import duplicates  # noqa: PLC0415 - as above
    from tests.faults.test_killed_while_ingesting import AT, numbered  # noqa: PLC0415 - as above

    calls = 0
    counting = not committed

    def count(frame: FrameType, kind: str, _what: Any) -> None:
        nonlocal calls, counting
        if kind == "call" and frame.f_code.co_name == "publish_wallets":  # the first thing that is done after the commit
            counting = True
        if counting and kind in {"call", "c_call"}:
            calls += 1
            if calls == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    if staged:
        duplicates.seen()
    events = [numbered(number) for number in numbers]
    sys.setprofile(count)
    ingest_batch(events=events, at=AT)
    sys.setprofile(None)
    return calls
