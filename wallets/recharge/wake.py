"""Something is to be carried on now: whoever registered is told after the commit; a sweep finds what a crash left."""

from __future__ import annotations

from collections.abc import Callable

from django.db import transaction

_wake: list[Callable[[], None]] = []


def on_due(wake: Callable[[], None]) -> None:
    """Have `wake` called after each commit that left something to do (the app's tasks register theirs); it must not raise."""
    _wake.append(wake)


def wake_after_commit() -> None:
    """Wake them when this transaction is committed."""
    transaction.on_commit(_wake_all, robust=True)


def _wake_all() -> None:
    for wake in _wake:
        wake()
