"""Signing by the Standard Webhooks specification: what its libraries verify. Pure."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from standardwebhooks.webhooks import Webhook

SECRET_BYTES: Final = 32
PREFIX: Final = "whsec_"


def new_secret() -> str:
    """A signing secret of 256 random bits: `whsec_…`."""
    return PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def signed_headers(*, message_id: str, body: str, signing: Sequence[str], at: datetime) -> dict[str, str]:
    """The headers of one request: the message's id (the same at every attempt), the time of this attempt, and one signature
    for each secret of `signing`."""
    moment = at.astimezone(UTC)
    signatures = [Webhook(secret).sign(msg_id=message_id, timestamp=moment, data=body) for secret in signing]
    return {
        "webhook-id": message_id,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": " ".join(signatures),
    }
