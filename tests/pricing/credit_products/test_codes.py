"""Voucher codes as people type them."""

from __future__ import annotations

import pytest

from pricing.credit_products.codes import code_hash, code_hint, new_code, read_code


@pytest.mark.parametrize("typed", ["7QXK-91MN-0ZRB-4T5W", " 7qxk 91mn 0zrb 4t5w ", "7QXK9IMNOZRB4T5W", "7qxk-9lmn-ozrb–4t5w"])
def test_a_code_is_read_as_it_was_meant(typed: str) -> None:
    assert read_code(typed) == "7QXK91MN0ZRB4T5W"


@pytest.mark.parametrize("typed", ["", "abc", "x" * 41, "x" * 200, "7QXK-91MN-0ZRB-4T5!", "7QXK\n91MN٣٤٥", "--------"])
def test_what_cannot_be_a_code_is_none(typed: str) -> None:
    assert read_code(typed) == ""


def test_new_codes_differ_and_are_read_as_they_are_shown() -> None:
    codes = {new_code() for _ in range(100)}
    assert len({code_hash(read_code(code)) for code in codes}) == 100
    assert all(len(code) == 19 and read_code(code) == code.replace("-", "") for code in codes)


def test_a_hint_gives_little_away() -> None:
    assert code_hint("7QXK91MN0ZRB4T5W") == "4T5W"
