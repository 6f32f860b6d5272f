"""When a delivery is tried again. Pure."""

from __future__ import annotations

import zlib
from datetime import timedelta
from typing import Final

AFTER: Final = tuple(
    timedelta(seconds=seconds)
    for seconds in (5, 60, 5 * 60, 30 * 60, 2 * 3600, 5 * 3600, 10 * 3600, 12 * 3600, 18 * 3600, 24 * 3600)
)
"""Waits between attempts, growing: 71 hours and 36 minutes altogether, eleven attempts."""
JITTER_PERCENT: Final = 10


def next_wait(*, failures: int, delivery: str) -> timedelta | None:
    """How long to wait after this many failures in a row; None: it is given up. Up to a tenth longer, differently for each
    delivery, so that what failed together does not come back together."""
    if failures > len(AFTER):
        return None
    wait = AFTER[failures - 1]
    return wait + wait * (zlib.crc32(f"{delivery}:{failures}".encode()) % (JITTER_PERCENT + 1)) / 100
