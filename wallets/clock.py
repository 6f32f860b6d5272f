"""The one clock. Doors (views, admin, tasks, commands) ask it; rules are told the time (`at=`).

A sandbox deployment can move it forward (never back), so that expiry, cool-downs and month ends can be watched without
waiting; tests set it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

_set_to: datetime | None = None
_ahead = timedelta(0)


def now() -> datetime:
    """The present time, aware, UTC."""
    if _set_to is not None:
        return _set_to
    return datetime.now(UTC) + _ahead  # noqa: TID251 - this is the clock


def move_forward(by: timedelta) -> None:
    """Let this process live `by` further in the future. Raises ValueError for a step back."""
    global _ahead  # noqa: PLW0603 - the process has one clock
    if by < timedelta(0):
        raise ValueError("the clock only moves forward")
    _ahead += by


@contextmanager
def set_to(moment: datetime) -> Iterator[None]:
    """Hold the clock at `moment` (aware) inside the block; for tests."""
    global _set_to  # noqa: PLW0603 - the process has one clock
    before, _set_to = _set_to, moment
    try:
        yield
    finally:
        _set_to = before
