"""Any file, line by line: what can be read is, what cannot is named by its line."""

from __future__ import annotations

import gzip
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from metering.ingest import replay_rows
from metering.ingest.replay_rows import BadRow, Record, UnreadableFile, find_shape, open_records, read_records


def records(path: Path, **options: Any) -> list[Record | BadRow]:
    """All records of a file."""
    shape = find_shape(path, **options)
    with open_records(path) as stream:
        return list(read_records(stream, shape))


def values(path: Path, **options: Any) -> list[Any]:
    """The fields of every record; of a bad one, its line and what is wrong."""
    found = records(path, **options)
    return [(one.line, one.detail) if isinstance(one, BadRow) else one.values for one in found]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a test writes its file."""
    return tmp_path / "usage.csv"


def test_a_csv_file_is_read_with_its_line_numbers(file: Path) -> None:
    file.write_bytes(b"a,b\n1,2\n\n3,4")
    assert [(one.line, one.row, one.values) for one in records(file) if isinstance(one, Record)] == [
        (2, 1, ["1", "2"]),
        (4, 2, ["3", "4"]),
    ]


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_line_ends_of_both_kinds_and_a_byte_order_mark_are_understood(file: Path, end: bytes) -> None:
    file.write_bytes(b"\xef\xbb\xbf" + end.join([b"a;b", b"1;2", b"3;4", b""]))
    assert find_shape(file).columns == ("a", "b")
    assert values(file) == [["1", "2"], ["3", "4"]]


@pytest.mark.parametrize(("delimiter", "text"), [(",", "a,b"), (";", "a;b"), ("\t", "a\tb"), ("|", "a|b")])
def test_the_delimiter_is_told_from_the_header(file: Path, delimiter: str, text: str) -> None:
    file.write_text(f"{text}\n1{delimiter}2\n")
    assert values(file) == [["1", "2"]]


def test_a_file_without_a_header_is_read_by_the_names_given(file: Path) -> None:
    file.write_text("1,2\n3,4\n")
    shape = find_shape(file, columns=["x", "y"])
    assert shape.columns == ("x", "y")
    assert values(file, columns=["x", "y"]) == [["1", "2"], ["3", "4"]]


def test_quotes_may_hold_delimiters_quotes_and_line_ends(file: Path) -> None:
    file.write_text('a,b\n"x, y","say ""hi"""\n"two\nlines",2\n5" disk,3\n')
    assert values(file) == [["x, y", 'say "hi"'], ["two\nlines", "2"], ['5" disk', "3"]]
    assert [one.line for one in records(file)] == [2, 3, 5]


def test_bad_rows_are_named_by_line_and_the_rest_is_read(file: Path) -> None:
    file.write_bytes(b'a,b\n1,2\n3\n4,5,6\n7,\xff\n8,\x00\n"x"y,9\n10,11\n')
    assert values(file) == [
        ["1", "2"],
        (3, "has 1 of 2 columns"),
        (4, "has 3 of 2 columns"),
        (5, "not utf-8: byte 3 of the line"),
        (6, "contains a NUL character"),
        (7, "not CSV: ',' expected after '\"'"),
        ["10", "11"],
    ]


def test_a_quote_that_is_never_closed_spoils_its_own_line_only(file: Path) -> None:
    file.write_text('a,b\n"open,1\n' + "".join(f"{n},{n}\n" for n in range(300)))
    found = values(file)
    assert found[0] == (2, "not CSV: unexpected end of data")
    assert found[1:] == [[str(n), str(n)] for n in range(300)]


def test_other_encodings_are_read_when_named(file: Path) -> None:
    file.write_bytes("a,b\nMünchen,1\n".encode("latin-1"))
    assert values(file) == [(2, "not utf-8: byte 2 of the line")]
    assert values(file, encoding="latin-1") == [["München", "1"]]


def test_jsonl_is_told_by_its_first_line_and_numbers_stay_exact(file: Path) -> None:
    file.write_text('{"a": 0.1, "b": {"c": 12345678901234567890123}}\n\nnonsense\n[1]\n{"a": NaN}\n{"a": 1}\n')
    found = records(file)
    assert isinstance(found[0], Record)
    assert isinstance(found[0].values, dict)
    assert str(found[0].values["a"]) == "0.1"
    assert str(found[0].values["b"]["c"]) == "12345678901234567890123"
    assert [one.line for one in found if isinstance(one, BadRow)] == [3, 4, 5]
    assert isinstance(found[-1], Record)
    assert found[-1].values == {"a": 1}


def test_a_gzipped_file_is_told_by_its_content(file: Path) -> None:
    file.write_bytes(gzip.compress(b"a,b\n1,2\n3,4\n"))
    assert values(file) == [["1", "2"], ["3", "4"]]


def test_reading_goes_on_from_any_place_plain_or_gzipped(tmp_path: Path) -> None:
    text = "".join(["a,b\n", *(f"{n},x\n" for n in range(50))]).encode()
    for path, content in ((tmp_path / "plain.csv", text), (tmp_path / "zipped.csv.gz", gzip.compress(text))):
        path.write_bytes(content)
        whole = records(path)
        with open_records(path) as stream:
            assert list(read_records(stream, find_shape(path), whole[29].end)) == whole[30:]


def test_a_gzipped_file_that_was_cut_off_is_read_as_far_as_it_goes(file: Path) -> None:
    text = "".join(["a,b\n", *(f"{n},{n * 7919 % 1000}\n" for n in range(50_000))]).encode()
    file.write_bytes(gzip.compress(text)[:-2000])
    shape = find_shape(file)
    seen = 0
    with open_records(file) as stream, pytest.raises(UnreadableFile, match="cannot be read on"):  # noqa: PT012 - the loop raises
        for _ in read_records(stream, shape):
            seen += 1
    assert seen > 10_000


def test_a_line_without_end_is_passed_over_without_being_held(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(replay_rows, "MAX_LINE_BYTES", 1000)
    file.write_bytes(b"a,b\n1,2\n" + b"x" * 1_000_000 + b"\n3,4\n")
    tracemalloc.start()
    found = values(file)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [["1", "2"], (3, "the line is longer than 1000 bytes"), ["3", "4"]]
    assert peak < 500_000


def test_memory_stays_flat_over_a_long_file(file: Path) -> None:
    with file.open("w") as out:
        out.write("a,b\n")
        out.writelines(f"{n},some text that is not short at all {n}\n" for n in range(100_000))
    shape = find_shape(file)
    tracemalloc.start()
    with open_records(file) as stream:
        assert sum(1 for _ in read_records(stream, shape)) == 100_000
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 1_000_000


@pytest.mark.parametrize(
    ("content", "options", "says"),
    [
        (b"", {}, "no header line"),
        (b"\n1,2\n", {}, "no header line"),
        (b"a,a\n1,2\n", {}, 'two columns called "a"'),
        (b"\xff\xfea\x00,\x00", {}, "UTF-16"),
        (b"a,b\n", {"encoding": "klingon"}, "no encoding called klingon"),
        (b"a,b\n", {"encoding": "utf-16"}, "cannot be read line by line"),
    ],
)
def test_a_file_that_cannot_be_read_at_all_is_refused_with_the_reason(
    file: Path, content: bytes, options: dict[str, Any], says: str
) -> None:
    file.write_bytes(content)
    with pytest.raises(UnreadableFile, match=says):
        find_shape(file, **options)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "nowhere.csv", tmp_path):
        with pytest.raises(UnreadableFile, match="cannot be opened"):
            find_shape(path)
