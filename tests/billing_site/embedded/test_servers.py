"""Embedded servers belong to whoever uses them: started for the first, joined by the rest, gone with the last."""

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import psycopg
import pytest
import redis

from billing_site.embedded.child import servers_working_in
from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.servers import NoServersError, join_servers
from tests.processes import PROJECT, environment, eventually, processes_of

GONE_SECONDS = 20

USER = """
import sys
from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.servers import join_servers
servers = join_servers(DataDir.at(sys.argv[1]), durable=False)
print(servers.database_url, servers.redis_url, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """One folder for all tests here, so that the cluster is made once. Its path is longer than a socket address may be."""
    path = tmp_path_factory.mktemp("servers") / ("long-" * 20)
    path.mkdir()
    return path


@pytest.fixture(autouse=True)
def nothing_is_left(folder) -> Iterator[None]:
    yield
    assert eventually(lambda: not processes_of(folder), within_seconds=GONE_SECONDS), processes_of(folder)


class User:
    """A process that uses the servers until it is told to leave."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self.process = process

    def addresses(self) -> list[str]:
        assert self.process.stdout is not None
        return self.process.stdout.readline().split()

    def leave(self) -> None:
        self.process.communicate()
        assert self.process.returncode == 0


@contextmanager
def user(folder: Path) -> Iterator[User]:
    command = [sys.executable, "-c", USER, str(folder)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=PROJECT, env=environment(), stdin=pipe, stdout=pipe, text=True) as process:
        try:
            yield User(process)
        finally:
            process.kill()


def count(database_url: str) -> int:
    with psycopg.connect(database_url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS visit (id int)")
        connection.execute("INSERT INTO visit VALUES (1)")
        row = connection.execute("SELECT count(*) FROM visit").fetchone()
    assert row is not None
    return int(row[0])


def test_servers_run_for_the_duration_of_their_only_user_and_keep_their_data(folder):
    with user(folder) as first:
        before = count(first.addresses()[0])
        first.leave()
        assert not servers_working_in(folder / "postgres", name="postgres")
        assert not servers_working_in(folder / "valkey", name="valkey-server")
    with user(folder) as second:
        assert count(second.addresses()[0]) == before + 1


def test_a_second_user_joins_and_keeps_them_when_the_first_leaves(folder):
    with user(folder) as first, user(folder) as second:
        assert first.addresses() == (addresses := second.addresses())
        first.leave()
        assert count(addresses[0])
        assert redis.Redis.from_url(addresses[1]).ping()


def test_users_that_come_at_the_same_moment_share_one_pair_of_servers(folder):
    with user(folder) as one, user(folder) as two, user(folder) as three, user(folder) as four:
        assert len({tuple(each.addresses()) for each in (one, two, three, four)}) == 1


def test_a_user_that_comes_while_the_last_one_leaves_gets_servers(folder):
    with user(folder) as first:
        first.addresses()
        assert first.process.stdin is not None
        first.process.stdin.close()
        with user(folder) as second:
            assert count(second.addresses()[0])


def test_a_killed_user_leaves_nothing_running(folder):
    with user(folder) as only:
        only.addresses()
        only.process.kill()
        assert eventually(lambda: not processes_of(folder), within_seconds=GONE_SECONDS)


def test_servers_end_with_a_killed_keeper_and_the_next_user_finds_the_data(folder):
    with user(folder) as first:
        before = count(first.addresses()[0])
        (keeper,) = (one for one in processes_of(folder) if "billing_site.embedded.keeper" in one.cmdline())
        keeper.kill()
        with user(folder) as second:
            assert count(second.addresses()[0]) == before + 1


def test_servers_left_behind_by_a_crash_are_ended_before_new_ones_start(folder):
    with user(folder) as first:
        first.addresses()
        servers = servers_working_in(folder / "postgres", name="postgres")
        (leader,) = (one for one in servers if one.ppid() not in {other.pid for other in servers})
        (keeper,) = (one for one in processes_of(folder) if "billing_site.embedded.keeper" in one.cmdline())
        leader.suspend()  # does not see the signal of the kernel that its keeper has died
        keeper.kill()
        first.process.kill()
        resumed = False
        with user(folder) as second:
            resumed = eventually(lambda: leader.status() == "stopped", within_seconds=5)
            leader.resume()
            assert count(second.addresses()[0])
            assert not leader.is_running() or leader.status() == "zombie"
    assert resumed


def test_a_pid_file_with_somebody_elses_number_is_stale(folder):
    """As after a restart of the machine: the number belongs to another process now, which stays unharmed."""
    with user(folder) as first:
        first.addresses()
        first.leave()
    pid_file = folder / "postgres" / "postmaster.pid"
    pid_file.write_text(f"{os.getpid()}\n{folder / 'postgres'}\n1\n5432\n\n127.0.0.1\n\nready\n")
    with user(folder) as second:
        assert count(second.addresses()[0])
        assert str(os.getpid()) not in pid_file.read_text().split()


def test_servers_let_nobody_in_without_the_password(folder):
    with user(folder) as only:
        database_url, redis_url = only.addresses()
        password = DataDir(folder).read_json("secrets.json")["postgres"]
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(database_url.replace(password, "guess"))
        with socket.create_connection(("127.0.0.1", urlsplit(redis_url).port)) as connection:
            connection.sendall(b"PING\r\n")
            assert connection.recv(64).startswith(b"-NOAUTH")
    assert not (folder / "secrets.json").stat().st_mode & 0o077


def test_servers_that_cannot_start_say_why(tmp_path):
    tmp_path.chmod(0o711)
    data_dir = DataDir.at(tmp_path)
    data_dir.postgres.mkdir()
    (data_dir.postgres / "PG_VERSION").write_text("9.6\n")
    with pytest.raises(NoServersError, match="PostgreSQL did not start"):
        join_servers(data_dir, durable=False)
    assert eventually(lambda: not processes_of(tmp_path), within_seconds=GONE_SECONDS)


def test_a_signal_of_the_terminal_does_not_reach_the_servers(folder):
    """Ctrl-C goes to the terminal's process group; the command that runs there decides what to do about it."""
    with user(folder) as only:
        only.addresses()
        others = [one.pid for one in processes_of(folder) if one.pid != only.process.pid]
        assert others
        assert os.getpgid(only.process.pid) not in {os.getpgid(pid) for pid in others}
