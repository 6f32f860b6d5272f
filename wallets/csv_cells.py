"""Cells and lines of a CSV file. Pure."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from typing import Any, Final

# A spreadsheet takes a text that starts like this for a formula (OWASP, CSV Injection).
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def text_cell(text: str) -> str:
    """`text`, with an apostrophe before what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(FORMULAS) else text


def csv_lines(rows: Iterable[Iterable[Any]]) -> Iterator[str]:
    """The rows as lines of a CSV, each written when it is asked for: a million need no more memory than one."""
    writer = csv.writer(_Echo())
    for row in rows:
        yield writer.writerow(row)


class _Echo:
    """A file that hands back what is written to it."""

    def write(self, line: str) -> str:
        return line
