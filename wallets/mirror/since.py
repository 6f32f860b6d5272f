"""Whether there is a mirror, and from when on."""

from __future__ import annotations

from datetime import datetime

from django.conf import settings


def mirrored_since() -> datetime | None:
    """Credit and usage from this time on are mirrored; None: nothing is."""
    since: datetime | None = settings.STRIPE_MIRROR_SINCE
    return since
