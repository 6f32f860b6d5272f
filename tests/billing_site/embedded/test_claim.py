"""A folder and a port belong to one site."""

import os
import signal
import socket
import subprocess
import sys

import pytest

from billing_site.embedded.claim import CannotRun, claim_site, write_book
from billing_site.embedded.data_dir import DataDir, free_port, port_is_free

WAITS = "import signal; signal.pause()"


@pytest.fixture
def data_dir(tmp_path) -> DataDir:
    return DataDir.at(tmp_path)


def test_a_free_port_and_folder_are_claimed_until_given_back(data_dir):
    port = free_port()
    claim_site(data_dir, host="127.0.0.1", port=port).close()
    claim_site(data_dir, host="127.0.0.1", port=port).close()


def test_a_taken_port_is_refused_by_its_number_and_with_a_way_out(data_dir):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotRun, match=rf"Port {port} is taken by .*process {os.getpid()}.*make run PORT={port + 1}"):
            claim_site(data_dir, host="127.0.0.1", port=port)
    claim_site(data_dir, host="127.0.0.1", port=port).close()


def test_a_port_taken_on_all_addresses_is_taken_on_one():
    with socket.create_server(("0.0.0.0", 0)) as taken:
        assert not port_is_free("127.0.0.1", taken.getsockname()[1])


@pytest.mark.parametrize("port", ["", "http", "0", "-1", "65536", "8e3"])
def test_a_port_that_is_none_is_refused(data_dir, port):
    with pytest.raises(CannotRun, match="a number from 1 to 65535 is needed"):
        claim_site(data_dir, host="127.0.0.1", port=port)


@pytest.mark.parametrize("host", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_of_another_machine_is_refused(data_dir, host):
    with pytest.raises(CannotRun, match=f"Cannot listen on {host}"):
        claim_site(data_dir, host=host, port=free_port())
    claim_site(data_dir, host="127.0.0.1", port=free_port()).close()


def test_a_second_site_on_the_same_folder_is_refused(data_dir):
    with claim_site(data_dir, host="127.0.0.1", port=free_port()), pytest.raises(CannotRun, match="already runs on"):
        claim_site(data_dir, host="127.0.0.1", port=free_port())


def test_what_a_killed_run_left_running_is_ended(data_dir):
    with subprocess.Popen([sys.executable, "-c", WAITS], start_new_session=True) as left:
        write_book(data_dir, [left.pid])
        claim_site(data_dir, host="127.0.0.1", port=free_port()).close()
        assert left.wait() == -signal.SIGTERM


def test_a_process_that_merely_got_the_number_is_left_alone(data_dir):
    with subprocess.Popen([sys.executable, "-c", WAITS], start_new_session=True) as other:
        write_book(data_dir, [other.pid])
        book = data_dir.read_json("run.json")
        data_dir.write_json("run.json", {pid: started - 60 for pid, started in book.items()})
        claim_site(data_dir, host="127.0.0.1", port=free_port()).close()
        assert other.poll() is None
        other.kill()


def test_an_unreadable_book_is_no_obstacle(data_dir):
    (data_dir.path / "run.json").write_text("{")
    claim_site(data_dir, host="127.0.0.1", port=free_port()).close()
