"""`manage.py run` as a user: start it, use it, stop it, kill it, start it again."""

import json
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from billing_site.embedded.data_dir import free_port
from tests.processes import PROJECT, background, eventually, manage, processes_of

UP_SECONDS = 90
GONE_SECONDS = 30


class Site:
    """A running `manage.py run`."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, output: Path) -> None:
        self.process = process
        self.port = port
        self.output = output

    def said(self) -> str:
        return self.output.read_text()

    def wait_until_up(self) -> None:
        """Until it shows its screen; fails at once if it ends."""

        def up() -> bool:
            assert self.process.poll() is None, self.said()
            return "Ctrl-C stops everything" in self.said()

        assert eventually(up, within_seconds=UP_SECONDS), self.said()

    def health(self) -> tuple[int, dict[str, str]]:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/healthz", timeout=10) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            return error.code, json.load(error)

    def post(self, path: str, *, key: str) -> int:
        """The status of the answer to an empty list."""
        headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data=b"[]", headers=headers)
        try:
            with urllib.request.urlopen(request, timeout=10) as answer:
                return int(answer.status)
        except urllib.error.HTTPError as error:
            return error.code

    def end(self, by: signal.Signals) -> int:
        self.process.send_signal(by)
        return self.process.wait(GONE_SECONDS)


@contextmanager
def running(folder: Path, **changes: str) -> Iterator[Site]:
    port = free_port()
    output = folder.parent / f"output-{port}"
    command = [sys.executable, PROJECT / "manage.py", "run"]
    with background(*command, output=output, PORT=str(port), DATA_DIR=str(folder), DEMO="off", **changes) as process:
        yield Site(process, port, output)


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The DATA_DIR of all tests here, so that its database is made once."""
    path = tmp_path_factory.mktemp("run") / "data"
    path.mkdir(mode=0o711)
    return path


@pytest.fixture(scope="module")
def site(folder) -> Iterator[Site]:
    """One that runs for several tests. Ctrl-C ends it, and nothing is left."""
    with running(folder) as site:
        site.wait_until_up()
        yield site
        assert site.end(signal.SIGINT) == 0
        assert eventually(lambda: not processes_of(folder), within_seconds=1), processes_of(folder)


def test_it_serves_and_shows_where(site):
    assert site.health() == (200, {"status": "ok", "postgresql": "ok", "redis": "ok", "worker": "ok"})
    assert f"http://localhost:{site.port}/admin/" in site.said()


def test_another_on_its_port_is_refused_before_anything_starts(site, tmp_path):
    done = manage("run", PORT=str(site.port), DATA_DIR=str(tmp_path))
    assert done.returncode == 1
    assert re.match(rf"Port {site.port} is taken by .*\. Choose another: make run PORT={site.port + 1}\n$", done.stderr)
    assert not (tmp_path / "postgres").exists()


def test_another_on_its_folder_is_refused(site, folder):
    done = manage("run", PORT=str(free_port()), DATA_DIR=str(folder))
    assert done.returncode == 1
    assert done.stderr.startswith("A site already runs on")


def test_commands_join_it(site, folder):
    made = manage("create_api_key", "joined", "--scopes", "events:write", "--json", DATA_DIR=str(folder))
    assert made.returncode == 0, made.stderr
    assert site.post("/api/v1/events", key="wrong") == 401
    assert site.post("/api/v1/events", key=json.loads(made.stdout)["key"]) not in {401, 403, 500}


def test_health_names_what_is_down(site, folder):
    (valkey,) = (one for one in processes_of(folder) if one.name() == "valkey-server")
    valkey.suspend()
    try:
        status, told = site.health()
    finally:
        valkey.resume()
    assert (status, told["postgresql"], told["redis"]) == (503, "ok", "down")
    assert eventually(lambda: site.health()[0] == 200, within_seconds=UP_SECONDS)


@pytest.fixture
def folder_of_its_own(tmp_path) -> Iterator[Path]:
    path = tmp_path / "data"
    path.mkdir(mode=0o711)
    yield path
    assert eventually(lambda: not processes_of(path), within_seconds=GONE_SECONDS), processes_of(path)


def test_a_killed_one_is_recovered_with_its_data_and_says_when_its_servers_end(folder_of_its_own):
    folder = folder_of_its_own
    with running(folder) as killed:
        killed.wait_until_up()
        made = manage("create_api_key", "kept", "--scopes", "events:write", "--json", DATA_DIR=str(folder))
        killed.process.kill()
    with running(folder) as recovered:
        recovered.wait_until_up()
        assert recovered.post("/api/v1/events", key=json.loads(made.stdout)["key"]) not in {401, 403, 500}
        (keeper,) = (one for one in processes_of(folder) if "billing_site.embedded.keeper" in one.cmdline())
        keeper.kill()
        assert recovered.process.wait(GONE_SECONDS) == 1
        assert "the embedded servers have ended" in recovered.said()


def test_asked_to_end_while_it_starts_it_ends(folder_of_its_own):
    with running(folder_of_its_own) as starting:
        assert eventually(lambda: "Starting" in starting.said(), within_seconds=UP_SECONDS)
        assert starting.end(signal.SIGTERM) == 0
