"""The processes of a site are kept running together, and none outlives it."""

import os
import signal
import sys
import threading
from pathlib import Path

import pytest

from billing_site.embedded import processes
from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.processes import Part, Site, SiteEnded
from tests.processes import PROJECT, background, eventually, processes_of

SECONDS = 15

# Write the process's number into a file named in its arguments, then do what the test needs.
NOTE = "import os, pathlib, signal, sys; pathlib.Path(sys.argv[1]).open('a').write(f'{os.getpid()}\\n');"
WAITS = NOTE + "signal.pause()"
ENDS = NOTE + "sys.exit(3)"
IGNORES = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN);" + NOTE + "signal.pause(); signal.pause()"
HAS_CHILD = NOTE + "os.fork(); signal.pause()"


def part(code: str, note: Path) -> Part:
    return Part("part", [sys.executable, "-c", code, note])


def numbers(note: Path) -> list[int]:
    return [int(line) for line in note.read_text().split()] if note.exists() else []


@pytest.fixture
def data_dir(tmp_path) -> DataDir:
    return DataDir.at(tmp_path / "data")


@pytest.fixture
def said() -> list[str]:
    return []


@pytest.fixture
def site(data_dir, said):
    with Site(data_dir, folder=PROJECT, say=said.append) as site:
        yield site
    assert not processes_of(data_dir.path)


def test_it_ends_when_asked_by_a_signal(data_dir, said, tmp_path):
    note = data_dir.path / "note"
    with Site(data_dir, folder=PROJECT, say=said.append) as site:
        site.start([part(WAITS, note), part(WAITS, note)])
        assert site.wait(until=lambda: len(numbers(note)) == 2)
        threading.Timer(0.1, os.kill, [os.getpid(), signal.SIGTERM]).start()
        assert not site.wait()
    assert not processes_of(data_dir.path)
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_process_that_ends_is_started_again_and_reported(site, data_dir, said):
    note = data_dir.path / "note"
    site.start([part(WAITS, note)])
    assert site.wait(until=lambda: len(numbers(note)) == 1)
    os.kill(numbers(note)[0], signal.SIGKILL)
    assert site.wait(until=lambda: len(numbers(note)) == 2)
    assert "part ended (-9) and is started again" in said[0]


def test_one_that_ends_right_after_each_start_ends_the_site_with_its_last_words(site, data_dir):
    site.start([part(ENDS.replace("sys.exit(3)", "sys.exit('no such thing')"), data_dir.path / "note")])
    with pytest.raises(SiteEnded, match=r"(?s)part ended 3 times right after its start.*no such thing"):
        site.wait()


def test_one_that_ignores_sigterm_is_killed_after_the_grace(data_dir, said, monkeypatch):
    monkeypatch.setattr(processes, "GRACE_SECONDS", 0.2)
    note = data_dir.path / "note"
    with Site(data_dir, folder=PROJECT, say=said.append) as site:
        site.start([part(IGNORES, note)])
        site.wait(until=lambda: bool(numbers(note)))
    assert not processes_of(data_dir.path)


def test_what_a_process_started_itself_ends_with_it(data_dir, said):
    note = data_dir.path / "note"
    with Site(data_dir, folder=PROJECT, say=said.append) as site:
        site.start([part(HAS_CHILD, note)])
        site.wait(until=lambda: len(processes_of(data_dir.path)) == 2)
    assert not processes_of(data_dir.path)


def test_processes_end_with_a_site_that_is_killed(data_dir):
    note = data_dir.path / "note"
    code = f"""
from pathlib import Path
from billing_site.embedded.data_dir import DataDir
from billing_site.embedded.processes import Part, Site
with Site(DataDir(Path({str(data_dir.path)!r})), folder=Path({str(PROJECT)!r}), say=print) as site:
    site.start([Part("part", {[sys.executable, "-c", WAITS, str(note)]!r})])
    site.wait()
"""
    with background(sys.executable, "-c", code, output=data_dir.log("site")) as killed:
        assert eventually(lambda: bool(numbers(note)), within_seconds=SECONDS)
        killed.kill()
        assert eventually(lambda: not processes_of(data_dir.path), within_seconds=SECONDS)
