"""What an account is called at the provider: asked once, then remembered."""

from __future__ import annotations

from datetime import datetime

from django.db import transaction

from wallets.accounts.models import Account
from wallets.payments.models import ProviderCustomer
from wallets.payments.providers.contract import PaymentProvider


def customer_id_of(account: Account, *, provider: PaymentProvider, at: datetime) -> str:
    """The provider's id of an account; made when it is first needed, once (key, constraint provider_customer_once)."""
    known = ProviderCustomer.objects.filter(account=account, provider=provider.name)
    found = known.first()
    if found is not None:
        return found.provider_id
    made = provider.create_customer(key=f"account:{account.key}", account=account.key, name=account.name, email=account.email)
    with transaction.atomic():
        ProviderCustomer.objects.bulk_create(
            [ProviderCustomer(account=account, provider=provider.name, provider_id=made, created_at=at)], ignore_conflicts=True
        )
    return known.get().provider_id
