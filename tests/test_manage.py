"""manage.py: which servers a command works on."""

import re

import pytest

from billing_site.embedded.data_dir import DataDir
from tests.processes import eventually, manage, processes_of

GONE_SECONDS = 20


def test_a_command_that_needs_no_servers_starts_none(tmp_path):
    done = manage("check", DATA_DIR=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert not DataDir(tmp_path).postgres.exists()


def test_help_starts_none(tmp_path):
    assert manage("migrate", "--help", DATA_DIR=str(tmp_path)).returncode == 0
    assert not DataDir(tmp_path).postgres.exists()


@pytest.mark.slow
def test_a_command_has_servers_for_its_own_duration(tmp_path):
    tmp_path.chmod(0o711)
    code = "from django.db import connection; connection.ensure_connection(); print('connected')"
    done = manage("shell", "--verbosity", "0", "--command", code, DATA_DIR=str(tmp_path))
    assert "connected" in done.stdout, done.stderr
    assert eventually(lambda: not processes_of(tmp_path), within_seconds=GONE_SECONDS)


def test_given_servers_are_used_and_must_come_with_a_secret(tmp_path):
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = manage("check", DATA_DIR=str(tmp_path), **given)
    assert "billing.E002" in done.stderr
    assert manage("check", DATA_DIR=str(tmp_path), SECRET_KEY="long enough", **given).returncode == 0


def test_a_secret_may_be_in_a_file(tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("from a file")
    given = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none", "REDIS_URL": "redis://127.0.0.1:1/0"}
    done = manage("diffsettings", DATA_DIR=str(tmp_path), SECRET_KEY_FILE=str(secret), **given)
    assert re.search(r"^SECRET_KEY = 'from a file'$", done.stdout, re.MULTILINE)
