"""A vendor's service, as a process without Django: asks the gate, records a call, writes down which were acknowledged.

`python -m tests.faults.recording_service NAME REDIS_URL API_URL API_KEY SPOOL ACKNOWLEDGED`; it ends when its input does.
"""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Sequence

from metering.gate.client.gate import Gate

PAUSE_SECONDS = 0.002


def serve(arguments: Sequence[str]) -> None:
    """Call after call, until there is no more input."""
    name, redis_url, api_url, api_key, spool, acknowledged = arguments
    over = threading.Event()
    threading.Thread(target=lambda: (sys.stdin.read(), over.set()), daemon=True).start()
    gate = Gate(redis_url=redis_url, api_url=api_url, api_key=api_key, spool=spool)
    heard = os.open(acknowledged, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    number = 0
    while not over.wait(PAUSE_SECONDS):
        if gate.decide("acme").allowed:
            event_id = gate.record(
                account="acme", event_type="llm.request", properties={"tokens": 1}, event_id=f"{name}-{number}"
            )
            os.write(heard, f"{event_id}\n".encode())
            number += 1
    gate.close()


if __name__ == "__main__":
    serve(sys.argv[1:])
    assert "django" not in sys.modules
