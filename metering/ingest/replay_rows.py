"""A CSV or JSONL file of any size, plain or gzipped, as records with their line numbers. One line in memory at a time.

A line that cannot be read (not the right encoding, a NUL, too few columns, a quote that is never closed, not JSON) comes
out as a `BadRow` and the reading goes on with the next line. Every record says where the next one starts, so that a
reader can go on from there later.
"""

from __future__ import annotations

import csv
import gzip
import json
import zlib
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple

import msgspec

Format = Literal["csv", "jsonl"]
Stream = IO[bytes] | gzip.GzipFile
FORMATS: Final[tuple[Format, ...]] = ("csv", "jsonl")
DELIMITERS: Final = ",;\t|"
MAX_LINE_BYTES: Final = 1_048_576  # a longer line is no record; it is passed over without being held in memory
MAX_QUOTED_LINES: Final = 100  # lines one quoted CSV field may span before its quote counts as never closed
SAMPLE_BYTES: Final = 65_536
GZIP: Final = b"\x1f\x8b"


class Place(NamedTuple):
    """Between two lines: bytes before it (uncompressed), lines before it, records before it."""

    offset: int
    line: int
    row: int


START: Final = Place(0, 0, 0)


class Record(NamedTuple):
    """One record. `line`: where it starts (from 1); `row`: its number among all records (from 1); `end`: the place just
    after it; values: the fields of a CSV line in column order, or the members of a JSON object."""

    line: int
    row: int
    end: Place
    values: Sequence[str] | Mapping[str, Any]


class BadRow(NamedTuple):
    """A record that could not be read, and why."""

    line: int
    row: int
    end: Place
    detail: str


class UnreadableFile(ValueError):
    """The file as a whole cannot be read as records; the message says why."""


@dataclass(frozen=True, slots=True)
class Shape:
    """How a file is to be read. columns: names of a CSV file's columns; empty for JSONL. data: where its records start."""

    format: Format
    columns: tuple[str, ...] = ()
    delimiter: str = ","
    encoding: str = "utf-8"
    data: Place = START


@contextmanager
def open_records(path: Path) -> Iterator[Stream]:
    """The file's bytes, decompressed when it is gzipped (told by its content, not its name). Raises UnreadableFile."""
    try:
        raw = path.open("rb")
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be opened: {error.strerror}") from error
    with raw:
        zipped = raw.read(2) == GZIP
        raw.seek(0)
        if not zipped:
            yield raw
            return
        with gzip.GzipFile(fileobj=raw, mode="rb") as inner:
            yield inner


def _line_of(stream: Stream) -> bytes:
    """The next line, or the first MAX_LINE_BYTES of what is left of it. Raises UnreadableFile."""
    try:
        return stream.readline(MAX_LINE_BYTES)
    except (OSError, EOFError, zlib.error) as error:
        raise UnreadableFile(f"The file cannot be read on: {error}") from error


