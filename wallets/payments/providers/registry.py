"""Which providers there are. The only place that chooses one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.utils.module_loading import import_string

from wallets.errors import Conflict
from wallets.payments.providers.contract import PaymentProvider

STRIPE: Final = "stripe"
MANUAL: Final = "manual"


class CardsNotTaken(Conflict):
    """No payment provider is set up here, so cards cannot be charged."""

    code = "cards_not_taken"


def card_provider() -> PaymentProvider:
    """The provider of card payments. Raises CardsNotTaken."""
    make: Callable[[], PaymentProvider | None] = import_string(settings.CARD_PROVIDER)
    provider = make()
    if provider is None:
        raise CardsNotTaken("Cards are not taken here; ask for another way to pay.")
    return provider


def takes_cards() -> bool:
    """Whether cards can be charged at all."""
    return bool(settings.STRIPE_SECRET_KEY)
