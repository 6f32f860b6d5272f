"""The Stripe sandbox as `make run` starts it, for tests that need the real process."""

from __future__ import annotations

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

from tests.processes import PROJECT, eventually
from tests.web import free_port

WEBHOOK_SECRET: Final = "whsec_of_the_tests"


@contextmanager
def stripe_sandbox(settings: Any, *, webhook_url: str = "") -> Iterator[str]:
    """A sandbox of one's own, to which card payments go inside the block; where it is."""
    port = free_port()
    command = [sys.executable, "-m", "billing_site.embedded.stripe_sandbox", "--port", str(port)]
    if webhook_url:
        command += ["--webhook-url", webhook_url, "--webhook-secret", WEBHOOK_SECRET]
    process = subprocess.Popen(command, cwd=PROJECT)

    def answers() -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", port)) == 0

    try:
        assert eventually(answers, within_seconds=60), "the sandbox did not come up"
        settings.STRIPE_API_URL = f"http://127.0.0.1:{port}"
        settings.STRIPE_SECRET_KEY, settings.STRIPE_PUBLISHABLE_KEY = "sk_test_sandbox", "pk_test_sandbox"
        settings.STRIPE_WEBHOOK_SECRET = WEBHOOK_SECRET
        yield settings.STRIPE_API_URL
    finally:
        process.terminate()
        process.wait()