def find_shape(
    path: Path,
    *,
    format: Format | None = None,  # noqa: A002 - the option's name
    delimiter: str | None = None,
    encoding: str = "utf-8",
    columns: Sequence[str] = (),
) -> Shape:
    """How to read the file, from its name and first line where not told.

    columns: names for a CSV file without a header line. Raises UnreadableFile.
    """
    _check_encoding(encoding)
    with open_records(path) as stream:
        first = _line_of(stream)
    if first[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        raise UnreadableFile(f"{path.name} is UTF-16; convert it to UTF-8 first.")
    if format is None:
        format = "jsonl" if first.lstrip(b"\xef\xbb\xbf \t")[:1] == b"{" else "csv"  # noqa: A001
    if format == "jsonl":
        return Shape("jsonl", encoding=encoding)
    text = first.decode(encoding, "replace").removeprefix("\ufeff").rstrip("\r\n")
    if delimiter is None:
        delimiter = max(DELIMITERS, key=text.count)
    if columns:
        return Shape("csv", _checked_columns(path, columns), delimiter, encoding)
    if not text.strip():
        raise UnreadableFile(f"{path.name} has no header line: its first line is empty.")
    header = [name.strip() for name in next(csv.reader([text], delimiter=delimiter))]
    return Shape("csv", _checked_columns(path, header), delimiter, encoding, Place(len(first), 1, 0))


def read_records(stream: Stream, shape: Shape, start: Place | None = None) -> Iterator[Record | BadRow]:
    """The records from `start` (default: all of them) to the end of the file; blank lines are passed over."""
    place = start if start is not None and start.offset >= shape.data.offset else shape.data
    stream.seek(place.offset)
    lines = _Lines(stream, shape.encoding, place)
    return _json_records(lines, place.row) if shape.format == "jsonl" else _csv_records(lines, place.row, shape)


class _Line(NamedTuple):
    text: str
    problem: str  # why it cannot be read; empty when it can
    number: int
    end: int


class _Lines:
    """The lines of a stream, decoded; lines can be put back."""

    def __init__(self, stream: Stream, encoding: str, place: Place) -> None:
        self._stream = stream
        self._encoding = encoding
        self._offset = place.offset
        self._number = place.line
        self._back: deque[_Line] = deque()

    def next(self) -> _Line | None:
        """The next line without its end; None after the last."""
        if self._back:
            return self._back.popleft()
        raw = piece = _line_of(self._stream)
        if not raw:
            return None
        first = self._offset == 0
        self._number += 1
        self._offset += len(raw)
        while len(piece) >= MAX_LINE_BYTES and not piece.endswith(b"\n"):
            piece = _line_of(self._stream)
            self._offset += len(piece)
        if piece is not raw:
            return _Line("", f"the line is longer than {MAX_LINE_BYTES} bytes", self._number, self._offset)
        try:
            text = raw.decode(self._encoding)
        except UnicodeDecodeError as error:
            return _Line("", f"not {self._encoding}: byte {error.start + 1} of the line", self._number, self._offset)
        text = text.rstrip("\r\n")
        if first:
            text = text.removeprefix("\ufeff")
        return _Line(text, "contains a NUL character" if "\0" in text else "", self._number, self._offset)

    def put_back(self, lines: Sequence[_Line]) -> None:
        """Have these lines come again, in this order."""
        self._back.extendleft(reversed(lines))


def _csv_records(lines: _Lines, row: int, shape: Shape) -> Iterator[Record | BadRow]:
    width, delimiter = len(shape.columns), shape.delimiter
    while (line := lines.next()) is not None:
        if not line.text.strip() and not line.problem:
            continue
        row += 1
        last, problem = line, line.problem
        fields: list[str] = []
        if not problem and '"' in line.text:
            last, fields, problem = _quoted(lines, line, delimiter)
        elif not problem:
            fields = line.text.split(delimiter)
        if not problem and len(fields) != width:
            problem = f"has {len(fields)} of {width} columns"
        end = Place(last.end, last.number, row)
        yield BadRow(line.number, row, end, problem) if problem else Record(line.number, row, end, fields)


def _quoted(lines: _Lines, first: _Line, delimiter: str) -> tuple[_Line, list[str], str]:
    """A record with quotes: (the last line it spans, its fields, what is wrong with it).

    When a quote is never closed, the lines after the first come again as lines of their own.
    """
    spanned = [first]

    def pieces() -> Iterator[str]:
        size = 0
        line: _Line | None = first
        while line is not None and not line.problem and len(spanned) <= MAX_QUOTED_LINES and size <= MAX_LINE_BYTES:
            size += len(line.text)
            yield line.text + "\n"
            line = lines.next()
            if line is not None:
                spanned.append(line)

    try:
        fields = next(csv.reader(pieces(), delimiter=delimiter, strict=True))
    except csv.Error as error:
        lines.put_back(spanned[1:])
        return first, [], f"not CSV: {error}"
    return spanned[-1], fields, ""


def _json_records(lines: _Lines, row: int) -> Iterator[Record | BadRow]:
    decode = msgspec.json.Decoder(dict[str, Any], float_hook=Decimal).decode
    while (line := lines.next()) is not None:
        if not line.text.strip() and not line.problem:
            continue
        row += 1
        end = Place(line.end, line.number, row)
        if line.problem:
            yield BadRow(line.number, row, end, line.problem)
            continue
        try:
            yield Record(line.number, row, end, decode(line.text))
        except (msgspec.DecodeError, RecursionError, ArithmeticError, ValueError) as error:
            yield BadRow(line.number, row, end, f"not a JSON object: {str(error)[:200]}")


def _checked_columns(path: Path, columns: Sequence[str]) -> tuple[str, ...]:
    twice = {name for name in columns if list(columns).count(name) > 1}
    if twice:
        raise UnreadableFile(f"{path.name} has two columns called {json.dumps(min(twice))}; name the columns yourself.")
    return tuple(columns)


def _check_encoding(encoding: str) -> None:
    try:
        fine = "\n,\x7f".encode(encoding) == b"\n,\x7f"
    except (LookupError, UnicodeError):
        raise UnreadableFile(f"There is no encoding called {encoding}.") from None
    if not fine:
        raise UnreadableFile(f"Files in {encoding} cannot be read line by line; convert them to UTF-8 first.")


def file_size(path: Path) -> int:
    """The size of the file as it is stored, in bytes. Raises UnreadableFile."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error}") from error
