"""Who sells and who buys, as a document copies them."""

from __future__ import annotations

from django.conf import settings

from wallets.accounts.billing_details import billing_details_of
from wallets.accounts.models import Account


def seller_text() -> str:
    """Name, address and tax id of our legal entity, a line each."""
    lines = [settings.SELLER_NAME, *settings.SELLER_ADDRESS.split(","), settings.SELLER_TAX_ID]
    return "\n".join(line.strip() for line in lines if line.strip())


def buyer_text(account: Account) -> str:
    """The customer, a line each, with the billing details of the account. At most one query."""
    details = billing_details_of(account)
    lines = [details.legal_name or account.name]
    if details.address:
        lines += [*details.address.splitlines(), account.country, account.email]
    else:
        lines += [account.email, account.country]
    if details.tax_id:
        lines.append(f"Tax id: {details.tax_id}")
    if details.po_number:
        lines.append(f"PO number: {details.po_number}")
    return "\n".join(line for line in lines if line)
