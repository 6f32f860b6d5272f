"""Threads in tests: each has a connection of its own, as a request has, and what one raises the test sees."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from typing import Final, TypeVar

from django.db import connection

Answer = TypeVar("Answer")
PATIENCE_SECONDS: Final = 60.0  # a thread that is not done by then never will be


def at_once(functions: Sequence[Callable[[], Answer]]) -> list[Answer | Exception]:
    """What the functions answer or raise, in order; each run in a thread, all let go at the same moment."""
    answers: dict[int, Answer | Exception] = {}
    together = threading.Barrier(len(functions))

    def run(number: int, function: Callable[[], Answer]) -> None:
        try:
            together.wait()
            answers[number] = function()
        except Exception as error:  # noqa: BLE001 - the test looks at it
            answers[number] = error
        finally:
            connection.close()

    threads = [threading.Thread(target=run, args=one, daemon=True) for one in enumerate(functions)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_SECONDS)
    assert len(answers) == len(functions), f"{len(functions) - len(answers)} of {len(functions)} threads wait for ever"
    return [answers[number] for number in range(len(functions))]


def elsewhere(function: Callable[[], Answer]) -> Answer:
    """What the function answers in a thread and a transaction of its own; what it raises is raised here."""
    (answer,) = at_once([function])
    if isinstance(answer, Exception):
        raise answer
    return answer
