"""Who sells and who buys, as a document copies them."""

from __future__ import annotations

from django.conf import settings

from wallets.accounts.models import Account


def seller_text() -> str:
    """Name, address and tax id of our legal entity, a line each."""
    lines = [settings.SELLER_NAME, *settings.SELLER_ADDRESS.split(","), settings.SELLER_TAX_ID]
    return "\n".join(line.strip() for line in lines if line.strip())


def buyer_text(account: Account) -> str:
    """The customer, a line each."""
    return "\n".join(line for line in (account.name, account.email, account.country) if line)
