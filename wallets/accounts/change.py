"""Change an account's details."""

from __future__ import annotations

from dataclasses import dataclass

from wallets.accounts.billing_models import BillingDetails
from wallets.accounts.models import Account
from wallets.accounts.open import check_details
from wallets.accounts.tax_ids import read_tax_id
from wallets.input import Input


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChanges:
    """New details; None leaves one as it is."""

    name: str | None = None
    email: str | None = None
    time_zone: str | None = None
    country: str | None = None


def change_account(*, account: Account, changes: AccountChanges) -> Account:
    """Give the account new details; its key, currency and bucket stay.

    Raises InvalidInput.
    """
    check = Input()
    name, email, time_zone, country = check_details(
        check,
        name=account.name if changes.name is None else changes.name,
        email=account.email if changes.email is None else changes.email,
        time_zone=account.time_zone if changes.time_zone is None else changes.time_zone,
        country=account.country if changes.country is None else changes.country,
    )
    details = BillingDetails.objects.filter(account=account).exclude(tax_id="").first() if country != account.country else None
    if details is not None and read_tax_id(tax_id=details.tax_id, country=country) != details.tax_id:
        check.expect("country", False, f"the one of the tax id {details.tax_id}; change both in the billing details")
    check.refuse("The account cannot be changed like this.")
    account.name, account.email, account.time_zone, account.country = name, email, time_zone, country
    account.save(update_fields=["name", "email", "time_zone", "country"])
    return account
