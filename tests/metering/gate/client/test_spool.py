"""What was appended is on the disk until it was sent, whoever dies."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from metering.gate.client.spool import Spool, Unsent
from tests.processes import PROJECT

WRITER = """
import sys
from metering.gate.client.spool import Spool
spool = Spool(sys.argv[1])
for number in range(int(sys.argv[2])):
    spool.append(b'{"id": "%d"}' % number)
print("written", flush=True)
sys.stdin.read()
"""


def line(number: int) -> bytes:
    return json.dumps({"id": str(number)}).encode()


def drain(spool: Spool, *, lines: int = 100, size: int = 10_000) -> list[bytes]:
    """Send everything."""
    found: list[bytes] = []
    while (part := spool.unsent(lines=lines, size=size)) is not None:
        found += part.lines
        spool.sent(part)
    return found


@contextmanager
def writer(folder: Path, count: int) -> Iterator[subprocess.Popen[str]]:
    """Another process of the service that has appended `count` events and lives on."""
    process = subprocess.Popen(
        [sys.executable, "-c", WRITER, str(folder), str(count)],
        cwd=PROJECT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        assert process.stdout is not None
        assert process.stdout.readline() == "written\n"
        yield process
    finally:
        process.kill()
        process.communicate()


@pytest.fixture
def spool(tmp_path: Path) -> Iterator[Spool]:
    made = Spool(tmp_path / "spool", file_bytes=200)
    yield made
    made.close()


def test_what_was_appended_is_sent_in_order_once(spool: Spool) -> None:
    assert drain(spool) == []
    for number in range(100):
        spool.append(line(number))
    assert drain(spool, lines=7) == [line(number) for number in range(100)]
    assert drain(spool) == []
    spool.append(line(100))
    assert drain(spool) == [line(100)]


def test_an_event_larger_than_a_part_is_sent_whole(spool: Spool) -> None:
    large = json.dumps({"id": "x" * 5_000}).encode()
    spool.append(line(1))
    spool.append(large)
    assert drain(spool, size=100) == [line(1), large]


def test_what_was_not_said_to_be_sent_is_there_again(spool: Spool) -> None:
    for number in range(10):
        spool.append(line(number))
    first = spool.unsent(lines=4, size=10_000)
    assert isinstance(first, Unsent)
    assert spool.unsent(lines=4, size=10_000) == first
    spool.sent(first)
    spool.close()
    again = Spool(spool.folder)
    assert first.lines + drain(again) == [line(number) for number in range(10)]


def test_files_that_were_sent_are_removed(spool: Spool) -> None:
    for number in range(200):
        spool.append(line(number))
    assert len(list(spool.folder.glob("*.usage"))) > 5
    drain(spool)
    assert len(list(spool.folder.glob("*.usage"))) == 1, "the one it writes"
    spool.close()
    assert list(spool.folder.iterdir()) == []


def test_a_live_process_s_file_is_its_own_and_a_dead_one_s_is_taken_over(spool: Spool) -> None:
    with writer(spool.folder, 50) as other:
        assert drain(spool) == []
        other.send_signal(signal.SIGKILL)
        other.wait()
        assert drain(spool) == [line(number) for number in range(50)]
    assert spool.torn == 0


def test_a_line_cut_off_by_a_crash_is_left_out_and_counted(spool: Spool, caplog: Any) -> None:
    with writer(spool.folder, 3) as other:
        other.send_signal(signal.SIGKILL)
        other.wait()
    (file,) = spool.folder.glob("*.usage")
    with file.open("ab") as torn:
        torn.write(b'{"id": "half a')
    assert drain(spool) == [line(0), line(1), line(2)]
    assert spool.torn == 1
    assert "half a" in caplog.text
    assert not file.exists()


def test_a_lost_or_torn_mark_means_sending_again_never_skipping(spool: Spool) -> None:
    for number in range(3):
        spool.append(line(number))
    part = spool.unsent(lines=2, size=10_000)
    assert part is not None
    spool.sent(part)
    spool.close()
    (mark,) = spool.folder.glob("*.sent")
    mark.write_text("0000")
    assert len(drain(Spool(spool.folder))) == 3


def test_a_forked_process_writes_a_file_of_its_own(spool: Spool) -> None:
    spool.append(line(1))
    child = os.fork()
    if child == 0:
        spool.append(line(2))
        os._exit(0)
    assert os.waitpid(child, 0)[1] == 0
    spool.append(line(3))
    assert sorted(drain(spool)) == [line(1), line(2), line(3)]


def test_it_says_when_it_is_full_and_writes_all_the_same(tmp_path: Path) -> None:
    spool = Spool(tmp_path, max_bytes=100, file_bytes=50)
    while not spool.is_full:
        spool.append(line(1))
    spool.append(line(2))
    assert 100 <= spool.waiting_bytes < 150
    assert drain(spool)[-1] == line(2)
    spool._look()
    assert not spool.is_full


@pytest.mark.parametrize("fsync", ["always", "second", "never"])
def test_each_way_of_writing_to_the_disk_keeps_what_was_appended(tmp_path: Path, fsync: Any) -> None:
    spool = Spool(tmp_path, fsync=fsync)
    for number in range(3):
        spool.append(line(number))
        spool.sync()
    spool.close()
    assert len(drain(Spool(tmp_path))) == 3
