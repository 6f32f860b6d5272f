"""The body of a request: undo its compression, within limits."""

from __future__ import annotations

import gzip
import io
import zlib
from typing import Final

import zstandard

from wallets.errors import Refusal

MAX_BODY_BYTES: Final = 16 * 1024 * 1024  # as sent and as unpacked: a few kilobytes can unpack to gigabytes


class UnpackedTooLarge(Refusal):
    """More than MAX_BODY_BYTES, packed or unpacked; nothing was read further."""

    code = "body_too_large"


class UnknownEncoding(Refusal):
    """A Content-Encoding other than identity, gzip or zstd, or a body that is not what it says."""

    code = "unsupported_media_type"


def unpack(body: bytes, encoding: str) -> bytes:
    """The body as it was before `Content-Encoding` (identity, gzip or zstd). Raises UnpackedTooLarge, UnknownEncoding."""
    if len(body) > MAX_BODY_BYTES:
        raise UnpackedTooLarge(f"The body has more than {MAX_BODY_BYTES} bytes.")
    match encoding.strip().lower():
        case "" | "identity":
            return body
        case "gzip" | "x-gzip":
            return _gunzip(body)
        case "zstd":
            return _unzstd(body)
        case other:
            raise UnknownEncoding(f"Content-Encoding {other[:40]!r} is not understood; send identity, gzip or zstd.")


def _gunzip(body: bytes) -> bytes:
    decompressor = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
    try:
        unpacked = decompressor.decompress(body, MAX_BODY_BYTES + 1)
        if decompressor.unused_data:  # more members, one after the other (RFC 1952)
            with gzip.GzipFile(fileobj=io.BytesIO(body)) as members:
                unpacked = members.read(MAX_BODY_BYTES + 1)
            whole = True
        else:
            whole = decompressor.eof
    except (OSError, EOFError, zlib.error):
        raise UnknownEncoding("The body is not valid gzip.") from None
    if len(unpacked) > MAX_BODY_BYTES:
        raise UnpackedTooLarge(f"The body unpacks to more than {MAX_BODY_BYTES} bytes.")
    if not whole:
        raise UnknownEncoding("The gzip body ends too early.")
    return unpacked


def _unzstd(body: bytes) -> bytes:
    decompressor = zstandard.ZstdDecompressor(max_window_size=MAX_BODY_BYTES * 2)
    try:
        with decompressor.stream_reader(body, read_across_frames=True) as reader:
            unpacked: bytes = reader.read(MAX_BODY_BYTES + 1)
    except zstandard.ZstdError:
        raise UnknownEncoding("The body is not valid zstd.") from None
    if len(unpacked) > MAX_BODY_BYTES:
        raise UnpackedTooLarge(f"The body unpacks to more than {MAX_BODY_BYTES} bytes.")
    return unpacked
