"""Change the brand."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

from django.core.exceptions import ValidationError
from django.core.validators import validate_email
from django.db import transaction

from wallets.brand.colour import COLOUR
from wallets.brand.logo import Logo
from wallets.brand.models import Brand
from wallets.brand.read import KINDS, forget_brand
from wallets.input import Input

LINKS: Final = ("support_url", *(f"{kind}_url" for kind in KINDS))
TEXTS: Final = tuple(f"{kind}_text" for kind in KINDS)
LONGEST_TEXT: Final = 100_000
MOST_ORIGINS: Final = 20
ORIGIN: Final = re.compile(r"https?://[A-Za-z0-9.-]{1,180}(:[0-9]{1,5})?")
ORIGIN_EXPECTED: Final = "at most 20 origins without a path, as https://app.example.com"


def check_brand(values: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of Brand in `values` as they are stored; those that are not there are empty.

    Raises InvalidInput naming each that is wrong.
    """
    check = Input()
    found: dict[str, Any] = {"name": check.text("name", values.get("name", ""), longest=80)}
    colour = str(values.get("colour", "")).strip().lower()
    check.expect("colour", not colour or COLOUR.fullmatch(colour), "a colour of six hexadecimal digits, as #0f766e")
    found["colour"] = colour
    address = check.text("support_email", values.get("support_email", ""), longest=254)
    check.expect("support_email", not address or _is_address(address), "an e-mail address")
    found["support_email"] = address
    for name in LINKS:
        link = check.text(name, values.get(name, ""), longest=500)
        check.expect(name, not link or _is_link(link), "an address that begins with https:// or http://, or nothing")
        found[name] = link
    for name in TEXTS:
        text = str(values.get(name, "")).replace("\r\n", "\n").strip()
        check.expect(name, len(text) <= LONGEST_TEXT, f"at most {LONGEST_TEXT} characters")
        check.expect(name, "\0" not in text, "text without control characters")
        found[name] = text
    origins = [str(one).strip().rstrip("/").lower() for one in values.get("embed_origins") or []]
    fine = len(origins) <= MOST_ORIGINS and all(ORIGIN.fullmatch(one) for one in origins)
    check.expect("embed_origins", fine, ORIGIN_EXPECTED)
    found["embed_origins"] = origins
    check.refuse("The brand cannot be like this.")
    return found


def change_brand(*, values: Mapping[str, Any], logo: Logo | None = None, without_logo: bool = False, at: datetime) -> Brand:
    """Show the vendor like this from now on. values: fields of Brand. logo: a new one, else it stays, unless without_logo.

    Raises InvalidInput.
    """
    found = check_brand(values)
    if logo is not None:
        found |= {
            "logo": logo.content, "logo_type": logo.media_type, "logo_sha256": logo.sha256,
            "logo_width": logo.width, "logo_height": logo.height,
        }  # fmt: skip
    elif without_logo:
        found |= {"logo": None, "logo_type": "", "logo_sha256": "", "logo_width": 0, "logo_height": 0}
    row, _ = Brand.objects.update_or_create(pk=1, defaults=found | {"changed_at": at})
    forget_brand()
    transaction.on_commit(forget_brand)
    return row


def _is_link(link: str) -> bool:
    try:
        parts = urlsplit(link)
    except ValueError:
        return False
    return parts.scheme in {"https", "http"} and bool(parts.hostname) and not re.search(r"[\s\"'<>]", link)


def _is_address(text: str) -> bool:
    try:
        validate_email(text)
    except ValidationError:
        return False
    return True
