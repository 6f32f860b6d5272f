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
from billing_site.embedded.servers import NoServersError, Servers, join_servers, temporary_servers

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
    command = arguments[1] if len(arguments) > 1 else "help"
    only_talks = command in WITHOUT_SERVERS or command.startswith("-") or bool({"-h", "--help"} & set(arguments))
    try:
        with ExitStack() as held:
            data_dir = DataDir.at(os.environ.get("DATA_DIR") or Path(__file__).parent / ".data")
            if command == "run" and not only_talks:
                host, port = os.environ.get("HOST") or "127.0.0.1", int(os.environ.get("PORT") or 8000)
                held.enter_context(claim_site(data_dir, host=host, port=port))
            if not _servers_are_given():
                os.environ.setdefault("SECRET_KEY", data_dir.secret("django"))
                if command in ON_SERVERS_OF_THEIR_OWN and not only_talks:
                    _use(held.enter_context(temporary_servers(durable=True)))
                elif not only_talks:
                    _use(join_servers(data_dir))
            from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings read what is set above

            execute_from_command_line(arguments)
    except (CannotRun, NoServersError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    except KeyboardInterrupt:
        return INTERRUPTED
    return 0


def _servers_are_given() -> bool:
    return all(os.environ.get(name) or os.environ.get(f"{name}_FILE") for name in ("DATABASE_URL", "REDIS_URL"))


def _use(servers: Servers) -> None:
    os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
    os.environ.setdefault("DEMO", "on")


if __name__ == "__main__":
    sys.exit(main(sys.argv))
