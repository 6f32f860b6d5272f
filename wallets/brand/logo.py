"""A logo somebody uploaded: a PNG or WebP picture, by its bytes and not by its name. Only what makes the picture is kept (no
text, no profile, nothing behind its end), and it is opened once to see that it can be."""

from __future__ import annotations

import hashlib
import struct
import zlib
from dataclasses import dataclass
from typing import Final

import typst

from wallets.errors import InvalidInput

MOST_BYTES: Final = 200_000
LEAST_PIXELS: Final = 16
MOST_PIXELS: Final = 1_600
EXPECTED: Final = f"a PNG or WebP picture of {LEAST_PIXELS} to {MOST_PIXELS} pixels a side and at most 200 kB"
PNG: Final = b"\x89PNG\r\n\x1a\n"
KEPT_OF_PNG: Final = frozenset({b"IHDR", b"PLTE", b"tRNS", b"sRGB", b"gAMA", b"IDAT", b"IEND"})
KEPT_OF_WEBP: Final = frozenset({b"VP8 ", b"VP8L", b"VP8X", b"ALPH"})
HEADER: Final = 12  # of a chunk of PNG, with its checksum; of a file of WebP
PREVIEW: Final = "#set page(width: 10pt, height: 10pt, margin: 0pt)\n#image(bytes(json(bytes(sys.inputs.logo))), width: 10pt)"


class LogoRefused(InvalidInput):
    """The file is no picture we can show, or too large."""

    code = "logo_refused"


@dataclass(frozen=True, slots=True)
class Logo:
    """A picture that was checked."""

    content: bytes
    media_type: str
    width: int
    height: int

    @property
    def sha256(self) -> str:
        """What it is called by."""
        return hashlib.sha256(self.content).hexdigest()


def check_logo(content: bytes) -> Logo:
    """The picture in these bytes, without what is not picture. Raises LogoRefused."""
    if not 0 < len(content) <= MOST_BYTES:
        raise _refused()
    try:
        logo = _png(content) if content.startswith(PNG) else _webp(content)
        if not all(LEAST_PIXELS <= side <= MOST_PIXELS for side in (logo.width, logo.height)):
            raise _refused()
        numbers = "[" + ",".join(map(str, logo.content)) + "]"
        typst.compile(PREVIEW.encode(), format="png", ppi=72, sys_inputs={"logo": numbers}, ignore_system_fonts=True)
    except (ValueError, IndexError, struct.error, typst.TypstError):
        raise _refused() from None
    return logo


def _refused() -> LogoRefused:
    return LogoRefused("The logo cannot be used.", fields={"logo": EXPECTED})


def _png(content: bytes) -> Logo:
    """Its chunks with a right checksum, up to its end."""
    kept, place = [PNG], len(PNG)
    width = height = 0
    kind = b""
    while kind != b"IEND":
        (length,) = struct.unpack_from(">I", content, place)
        kind, end = content[place + 4 : place + 8], place + HEADER + length
        (checksum,) = struct.unpack_from(">I", content, end - 4)
        if zlib.crc32(content[place + 4 : end - 4]) != checksum:
            raise _refused()
        if kind == b"IHDR":
            width, height = struct.unpack_from(">II", content, place + 8)
        if kind in KEPT_OF_PNG:
            kept.append(content[place:end])
        place = end
    return Logo(b"".join(kept), "image/png", width, height)


def _webp(content: bytes) -> Logo:
    """Its still picture: no frames, no profile, no text."""
    if content[:4] != b"RIFF" or content[8:12] != b"WEBP":
        raise _refused()
    kept, place = [], HEADER
    width = height = 0
    while place + 8 <= len(content):
        (length,) = struct.unpack_from("<I", content, place + 4)
        kind, end = content[place : place + 4], place + 8 + length + length % 2
        body = content[place + 8 : place + 8 + length]
        if len(body) != length:
            raise _refused()
        if kind == b"VP8X":  # its flags name only what is kept: transparency
            body = bytes([body[0] & 0x10]) + body[1:]
            width, height = (1 + int.from_bytes(body[at : at + 3], "little") for at in (4, 7))
        elif kind == b"VP8 " and not width:
            width, height = (side & 0x3FFF for side in struct.unpack_from("<HH", body, 6))
        elif kind == b"VP8L" and not width:
            bits = int.from_bytes(body[1:5], "little")
            width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        if kind in KEPT_OF_WEBP:
            kept.append(kind + struct.pack("<I", length) + body + b"\0" * (length % 2))
        place = end
    picture = b"WEBP" + b"".join(kept)
    return Logo(b"RIFF" + struct.pack("<I", len(picture)) + picture, "image/webp", width, height)
