"""A brand can be read on every page, and its logo is a picture and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.pictures import chunk, png, webp
from wallets.brand.colour import DARK_GROUND, LEAST_CONTRAST, LIGHT_GROUND, accents_of, contrast
from wallets.brand.logo import MOST_BYTES, LogoRefused, check_logo


@given(st.integers(0, 0xFFFFFF))
def test_whatever_the_colour_is_words_can_be_read(number: int) -> None:
    light, dark = accents_of(f"#{number:06x}")
    pairs = [
        (light.accent, LIGHT_GROUND), (light.on, light.accent), (light.strong, light.soft),
        (dark.accent, DARK_GROUND), (dark.on, dark.accent), (dark.strong, dark.soft),
    ]  # fmt: skip
    assert min(contrast(one, other) for one, other in pairs) >= LEAST_CONTRAST


def test_a_colour_that_can_be_read_stays() -> None:
    assert accents_of("#1d4ed8")[0].accent == "#1d4ed8"
    assert accents_of("#45bfb2")[1].accent == "#45bfb2"


def test_only_the_picture_is_kept() -> None:
    plain = check_logo(png())
    assert (plain.media_type, plain.width, plain.height) == ("image/png", 40, 20)
    with_text = png(more=chunk(b"tEXt", b"Comment\0<script>alert(1)</script>")) + b"PK\x03\x04 a second file"
    assert check_logo(with_text).content == plain.content == png()
    found = check_logo(webp())
    assert (found.media_type, found.width, found.height) == ("image/webp", 32, 16)
    assert b"ICCP" in webp()
    assert b"ICCP" not in found.content
    assert check_logo(found.content) == found


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>",
        b"GIF89a" + b"\0" * 50,
        png()[:-20],
        png().replace(b"IDAT", b"IDAX"),
        png(8, 8),
        png(20, 1_601),
        png(more=chunk(b"IDAT", b"no picture")),
        webp()[:300],
        b"RIFF\x04\0\0\0WEBP",
        png() + b"\0" * MOST_BYTES,
    ],
)  # fmt: skip
def test_what_is_no_picture_is_refused(content: bytes) -> None:
    with pytest.raises(LogoRefused) as refused:
        check_logo(content)
    assert "PNG or WebP" in refused.value.fields["logo"]
