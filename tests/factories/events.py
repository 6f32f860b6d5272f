"""Usage sent through ingest."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from metering.ingest.batch import IngestResult, ingest_batch
from metering.ingest.decode import usage_input
from metering.usage.models import UsageEvent
from tests.factories.balances import AT
from wallets.balances.models import Wallet


def send(wallet: Wallet, *events: tuple[str, dict[str, Any]], at: datetime = AT) -> IngestResult:
    """Send (id, properties) as `llm.request` of the wallet's account, in one batch; model gpt-5 unless named."""
    return ingest_batch(
        events=[
            usage_input(
                event_id=event_id,
                event_type="llm.request",
                account=wallet.account.key,
                time=at,
                properties={"model": "gpt-5"} | properties,
            )
            for event_id, properties in events
        ],
        at=at,
    )


def event_pk(event_id: str) -> int:
    """Row id of the event with this id."""
    return UsageEvent.objects.get(event_id=event_id).pk
