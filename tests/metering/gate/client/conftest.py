"""A vendor's service: its gate on this session's Redis, and an API that is away unless a test starts one."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from metering.gate.client.gate import Gate

NOBODY_LISTENS = "http://127.0.0.1:1"


def service_gate(folder: Path, **changes: Any) -> Gate:
    """A gate as a service makes one."""
    usual = {
        "redis_url": os.environ["REDIS_URL"],
        "api_url": NOBODY_LISTENS,
        "api_key": "key",
        "spool": folder,
        "top_up_url": "https://pay.example/{account}",
    }
    return Gate(**(usual | changes))


@pytest.fixture
def gate(tmp_path: Path, redis_server: Any) -> Iterator[Gate]:
    made = service_gate(tmp_path / "spool")
    yield made
    made.close()


def recorded(gate: Gate) -> list[dict[str, Any]]:
    """The events in the spool."""
    return [json.loads(line) for file in sorted(gate.spool.folder.glob("*.usage")) for line in file.read_bytes().splitlines()]
