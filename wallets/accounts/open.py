"""Open an account."""

from __future__ import annotations

import re
import zlib
from datetime import datetime
from typing import Any, Final
from zoneinfo import ZoneInfo

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import IntegrityError, transaction

from wallets.accounts.models import Account
from wallets.errors import Conflict
from wallets.input import Input

KEY: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:@/+-]{0,119}")
KEY_EXPECTED: Final = "1 to 120 letters, digits or . _ : @ / + -, starting with a letter or digit"
COUNTRY: Final = re.compile(r"[A-Z]{2}")


class AccountExists(Conflict):
    """There is an account with this key already."""

    code = "account_exists"


def open_account(
    *,
    key: str,
    name: str,
    at: datetime,
    email: str = "",
    currency: str = "USD",
    time_zone: str = "UTC",
    country: str = "",
) -> Account:
    """Open an account under the vendor's own key for it; it has no wallet yet.

    currency: of its first wallet.  time_zone: IANA name.  country: ISO 3166-1 alpha-2.
    Raises AccountExists, InvalidInput.
    """
    check = Input()
    check.matching("account", key, KEY, KEY_EXPECTED)
    check.currency(currency)
    name, email, time_zone, country = check_details(check, name=name, email=email, time_zone=time_zone, country=country)
    check.refuse("The account cannot be opened like this.")
    try:
        with transaction.atomic():
            return Account.objects.create(
                bucket=bucket_of(key),
                key=key,
                name=name,
                email=email,
                currency=currency,
                time_zone=time_zone,
                country=country,
                created_at=at,
            )
    except IntegrityError as error:
        if Account.objects.filter(key=key).exists():
            raise AccountExists(f"There is an account {key} already.", fields={"account": "a key not in use"}) from error
        raise


def bucket_of(key: str) -> int:
    """The bucket an account is given when it is opened; never changes afterwards (DESIGN section 8)."""
    return int(zlib.crc32(key.encode()) % settings.HOT_BUCKETS)


def check_details(check: Input, *, name: str, email: str, time_zone: str, country: str) -> tuple[str, str, str, str]:
    """The details that can change later, trimmed; what is wrong goes into `check`."""
    name = check.text("name", name, longest=200, required=True)
    email = check.text("email", email, longest=254)
    if email:
        check.expect("email", is_email(email), "an e-mail address")
    check.expect("time_zone", _is_time_zone(time_zone), "an IANA time zone, such as Europe/Berlin")
    if country:
        check.matching("country", country, COUNTRY, "two capital letters, ISO 3166-1 (DE)")
    return name, email, time_zone, country


def is_email(text: str) -> bool:
    """Whether mail could be sent there."""
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True


def _is_time_zone(name: Any) -> bool:
    try:
        return isinstance(name, str) and 0 < len(name) <= 64 and ZoneInfo(name) is not None  # noqa: PLR2004 - its column
    except (ValueError, OSError, LookupError):  # ZoneInfoNotFoundError is a KeyError; odd names reach the file system
        return False
