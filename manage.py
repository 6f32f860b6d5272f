#!/usr/bin/env python
"""Every command. Without DATABASE_URL and REDIS_URL it works on the embedded servers of DATA_DIR: joins them if they run,
has them started for its own duration if not, and then hands over to Django."""

from __future__ import annotations

import os
import sys
from contextlib import ExitStack
from pathlib import Path
from typing import Final

from billing_site.embedded.claim import CannotRun, claim_site
from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.servers import NoServersError, join_servers, temporary_servers

# These touch neither store.
WITHOUT_SERVERS: Final = {
    *("check", "collectstatic", "compilemessages", "diffsettings", "findstatic", "help", "makemessages", "spectacular"),
    *("startapp", "startproject", "version"),
}
# These measure: on servers of their own, so that nobody's data is in the way.
ON_SERVERS_OF_THEIR_OWN: Final = {"bench"}
INTERRUPTED: Final = 130


def main(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    try:
        with ExitStack() as held:
            try:
                prepare(arguments, held)
            except (CannotRun, NoServersError, PermissionError) as error:
                sys.stderr.write(f"{error}\n")
                return 1
            from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings read what prepare set

            execute_from_command_line(arguments)
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def prepare(arguments: list[str], held: ExitStack) -> None:
    """Claim what the command needs and have its servers run, for as long as `held` is open."""
    command = arguments[1] if len(arguments) > 1 else "help"
    only_talks = command in WITHOUT_SERVERS or command.startswith("-") or bool({"-h", "--help"} & set(arguments))
    data_dir = DataDir.at(os.environ.get("DATA_DIR") or Path(__file__).parent / ".data")
    if command == "run" and not only_talks:
        host, port = os.environ.get("HOST") or "127.0.0.1", os.environ.get("PORT") or "8000"
        held.enter_context(claim_site(data_dir, host=host, port=port))
    if not is_given("DATABASE_URL"):
        os.environ.setdefault("SECRET_KEY", data_dir.secret("django"))
        os.environ.setdefault("DEMO", "on")
        os.environ.setdefault("EMAIL_URL", "keptmail://")
        if not is_given("STRIPE_SECRET_KEY"):
            use_stripe_sandbox(data_dir, starts_it=command == "run" and not only_talks)
    if only_talks or (is_given("DATABASE_URL") and is_given("REDIS_URL")):
        return
    measures = command in ON_SERVERS_OF_THEIR_OWN
    servers = held.enter_context(temporary_servers(durable=True)) if measures else join_servers(data_dir)
    for name, url in (("DATABASE_URL", servers.database_url), ("REDIS_URL", servers.redis_url)):
        if not is_given(name):
            os.environ[name] = url


def use_stripe_sandbox(data_dir: DataDir, *, starts_it: bool) -> None:
    """Without a Stripe key, cards are charged in the sandbox that `run` starts; other commands find it where it was."""
    port = data_dir.port("stripe") if starts_it else data_dir.read_json("ports.json").get("stripe")
    if port is not None:
        os.environ |= {
            "STRIPE_API_URL": f"http://127.0.0.1:{port}",
            "STRIPE_SECRET_KEY": "sk_test_sandbox",
            "STRIPE_PUBLISHABLE_KEY": "pk_test_sandbox",
            "STRIPE_WEBHOOK_SECRET": data_dir.secret("stripe_webhook"),
        }


def is_given(name: str) -> bool:
    """Whether the environment has this setting, or names a file that has it."""
    return bool(os.environ.get(name) or os.environ.get(f"{name}_FILE"))


if __name__ == "__main__":
    sys.exit(main(sys.argv))
