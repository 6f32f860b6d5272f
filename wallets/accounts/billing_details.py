"""Change who an account is on paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Final

from django.db import transaction

from wallets.accounts.billing_models import BillingDetails
from wallets.accounts.models import Account
from wallets.accounts.open import COUNTRY, is_email
from wallets.accounts.tax_ids import read_tax_id, tax_id_expected
from wallets.input import Input, storable

MOST_LINES: Final = 6
MOST_EMAILS: Final = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class BillingChanges:
    """New details; None leaves one as it is. address: a line each. country: ISO 3166-1, of the account."""

    legal_name: str | None = None
    address: str | None = None
    country: str | None = None
    tax_id: str | None = None
    po_number: str | None = None
    invoice_emails: Sequence[str] | None = None


def billing_details_of(account: Account) -> BillingDetails:
    """What was said of the account; a row that is not stored, of nothing, when nobody said anything. At most one query."""
    try:
        found: BillingDetails = account.billing_details  # type: ignore[attr-defined, unused-ignore]
    except BillingDetails.DoesNotExist:
        return BillingDetails(account=account)
    return found


def shown_details(account: Account) -> dict[str, Any]:
    """The details by name, as doors show them."""
    details = billing_details_of(account)
    return {
        "legal_name": details.legal_name,
        "address": details.address,
        "country": account.country,
        "tax_id": details.tax_id,
        "po_number": details.po_number,
        "invoice_emails": list(details.invoice_emails),
    }


def change_billing_details(*, account: Account, changes: BillingChanges, at: datetime) -> BillingDetails:
    """Say this on statements and receipts from now on. Raises InvalidInput, naming each field and what is expected there."""
    with transaction.atomic():
        locked = Account.objects.select_for_update(of=("self",), no_key=True).get(pk=account.pk)
        said = shown_details(locked) | {name: value for name, value in asdict(changes).items() if value is not None}
        found = _checked(said)
        country = found.pop("country")
        if country != locked.country:
            Account.objects.filter(pk=locked.pk).update(country=country)
        row, _ = BillingDetails.objects.update_or_create(account=locked, defaults=found | {"changed_at": at})
    account.country = country
    account.billing_details = row  # type: ignore[attr-defined, unused-ignore]
    return row


def _checked(said: dict[str, Any]) -> dict[str, Any]:
    check = Input()
    country = said["country"].strip().upper()
    if country:
        check.matching("country", country, COUNTRY, "two capital letters, ISO 3166-1 (DE)")
    lines = [line.strip() for line in said["address"].replace("\r", "").split("\n") if line.strip()]
    check.expect("address", len(lines) <= MOST_LINES and all(map(storable, lines)), f"at most {MOST_LINES} lines of text")
    check.expect("address", len("\n".join(lines)) <= 500, "at most 500 characters")  # noqa: PLR2004 - as the column
    tax_id = said["tax_id"].strip()
    if tax_id and check.expect("country", country, "two capital letters (DE): a tax id is checked by its country"):
        read = read_tax_id(tax_id=tax_id, country=country)
        check.expect("tax_id", read is not None, tax_id_expected(country))
        tax_id = read or ""
    emails = list(dict.fromkeys(email.strip() for email in said["invoice_emails"] if email.strip()))
    check.expect("invoice_emails", len(emails) <= MOST_EMAILS, f"at most {MOST_EMAILS} addresses")
    check.expect("invoice_emails", all(map(is_email, emails)), "e-mail addresses, such as billing@example.com")
    found = {
        "legal_name": check.text("legal_name", said["legal_name"], longest=200),
        "address": "\n".join(lines),
        "country": country,
        "tax_id": tax_id,
        "po_number": check.text("po_number", said["po_number"], longest=60),
        "invoice_emails": emails,
    }
    check.refuse("The billing details cannot be like this.")
    return found
