"""Open a customer ready to be charged: account, first wallet and price book in one transaction."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from django.db import transaction

from pricing.books.assign import assign_price_book
from pricing.books.fit import check_fits
from pricing.books.models import PriceBook
from wallets.accounts.billing_details import BillingChanges, change_billing_details
from wallets.accounts.change import AccountChanges, change_account
from wallets.accounts.models import Account
from wallets.accounts.open import open_account
from wallets.accounts.policy import AccountPolicy, set_account_policy
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet

# The book a customer is opened with holds for usage from before it too (a gateway's clock may be behind, history may be
# imported): nothing was charged before, so no price moves.
BEGINNING: Final = datetime(2000, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Customer:
    """What was opened."""

    account: Account
    wallet: Wallet


def open_customer(
    *,
    key: str,
    name: str,
    at: datetime,
    email: str = "",
    currency: str = "USD",
    time_zone: str = "UTC",
    country: str = "",
    price_book: str | None = None,
) -> Customer:
    """Open an account with its first wallet in `currency` and, if given, its price book (`pbk_…`).

    Raises AccountExists, PriceBookUnfit, InvalidInput.
    """
    with transaction.atomic():
        account = open_account(key=key, name=name, at=at, email=email, currency=currency, time_zone=time_zone, country=country)
        wallet = open_wallet(account=account, currency=currency, at=at)
        if price_book is not None:
            book = check_fits(book=_book(price_book), account=account, currencies={currency})
            assign_price_book(account=account, book=book, effective_at=BEGINNING, at=at)
    return Customer(account, wallet)


def change_customer(
    *,
    account: Account,
    changes: AccountChanges,
    price_book: str | None,
    at: datetime,
    policy: AccountPolicy | None = None,
    billing: BillingChanges | None = None,
) -> Account:
    """Change an account's details and, if given, the book it uses from now on (`pbk_…`) and how its work is let through,
    and who it is on paper.

    Raises PriceBookUnfit, AssignmentTimeTaken, AccountPinned, InvalidInput.
    """
    with transaction.atomic():
        changed = change_account(account=account, changes=changes)
        if price_book is not None:
            book = check_fits(book=_book(price_book), account=account)
            assign_price_book(account=account, book=book, effective_at=at, at=at)
        if policy is not None:
            changed = set_account_policy(account=changed, policy=policy, at=at)
        if billing is not None:
            change_billing_details(account=changed, changes=billing, at=at)
    return changed


def _book(public_id: str) -> PriceBook | None:
    return PriceBook.objects.filter(public_id=public_id).first()
