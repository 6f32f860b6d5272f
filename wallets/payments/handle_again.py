"""Have a stored webhook handled again: by the task that handles what waits, which asks the provider how things stand now."""

from __future__ import annotations

from datetime import datetime

from wallets.errors import Conflict
from wallets.payments.event_models import ProviderEvent


class EventWaits(Conflict):
    """The webhook waits to be handled already."""

    code = "provider_event_waits"


def handle_again(*, pk: int, at: datetime) -> None:
    """Let a webhook that was handled, ignored or failed be handled once more, at `at`. Settling is done once, so that does no
    harm. Raises EventWaits."""
    done = ProviderEvent.objects.filter(pk=pk).exclude(state=ProviderEvent.State.RECEIVED)
    if not done.update(state=ProviderEvent.State.RECEIVED, next_try_at=at, handled_at=None):
        raise EventWaits("It waits to be handled already.")
