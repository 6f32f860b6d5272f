"""Light live traffic of the demo company, over HTTP, until SIGTERM: `python manage.py traffic`."""

from __future__ import annotations

import signal
from argparse import ArgumentParser
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from threading import Event, Thread
from typing import Any, Final

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError
from django.db import DatabaseError, InterfaceError, connections

from billing_site.demo.company import ACCOUNT
from billing_site.demo.traffic import SCOPES, KeyEnded, Traffic
from wallets import clock
from wallets.accounts.models import Account
from wallets.api_keys.issue import issue_api_key, revoke_api_key
from wallets.api_keys.models import ApiKey

KEY_NAME: Final = "Live traffic"
KEY_LIFE: Final = timedelta(days=30)
REPORT_SECONDS: Final = 60.0
MOST_PER_SECOND: Final = 200.0


class Command(BaseCommand):
    """Send live traffic."""

    help = "Send light live traffic of the demo company's customers to the site over HTTP, until it is stopped."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """--url, --per-second."""
        parser.add_argument("--url", default=settings.SITE_URL, help=f"of the site; default: {settings.SITE_URL}")
        parser.add_argument("--per-second", type=float, default=3.0, help="requests, on average; default: 3")

    def handle(self, *_: Any, url: str, per_second: float, **__: Any) -> None:
        """Send until told to stop; a line a minute says what was sent."""
        if not 0 < per_second <= MOST_PER_SECOND:
            raise CommandError(f"--per-second {per_second}: more than 0, at most {MOST_PER_SECOND:.0f}.")
        if not Account.objects.filter(key=ACCOUNT).exists():
            raise CommandError("There is no demo company: python manage.py seed_demo makes it.")
        stop = Event()
        for sign in (signal.SIGTERM, signal.SIGINT):
            signal.signal(sign, lambda *_: stop.set())
        api_key, secret = _new_key()
        connections.close_all()  # from here on only HTTP
        traffic = Traffic(url.rstrip("/"), secret, per_second, clock.now)
        reporter = Thread(target=self._report, args=(traffic, stop), daemon=True)
        reporter.start()
        try:
            traffic.run(stop, on_problem=lambda text: self._say(f"waiting for the site: {text}"))
        except KeyEnded as ended:
            raise CommandError(f"{ended}; started again, it gets a new one") from ended
        finally:
            stop.set()
            reporter.join()
            self._say(f"stopped: {_counted(traffic.counts)}")
            with suppress(DatabaseError, InterfaceError):  # the key ends by itself
                revoke_api_key(api_key=api_key, at=clock.now())

    def _report(self, traffic: Traffic, stop: Event) -> None:
        told: Counter[str] = Counter()
        while not stop.wait(REPORT_SECONDS):
            counts = traffic.counts.copy()
            self._say(_counted(counts - told))
            told = counts

    def _say(self, text: str) -> None:
        self.stdout.write(f"{clock.now().isoformat(timespec='seconds')} traffic: {text}")
        self.stdout.flush()


def _new_key() -> tuple[ApiKey, str]:
    """A key for this run; those that earlier runs left behind are revoked."""
    at = clock.now()
    for left in ApiKey.objects.filter(name=KEY_NAME, revoked_at__isnull=True):
        revoke_api_key(api_key=left, at=at)
    issued = issue_api_key(name=KEY_NAME, scopes=SCOPES, at=at, expires_at=at + KEY_LIFE)
    return issued.api_key, issued.secret


def _counted(counts: Counter[str]) -> str:
    return ", ".join(f"{number} {what}" for what, number in sorted(counts.items())) or "nothing yet"
