"""How long from a committed debit to its delivered webhook, with the site's own worker, on servers of its own.

The clock starts when the debit's transaction is committed and stops when the receiver, a thread of this process, has read the
request. Debits are spaced; each takes a wallet of its own below a threshold.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Final

from django.conf import settings
from django.db import transaction

from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from wallets.accounts.open import open_account
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.grant import grant_credit

HOST: Final = "127.0.0.1"
DEBITS: Final = 200
SPACED_SECONDS: Final = 0.1
LONGEST_SECONDS: Final = 60.0
WORKER_PROCESSES: Final = 2  # as `manage.py run`


def measure_alerts(*, at: datetime, events: int, tell: Callable[[str], object]) -> dict[str, float]:
    """Milliseconds from commit to delivery: median, 99th percentile, longest; and how many did not arrive in time."""
    debits = min(events, DEBITS)
    settings.OUTGOING_ALLOWED_HOSTS = [HOST]
    arrived: dict[str, float] = {}
    with _receiver(arrived) as url, _worker(tell):
        make_endpoint(account=None, terms=EndpointTerms(url=url, event_types=["threshold_crossed"]), at=at)
        wallets = [_wallet(f"bench-{number}", at) for number in range(debits + 1)]
        tell("waiting for the worker")
        _debit(wallets[0], at)
        _wait(arrived, 1)
        tell(f"{debits} debits")
        committed: dict[str, float] = {}
        for wallet in wallets[1:]:
            committed[wallet.public_id] = _debit(wallet, at)
            threading.Event().wait(SPACED_SECONDS)
        _wait(arrived, debits + 1)
    took = sorted((arrived[one] - began) * 1000 for one, began in committed.items() if one in arrived)
    if not took:
        raise RuntimeError("no webhook was delivered")
    return {
        "debit_to_webhook_median_ms": statistics.median(took),
        "debit_to_webhook_p99_ms": took[min(len(took) - 1, len(took) * 99 // 100)],
        "debit_to_webhook_longest_ms": took[-1],
        "delivered": len(took),
        "missing": debits - len(took),
    }


def _wallet(key: str, at: datetime) -> Wallet:
    account = open_account(key=key, name=key, currency="USD", at=at)
    wallet = open_wallet(account=account, currency="USD", at=at)
    grant_credit(wallet_id=wallet.pk, amount=Decimal(10), kind="paid", at=at)
    return wallet


def _debit(wallet: Wallet, at: datetime) -> float:
    """Take a wallet below half; when that was committed."""
    with transaction.atomic():
        debit_wallets([WalletDebit(lock_wallet(wallet.pk), [("calls", Decimal(6), at)])], at=at)
    return time.monotonic()


def _wait(arrived: dict[str, float], count: int) -> None:
    deadline = time.monotonic() + LONGEST_SECONDS
    while len(arrived) < count and time.monotonic() < deadline:
        threading.Event().wait(0.02)


@contextmanager
def _worker(tell: Callable[[str], object]) -> Iterator[None]:
    command = [sys.executable, "-m", "celery", "--app", "billing_site", "worker", "--concurrency", str(WORKER_PROCESSES)]
    environment = os.environ | {"OUTGOING_ALLOWED_HOSTS": HOST, "LOG_LEVEL": "ERROR"}
    process = subprocess.Popen(  # noqa: S603
        [*command, "--loglevel", "ERROR", "--without-gossip", "--without-mingle"],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield
    finally:
        process.terminate()
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            tell("the worker did not end; killed")
            process.kill()
            process.wait()


@contextmanager
def _receiver(arrived: dict[str, float]) -> Iterator[str]:
    """Notes when the event of which wallet came."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            arrived.setdefault(json.loads(body)["data"]["wallet"], time.monotonic())
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Be silent."""

    server = ThreadingHTTPServer((HOST, 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://{HOST}:{server.server_address[1]}/"
    finally:
        server.shutdown()
        server.server_close()
