"""What a provider's own billing must be able to take for our credit and usage to be mirrored there. Amounts are exact, in the
currency's own units. Every call asks the network and raises ProviderUnavailable or ProviderRefused."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class GrantThere:
    """A credit grant at the provider. lot: ours (`lot_…`); empty for one that somebody made there."""

    id: str
    lot: str
    amount: Decimal
    currency: str
    paid: bool
    ended: bool


@dataclass(frozen=True, slots=True)
class NewGrant:
    """Credit to be granted there. lot: ours. priority: 0 is used first, 100 last. effective_at: None is at once."""

    lot: str
    name: str
    amount: Decimal
    currency: str
    paid: bool
    priority: int
    effective_at: datetime | None
    expires_at: datetime | None


class BillingProvider(Protocol):
    """Credit grants and metered usage. `key`: the same key does the same thing once."""

    def grant(self, new: NewGrant, *, key: str, customer_id: str) -> str:
        """The provider's id of a new grant."""
        ...

    def end_grant(self, grant_id: str, *, key: str) -> None:
        """No more of the grant can be used; ended before is fine too."""
        ...

    def report_usage(self, *, key: str, customer_id: str, event_name: str, value: int, at: datetime) -> None:
        """Add `value` (may be below zero: a correction) to what the customer used at a time."""
        ...

    def grants_of(self, customer_id: str) -> Iterator[GrantThere]:
        """The customer's grants, ended ones too."""
        ...

    def meters(self) -> dict[str, str]:
        """Event name -> the provider's id of the meter that counts it."""
        ...

    def used(self, *, meter_id: str, customer_id: str, start: datetime, end: datetime) -> Decimal:
        """What the meter counted for the customer from `start` until before `end` (whole minutes)."""
        ...


def billing_provider() -> BillingProvider:
    """The provider's billing. Raises CardsNotTaken when there is no provider."""
    make: Callable[[], BillingProvider] = import_string(settings.BILLING_PROVIDER)
    return make()
