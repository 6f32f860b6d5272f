"""What a provider must be able to say about tax. Asks the network: never inside a transaction."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Protocol

from django.conf import settings
from django.utils.module_loading import import_string


@dataclass(frozen=True, slots=True)
class TaxThere:
    """What is put on top of credit sold to a customer. name: as receipts say it. percent: 0 with a name says why there is
    none (reverse charge)."""

    name: str
    percent: Decimal


class TaxProvider(Protocol):
    """Works tax out. Raises ProviderUnavailable, ProviderRefused (it knows too little of the customer)."""

    def tax_of(self, *, customer_id: str, country: str, currency: str, at: datetime) -> TaxThere:
        """The tax on credit in a currency at a time. customer_id: whose address and tax ids the provider knows; empty: only
        the country is known."""
        ...


def tax_provider() -> TaxProvider | None:
    """Who works tax out; None: the table of flat rates does."""
    if not settings.STRIPE_TAX:
        return None
    make: Callable[[], TaxProvider] = import_string(settings.TAX_PROVIDER)
    return make()
