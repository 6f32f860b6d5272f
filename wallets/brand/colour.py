"""One colour of a brand made into the accents of a light and a dark page, so that words in it and on it can be read: WCAG's
contrast of 4.5 is kept by mixing in black or white (pure)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

LEAST_CONTRAST: Final = Decimal("4.5")
COLOUR: Final = re.compile(r"#[0-9a-f]{6}")
STEPS: Final = 40
WHITE: Final = "#ffffff"
BLACK: Final = "#000000"
# Of tokens.css: the darkest of the light backgrounds, the lightest of the dark ones, and what is written on a dark accent.
LIGHT_GROUND: Final = "#f2f5f5"
DARK_GROUND: Final = "#141c1f"
DARK_INK: Final = "#06201d"


@dataclass(frozen=True, slots=True)
class Accent:
    """The accent of one theme. strong: for words on soft. on: for words on the accent itself."""

    accent: str
    strong: str
    soft: str
    mid: str
    on: str


def accents_of(colour: str) -> tuple[Accent, Accent]:
    """The accents of light and dark pages. colour: `#0f766e`."""
    light = _until(colour, BLACK, grounds=(LIGHT_GROUND, WHITE))
    light_soft = mixed(light, WHITE, 34)
    light_strong = _until(mixed(light, BLACK, 8), BLACK, grounds=(light_soft,))
    dark = _until(colour, WHITE, grounds=(DARK_GROUND, DARK_INK))
    dark_soft = mixed(dark, DARK_GROUND, 33)
    dark_strong = _until(mixed(dark, WHITE, 12), WHITE, grounds=(dark_soft,))
    return (
        Accent(light, light_strong, light_soft, mixed(light, WHITE, 18), WHITE),
        Accent(dark, dark_strong, dark_soft, mixed(dark, DARK_GROUND, 20), DARK_INK),
    )


def contrast(one: str, other: str) -> Decimal:
    """WCAG's contrast of two colours, from 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + Decimal("0.05")) / (darker + Decimal("0.05"))


def mixed(colour: str, other: str, part: int) -> str:
    """The colour with `part` of STEPS of the other in it."""
    pairs = zip(_channels(colour), _channels(other), strict=True)
    return "#" + "".join(f"{(one * (STEPS - part) + two * part) // STEPS:02x}" for one, two in pairs)


def _until(colour: str, towards: str, *, grounds: tuple[str, ...]) -> str:
    """The colour with as little of `towards` as makes it readable on all grounds."""
    for part in range(STEPS):
        found = mixed(colour, towards, part)
        if all(contrast(found, ground) >= LEAST_CONTRAST for ground in grounds):
            return found
    return towards


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)


def _luminance(colour: str) -> Decimal:
    red, green, blue = (_linear(channel) for channel in _channels(colour))
    return Decimal("0.2126") * red + Decimal("0.7152") * green + Decimal("0.0722") * blue


def _linear(channel: int) -> Decimal:
    share = Decimal(channel) / 255
    if share <= Decimal("0.04045"):
        return share / Decimal("12.92")
    return ((share + Decimal("0.055")) / Decimal("1.055")) ** Decimal("2.4")
