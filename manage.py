#!/usr/bin/env python
"""Every command. Without DATABASE_URL and REDIS_URL it works on the embedded servers of DATA_DIR: joins them if they run,
has them started for its own duration if not, and then hands over to Django."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.servers import NoServersError, join_servers, temporary_servers

# These touch neither store.
WITHOUT_SERVERS = {"help", "version", "check", "diffsettings", "collectstatic", "findstatic", "makemessages", "compilemessages", "spectacular"}
# These measure: on servers of their own, so that nobody's data is in the way.
ON_SERVERS_OF_THEIR_OWN = {"bench"}


def main(arguments: list[str]) -> int:
    """Run one command; its exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "billing_site.settings")
    command = arguments[1] if len(arguments) > 1 else "help"
    if {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys() or {"DATABASE_URL_FILE", "REDIS_URL_FILE"} <= os.environ.keys():
        return hand_over(arguments)
    data_dir = DataDir.at(os.environ.get("DATA_DIR") or Path(__file__).parent / ".data")
    os.environ.setdefault("SECRET_KEY", data_dir.secret("django"))
    if command in WITHOUT_SERVERS or command.startswith("-") or {"-h", "--help"} & set(arguments):
        return hand_over(arguments)
    if command in ON_SERVERS_OF_THEIR_OWN:
        with temporary_servers(durable=True) as servers:
            os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
            return hand_over(arguments)
    try:
        servers = join_servers(data_dir)
    except NoServersError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
    return hand_over(arguments)


def hand_over(arguments: list[str]) -> int:
    """To Django."""
    from django.core.management import execute_from_command_line  # noqa: PLC0415 - settings read the addresses first

    execute_from_command_line(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv))
