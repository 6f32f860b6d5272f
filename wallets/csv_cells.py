"""Texts as cells of a CSV file. Pure."""

from __future__ import annotations

from typing import Final

# A spreadsheet takes a text that starts like this for a formula (OWASP, CSV Injection).
FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r")


def text_cell(text: str) -> str:
    """`text`, with an apostrophe before what a spreadsheet would compute."""
    return f"'{text}" if text.startswith(FORMULAS) else text
