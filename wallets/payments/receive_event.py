"""Take a webhook in: verify who sent it and when, store it once, answer. What it means is found out later, by a task."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from wallets.payments.event_models import ProviderEvent
from wallets.payments.providers.registry import card_provider

_wake: list[Callable[[], None]] = []


def on_event(wake: Callable[[], None]) -> None:
    """Have `wake` called after each webhook that is stored (the app's tasks register theirs); it must not raise."""
    _wake.append(wake)


def receive_event(*, body: bytes, signature: str, at: datetime) -> int | None:
    """The row id of a webhook that is new; None when it was handled before.

    Raises CardsNotTaken, SignatureWrong (also when it was signed outside the replay window).
    """
    provider = card_provider()
    news = provider.read_event(body, signature=signature, at=at)
    ProviderEvent.objects.bulk_create(
        [
            ProviderEvent(
                provider=provider.name,
                provider_id=news.id[:120],
                kind=news.kind[:120],
                object_id=news.object_id[:200],
                body=body,
                happened_at=news.happened_at,
                received_at=at,
                next_try_at=at,
            )
        ],
        ignore_conflicts=True,
    )
    row = ProviderEvent.objects.filter(provider=provider.name, provider_id=news.id[:120])
    pk = row.filter(state=ProviderEvent.State.RECEIVED).values_list("pk", flat=True).first()
    if pk is not None:
        for wake in _wake:
            wake()
    return pk
