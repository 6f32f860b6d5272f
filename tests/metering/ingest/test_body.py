"""Unpacking a request's body, within limits."""

from __future__ import annotations

import gzip

import pytest
import zstandard
from hypothesis import given
from hypothesis import strategies as st

from metering.ingest.body import MAX_BODY_BYTES, UnknownEncoding, UnpackedTooLarge, unpack

BODY = b'[{"id": "1"}]'


def zstd(body: bytes) -> bytes:
    return zstandard.ZstdCompressor().compress(body)


@pytest.mark.parametrize("encoding", ["", "identity", " Identity "])
def test_a_body_that_is_not_packed_stays_as_it_is(encoding: str) -> None:
    assert unpack(BODY, encoding) == BODY


@pytest.mark.parametrize("encoding", ["gzip", "x-gzip", " GZIP "])
def test_gzip_is_unpacked(encoding: str) -> None:
    assert unpack(gzip.compress(BODY, mtime=0), encoding) == BODY


def test_zstd_is_unpacked() -> None:
    assert unpack(zstd(BODY), "zstd") == BODY


def test_nothing_is_lost_of_a_body_packed_in_several_members_or_frames() -> None:
    assert unpack(gzip.compress(BODY, mtime=0) + gzip.compress(b"") + gzip.compress(b" "), "gzip") == BODY + b" "
    assert unpack(zstd(BODY) + zstd(b"") + zstd(b" "), "zstd") == BODY + b" "


@pytest.mark.parametrize("encoding", ["br", "deflate", "gzip, gzip", "gzip\x00", "é" * 100])
def test_other_encodings_are_refused_by_name(encoding: str) -> None:
    with pytest.raises(UnknownEncoding, match="identity, gzip or zstd"):
        unpack(BODY, encoding)


@pytest.mark.parametrize(
    "packed", [BODY, b"", gzip.compress(BODY, mtime=0)[:-1], gzip.compress(BODY, mtime=0) + b"more", zstd(BODY)]
)
def test_what_is_not_gzip_is_refused(packed: bytes) -> None:
    with pytest.raises(UnknownEncoding):
        unpack(packed, "gzip")


@pytest.mark.parametrize("packed", [BODY, gzip.compress(BODY, mtime=0), zstd(BODY) + b"more"])
def test_what_is_not_zstd_is_refused(packed: bytes) -> None:
    with pytest.raises(UnknownEncoding):
        unpack(packed, "zstd")


def test_sixteen_mebibytes_are_taken_and_not_one_byte_more() -> None:
    largest = bytes(MAX_BODY_BYTES)
    assert unpack(largest, "") == largest
    assert unpack(gzip.compress(largest, 1), "gzip") == largest
    assert unpack(zstd(largest), "zstd") == largest
    for packed, encoding in ((largest + b"1", ""), (gzip.compress(largest + b"1", 1), "gzip"), (zstd(largest + b"1"), "zstd")):
        with pytest.raises(UnpackedTooLarge):
            unpack(packed, encoding)


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_a_bomb_is_not_unpacked(encoding: str) -> None:
    """64 MiB in some kilobytes; once in one piece and once in many small ones."""
    pack = zstd if encoding == "zstd" else gzip.compress
    piece = pack(bytes(2**20))
    for bomb in (pack(bytes(2**26)), piece * 64):
        assert len(bomb) < MAX_BODY_BYTES
        with pytest.raises(UnpackedTooLarge, match="unpacks to more than"):
            unpack(bomb, encoding)


@given(st.binary(max_size=400), st.sampled_from(["", "gzip", "zstd"]))
def test_arbitrary_bytes_are_unpacked_or_refused_by_name(body: bytes, encoding: str) -> None:
    try:
        unpacked = unpack(body, encoding)
    except (UnknownEncoding, UnpackedTooLarge):
        return
    assert encoding or unpacked == body


@given(st.binary(max_size=400), st.integers(0, 600), st.integers(0, 255), st.sampled_from(["gzip", "zstd"]))
def test_packed_bytes_with_one_changed_are_unpacked_or_refused_by_name(
    body: bytes, place: int, value: int, encoding: str
) -> None:
    packed = bytearray(gzip.compress(body, mtime=0) if encoding == "gzip" else zstd(body))
    packed[place % len(packed)] = value
    try:
        unpack(bytes(packed), encoding)
    except (UnknownEncoding, UnpackedTooLarge):
        return
