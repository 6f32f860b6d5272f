"""Does what the worker does about recharges, in processes that are killed in the middle; run in `tests.child`, which itself
never touches the database, so that each process forked from it begins like a new one."""

from __future__ import annotations

import os
import signal
import sys
from types import FrameType
from typing import Any, Final

from django.conf import settings
from django.db import connection

SINCE: Final = {"decided": "carry_out", "charged": "confirm_payment"}
"""From when on calls are counted: carrying out begins after the decision's commit; the confirmation is what moves money."""


def work(*, sandbox: str, minutes: int, die_at: int | None, since: str = "") -> int | None:
    """Read news and do what is due so many minutes after AT, in a process of its own that is killed (-9) when it comes to its
    `die_at`-th function call (since a moment of SINCE). How many calls it took; None when it was killed before."""
    connection.close()
    settings.STRIPE_API_URL, settings.STRIPE_SECRET_KEY = sandbox, "sk_test_sandbox"
    reading, writing = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reading)
        os.write(writing, str(_work_counting(minutes, die_at=die_at, since=since)).encode())
        os._exit(0)
    os.close(writing)
    with os.fdopen(reading) as answer:
        calls = answer.read()
    _, status = os.waitpid(child, 0)
    killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
    assert killed == (not calls), f"neither killed nor done: {status}, {calls!r}"
    return int(calls) if calls else None


def _work_counting(minutes: int, *, die_at: int | None, since: str) -> int:
    from datetime import timedelta  # noqa: PLC0415 - as below

    from tests.factories.payments import AT  # noqa: PLC0415 - the test imports this module before Django is set up
    from tests.factories.recharge import recharging  # noqa: PLC0415 - as above

    calls = 0
    counting = not since

    def count(frame: FrameType, kind: str, _what: Any) -> None:
        nonlocal calls, counting
        begins = "return" if since == "charged" else "call"
        if not counting and kind == begins and frame.f_code.co_name == SINCE[since]:
            counting = True
        if counting and kind in {"call", "c_call"}:
            calls += 1
            if calls == die_at:
                os.kill(os.getpid(), signal.SIGKILL)

    at = AT + timedelta(minutes=minutes)
    sys.setprofile(count)
    recharging(at=at)
    sys.setprofile(None)
    return calls
