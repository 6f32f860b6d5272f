"""Add news in the caller's transaction. Committing it wakes whoever hands it out; a sweep finds what a crash left."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from django.db import transaction

from wallets.outbox.models import News as NewsRow
from wallets.outbox.topics import News

_wake: list[Callable[[], None]] = []
_at_once: dict[type[News], list[Callable[[Any], None]]] = {}


def topic_of(news: type[News] | News) -> str:
    """`ThresholdCrossed` -> `threshold_crossed`."""
    name = news.__name__ if isinstance(news, type) else type(news).__name__
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()


def on_news(wake: Callable[[], None]) -> None:
    """Have `wake` called after each commit that wrote news (the app's tasks register theirs); it must not raise."""
    _wake.append(wake)


def at_once(topic: type[News], tell: Callable[[Any], None]) -> None:
    """Have `tell` called with each piece of this topic right after its commit, in the process that wrote it.

    For what should not wait for a worker and is repaired by the topic's readers when this process dies first.
    """
    _at_once.setdefault(topic, []).append(tell)


def add_news(pieces: Sequence[tuple[str, News]], *, at: datetime, bucket: int = 0) -> None:
    """Write news, each with the subject within which order is kept (`wallet:12`; empty when order does not matter).

    Must run inside the transaction of the change it tells of.
    """
    assert transaction.get_connection().in_atomic_block, "news belongs to the transaction of the change it tells of"
    NewsRow.objects.bulk_create(
        [
            NewsRow(bucket=bucket, topic=topic_of(news), subject=subject, payload=asdict(news), happened_at=at)
            for subject, news in pieces
        ]
    )
    for _, news in pieces:
        for tell in _at_once.get(type(news), ()):
            _after_commit(tell, news)
    transaction.on_commit(_wake_all, robust=True)


def _after_commit(tell: Callable[[Any], None], news: News) -> None:
    # A function, not functools.partial: Django's robust hooks log a failure by __qualname__ and fall over a partial.
    transaction.on_commit(lambda: tell(news), robust=True)


def _wake_all() -> None:
    for wake in _wake:
        wake()
