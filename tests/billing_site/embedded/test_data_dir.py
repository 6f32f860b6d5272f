"""What is kept in DATA_DIR."""

import multiprocessing
import socket

from billing_site.embedded.data_dir import DataDir, free_port


def _secret(path: str) -> str:
    return DataDir.at(path).secret("django")


def test_a_secret_is_made_once_and_readable_by_its_owner_only(tmp_path):
    data_dir = DataDir.at(tmp_path / "data")
    made = data_dir.secret("django")
    assert made == DataDir.at(tmp_path / "data").secret("django")
    assert made != data_dir.secret("postgres")
    assert (data_dir.path / "secrets.json").stat().st_mode & 0o777 == 0o600


def test_processes_that_ask_for_a_secret_at_once_get_the_same(tmp_path):
    with multiprocessing.get_context("spawn").Pool(4) as pool:
        assert len(set(pool.map(_secret, [str(tmp_path)] * 16))) == 1


def test_a_port_is_kept_while_it_is_free(tmp_path):
    data_dir = DataDir.at(tmp_path)
    assert data_dir.port("postgres") == data_dir.port("postgres")


def test_a_port_somebody_took_is_replaced(tmp_path):

    data_dir = DataDir.at(tmp_path)
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        data_dir.write_json("ports.json", {"postgres": port})
        assert data_dir.port("postgres") != port


def test_a_broken_file_counts_as_empty(tmp_path):
    (tmp_path / "ports.json").write_text("[")
    assert DataDir.at(tmp_path).read_json("ports.json") == {}
    assert DataDir.at(tmp_path).read_json("missing.json") == {}
