"""`make run`: the whole site on this machine, until Ctrl-C."""

from __future__ import annotations

import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings
from django.core.management import call_command, get_commands
from django.core.management.base import BaseCommand, CommandError
from django.db import connections

from billing_site.backoffice.roles import grant_roles
from billing_site.demo.company import seed_demo
from billing_site.embedded.child import end_with_parent_process
from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.processes import Part, Site, SiteEnded
from billing_site.embedded.servers import servers_in_use
from billing_site.embedded.web import web_command
from billing_site.management.run_screen import DemoFacts, screen, seed_progress
from wallets import clock

# One process a core of a small machine; many threads in each, since those that wait for a commit share the next one.
WORKER_PROCESSES: Final = 2
HEALTHY_SECONDS: Final = 90.0
_ANSWER_SECONDS: Final = 5.0
_FACTS: Final = "demo.json"


class Command(BaseCommand):
    """Run the site."""

    help = "Run the whole site on this machine: web, worker, beat, demo traffic. Ctrl-C stops it."

    def add_arguments(self, parser: ArgumentParser) -> None:
        """[--end-with-parent]."""
        parser.add_argument("--end-with-parent", action="store_true", help="stop when the process that started this one dies")

    def handle(self, *_: Any, end_with_parent: bool, **__: Any) -> None:
        """Migrate, seed, start, show, wait."""
        if end_with_parent:
            end_with_parent_process()
        data_dir = DataDir.at(settings.DATA_DIR)
        servers = servers_in_use()
        connection = servers.connection if servers else None
        self._say("Preparing the database")
        call_command("migrate", verbosity=0)
        grant_roles()
        facts = self._demo_facts(data_dir)
        connections.close_all()
        try:
            with Site(data_dir, folder=settings.BASE_DIR, say=self._say) as site:
                self._say("Starting")
                site.start(_parts(data_dir))
                if site.wait(until=_healthy(_local_url()), servers=connection):
                    site.start(_traffic())
                    event_id = f"curl-{uuid.uuid4().hex[:12]}"
                    self._say(screen(site_url=settings.SITE_URL, data_dir=data_dir.path, facts=facts, event_id=event_id))
                    site.wait(servers=connection)
                self._say("Stopping")
        except SiteEnded as ended:
            raise CommandError(str(ended)) from ended

    def _demo_facts(self, data_dir: DataDir) -> DemoFacts | None:
        """What the demo's seed told, now or when it ran; None without a demo."""
        if not settings.DEMO:
            return None
        told = data_dir.read_json(_FACTS)
        if not told:
            self._say("Loading the demo company and its history")
            with seed_progress() as on_progress:
                told = seed_demo(at=clock.now(), on_progress=on_progress)
            data_dir.write_json(_FACTS, told, durable=True)
        return DemoFacts.of(told)

    def _say(self, text: str) -> None:
        self.stdout.write(text)
        self.stdout.flush()


def _parts(data_dir: DataDir) -> list[Part]:
    celery = [sys.executable, "-m", "celery", "--app", "billing_site"]
    beat = data_dir.path / "beat"
    beat.mkdir(exist_ok=True)
    quiet = {"PYTHONUNBUFFERED": "1"}
    return [
        *_stripe_sandbox(data_dir),
        Part(
            "web",
            web_command(f"{settings.HOST}:{settings.PORT}"),
            quiet,
        ),
        Part(
            "worker",
            [
                *(*celery, "worker", "--concurrency", str(WORKER_PROCESSES), "--loglevel", "WARNING"),
                *("--without-gossip", "--without-mingle"),
            ],
            quiet,
        ),
        Part(
            "beat",
            [*celery, "beat", "--schedule", beat / "schedule", "--pidfile=", "--loglevel", "WARNING"],
            quiet,
        ),
    ]


def _stripe_sandbox(data_dir: DataDir) -> list[Part]:
    """The sandbox, when cards are charged in it (`manage.py` says so); it tells the site by webhook."""
    sandbox = urlsplit(settings.STRIPE_API_URL)
    if sandbox.hostname != "127.0.0.1":
        return []
    webhook = _local_url().removesuffix("/healthz") + "/webhooks/stripe"
    command = [
        *(sys.executable, "-m", "billing_site.embedded.stripe_sandbox", "--port", str(sandbox.port)),
        *("--file", data_dir.path / "stripe.pickle", "--webhook-url", webhook),
        *("--webhook-secret", settings.STRIPE_WEBHOOK_SECRET),
    ]
    return [Part("stripe", command, {"PYTHONUNBUFFERED": "1"})]


def _traffic() -> list[Part]:
    if not settings.DEMO or "traffic" not in get_commands():
        return []
    return [Part("traffic", [sys.executable, Path(settings.BASE_DIR) / "manage.py", "traffic"], dict(os.environ))]


def _local_url() -> str:
    host = "127.0.0.1" if settings.HOST == "0.0.0.0" else settings.HOST  # noqa: S104 - compared, not bound
    return f"http://{host}:{settings.PORT}/healthz"


def _healthy(url: str) -> Callable[[], bool]:
    """Whether the site answers 200 there; raises SiteEnded when it has not for HEALTHY_SECONDS."""
    deadline = time.monotonic() + HEALTHY_SECONDS

    def healthy() -> bool:
        try:
            with urllib.request.urlopen(url, timeout=_ANSWER_SECONDS):  # noqa: S310 - our own address
                return True
        except urllib.error.HTTPError as error:
            told = error.read().decode(errors="replace")
        except OSError as error:
            told = str(error)
        if time.monotonic() > deadline:
            raise SiteEnded(f"{url} was not healthy after {HEALTHY_SECONDS:.0f} s: {told[:500]}")
        return False

    return healthy
