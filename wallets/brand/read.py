"""The brand as pages, mails and documents use it. Kept by each process for KEPT_SECONDS: what was changed is seen everywhere
within that time, by the process that changed it at once."""

from __future__ import annotations

from dataclasses import dataclass, field
from time import monotonic
from typing import Final

from django.conf import settings

from wallets.brand.colour import Accent, accents_of
from wallets.brand.models import Brand

KEPT_SECONDS: Final = 10
OWN_COLOUR: Final = "#0f766e"
KINDS: Final = ("terms", "privacy", "refunds")
"""Legal texts, as their addresses name them."""


@dataclass(frozen=True, slots=True)
class Legal:
    """A legal text: where it is, or what it says, or nothing."""

    kind: str
    url: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class BrandShown:
    """The brand. colour: as it was given, empty for our own; light, dark: made of it (`colour.py`). logo: name of its file."""

    name: str
    colour: str
    light: Accent
    dark: Accent
    logo: str = ""
    logo_width: int = 0
    logo_height: int = 0
    support_email: str = ""
    support_url: str = ""
    legal: tuple[Legal, ...] = ()
    embed_origins: tuple[str, ...] = field(default=())


_kept: dict[str, tuple[float | None, BrandShown]] = {}


def brand() -> BrandShown:
    """The brand in force. At most one query."""
    until, shown = _kept.get("brand", (0, None))
    if shown is None or (until is not None and monotonic() >= until):
        row = Brand.objects.defer("logo").filter(pk=1).first()
        shown = unbranded() if row is None else _shown(row)
        _kept["brand"] = (monotonic() + KEPT_SECONDS, shown)
    return shown


def unbranded() -> BrandShown:
    """What is shown until somebody sets a brand."""
    return BrandShown(settings.SELLER_NAME, "", *accents_of(OWN_COLOUR))


def forget_brand() -> None:
    """Ask the database again."""
    _kept.clear()


def remember_brand(shown: BrandShown) -> None:
    """Keep this one until it is forgotten."""
    _kept["brand"] = (None, shown)


def brand_logo() -> tuple[bytes, str] | None:
    """The picture and its type. One query."""
    row = Brand.objects.filter(pk=1, logo__isnull=False).only("logo", "logo_type").first()
    return None if row is None else (bytes(row.logo or b""), row.logo_type)


def _shown(row: Brand) -> BrandShown:
    legal = (Legal(kind, getattr(row, f"{kind}_url"), getattr(row, f"{kind}_text")) for kind in KINDS)
    ending = row.logo_type.removeprefix("image/")
    return BrandShown(
        row.name or settings.SELLER_NAME,
        row.colour,
        *accents_of(row.colour or OWN_COLOUR),
        logo=f"{row.logo_sha256[:20]}.{ending}" if row.logo_sha256 else "",
        logo_width=row.logo_width,
        logo_height=row.logo_height,
        support_email=row.support_email,
        support_url=row.support_url,
        legal=tuple(one for one in legal if one.url or one.text),
        embed_origins=tuple(row.embed_origins),
    )
