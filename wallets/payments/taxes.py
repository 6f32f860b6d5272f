"""Which tax is put on top of credit: from the table of flat rates by country, or as the provider works it out (STRIPE_TAX).

What the provider said of an account is kept (`AccountTax`) and used until it is asked again, so that a charge can be worked
out under the wallet's lock, where nobody asks the network, and a page's price is the price.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from wallets.accounts.models import Account
from wallets.errors import Conflict, Refusal
from wallets.payments.models import ProviderCustomer
from wallets.payments.offer_models import AccountTax, TaxRate
from wallets.payments.providers.contract import ProviderRefused
from wallets.payments.providers.registry import STRIPE
from wallets.payments.providers.taxes import tax_provider

log = logging.getLogger(__name__)

STALE: Final = timedelta(hours=20)
BATCH: Final = 1_000


class TaxUnknown(Conflict):
    """The tax cannot be worked out: too little is known of where the customer is."""

    code = "tax_unknown"


@dataclass(frozen=True, slots=True)
class Rate:
    """A tax. country: of the customer (ISO 3166-1)."""

    name: str
    percent: Decimal
    country: str


def rate_for(account: Account, *, at: datetime, or_flat: bool = False) -> Rate | None:
    """The tax on credit sold to an account at `at`; None when there is none. or_flat: by the table when the provider was never
    asked. Raises TaxUnknown: `learn_tax` first."""
    if tax_provider() is None:
        return flat_rate(account.country, at=at)
    known = AccountTax.objects.filter(account=account, country=account.country).first()
    if known is None and or_flat:
        return flat_rate(account.country, at=at)
    if known is None:
        raise TaxUnknown("The tax on this cannot be worked out; tell us the full address of your company.")
    return Rate(known.name, known.percent, known.country) if known.name else None


def flat_rate(country: str, *, at: datetime) -> Rate | None:
    """By the table; None when there is no tax."""
    row = TaxRate.objects.filter(country=country, effective_at__lte=at).order_by("-effective_at", "-id").first()
    return None if row is None else Rate(row.name, row.percent, row.country)


def learn_tax(*, account: Account, currency: str, at: datetime, again: bool = False) -> None:
    """Ask the provider for an account's tax unless it is known already; `again`: even then. Nothing with flat rates.

    Asks the network: not inside a transaction. Raises TaxUnknown, ProviderUnavailable.
    """
    provider = tax_provider()
    if provider is None:
        return
    known = AccountTax.objects.filter(account=account, country=account.country)
    if not again and known.exists():
        return
    customer = ProviderCustomer.objects.filter(account=account, provider=STRIPE).first()
    try:
        tax = provider.tax_of(
            customer_id=customer.provider_id if customer else "", country=account.country, currency=currency, at=at
        )
    except ProviderRefused as refused:
        raise TaxUnknown("The tax on this cannot be worked out; tell us the full address of your company.") from refused
    AccountTax.objects.update_or_create(
        account=account,
        defaults={"name": tax.name, "percent": tax.percent, "country": account.country, "currency": currency, "asked_at": at},
    )


def refresh_taxes(*, at: datetime) -> int:
    """Ask again for every account's tax that was not asked for lately; how many. One that cannot be said stays as it was."""
    if tax_provider() is None:
        return 0
    stale = AccountTax.objects.select_related("account").filter(asked_at__lte=at - STALE).order_by("asked_at", "id")
    refreshed = 0
    for one in stale[:BATCH]:
        try:
            learn_tax(account=one.account, currency=one.currency, at=at, again=True)
        except Refusal as refusal:
            log.warning("tax of %s not refreshed: %s", one.account.key, refusal.message)
        else:
            refreshed += 1
    return refreshed
