"""Real servers for the whole session: PostgreSQL and Valkey of their own, in a temporary folder on free ports, so that
several runs on one machine do not meet. DATABASE_URL and REDIS_URL, if set, are used instead."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import ExitStack
from typing import TYPE_CHECKING, Final

import pytest
from django.test import TransactionTestCase

from billing_site.embedded.servers import temporary_servers

if TYPE_CHECKING:
    from redis import Redis

_session: Final = ExitStack()


def pytest_configure(config: pytest.Config) -> None:
    """Start the servers, then let Django read where they are. Each worker of xdist has servers of its own: a test may well
    bring its server to a stop."""
    if getattr(config.option, "numprocesses", None) and not hasattr(config, "workerinput"):
        return  # this process hands out the tests and runs none
    if not {"DATABASE_URL", "REDIS_URL"} <= os.environ.keys():
        servers = _session.enter_context(temporary_servers())
        os.environ |= {"DATABASE_URL": servers.database_url, "REDIS_URL": servers.redis_url}
    os.environ |= {"SECRET_KEY": "tests", "OUTBOX_WAKES_WORKER": "off", "EMAIL_URL": "memorymail://"}
    os.environ |= {"REAUTHENTICATION_MINUTES": "0", "API_REFUSALS_PER_MINUTE": "0"}  # their tests turn them on
    os.environ["DJANGO_SETTINGS_MODULE"] = "billing_site.settings"

    import django  # noqa: PLC0415 - reads the environment set above
    from django.conf import settings  # noqa: PLC0415 - as above

    # Passwords of the cast need not withstand an attack.
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    # Static files are looked for when they are asked for, not by every new client for all of them.
    settings.WHITENOISE_AUTOREFRESH = True
    django.setup()
    TransactionTestCase._fixture_teardown = _empty_every_table  # type: ignore[attr-defined]
    for plugin in ("tests.cast", "tests.prepared_database", "tests.factories.payments"):
        config.pluginmanager.import_plugin(plugin)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the servers and remove their folder."""
    _session.close()


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    """On CI (CI=true) a skipped test is a failure: nothing is proved by what did not run."""
    report = yield
    if report.skipped and os.environ.get("CI") == "true" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped on CI: {report.longrepr}"
    return report


def _empty_every_table(_self: TransactionTestCase) -> None:
    """After a test that commits: TRUNCATE, which the append-only tables refuse to anybody but a replica."""
    from django.db import connection  # noqa: PLC0415 - Django is set up by then

    kept = ("django_migrations", "django_content_type", "auth_permission")
    with connection.cursor() as cursor:
        cursor.execute(
            """SELECT string_agg(quote_ident(tablename), ',') FROM pg_tables
               WHERE schemaname = 'public' AND tablename <> ALL(%s)""",
            [list(kept)],
        )
        (tables,) = cursor.fetchone()
        cursor.execute(f"SET session_replication_role = replica; TRUNCATE {tables}; SET session_replication_role = DEFAULT")


@pytest.fixture(autouse=True)
def _nothing_is_remembered() -> Iterator[None]:
    """What a process keeps in memory of the database ends with the test, as the rows do."""
    from tests.factories.memory import forget_everything, nothing_branded  # noqa: PLC0415 - Django is set up by then

    nothing_branded()
    yield

    forget_everything()


@pytest.fixture
def books_hold(db: None) -> Iterator[None]:
    """After the test, whatever it did, everything is proved."""
    from tests.factories.proofs import assert_everything_is_proved  # noqa: PLC0415 - Django is set up by then

    yield
    assert_everything_is_proved()


@pytest.fixture
def redis_server() -> Iterator[Redis]:
    """This session's Redis database, empty before and after the test."""
    from wallets.redis_client import redis_client, try_redis_again  # noqa: PLC0415 - Django is set up by then

    client = redis_client()
    try_redis_again()
    client.flushdb()
    yield client
    client.flushdb()
