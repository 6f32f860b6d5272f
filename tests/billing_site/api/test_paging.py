"""Lists are read page by page, without a row skipped or read twice while rows come and go."""

from __future__ import annotations

from typing import Any

import pytest

from billing_site.api.paging import MAX_LIMIT, read_cursor, write_cursor
from pricing.meters.define import define_meter
from tests.cast import OPENED_AT, Api


def define(*numbers: int) -> None:
    for number in numbers:
        define_meter(code=f"m{number:03}", event_type="e", aggregation="count", at=OPENED_AT)


def read_all(api: Api, path: str, limit: int) -> list[Any]:
    rows: list[Any] = []
    cursor = ""
    while True:
        page = api.get(f"{path}?limit={limit}{f'&cursor={cursor}' if cursor else ''}").json()
        assert len(page["data"]) <= limit
        rows += page["data"]
        cursor = page["next_cursor"]
        if cursor is None:
            return rows


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8])
def test_every_row_is_read_once_in_order(vendor: Api, limit: int) -> None:
    define(*range(7))
    assert [meter["code"] for meter in read_all(vendor, "/meters", limit)] == [f"m{number:03}" for number in range(7)]


def test_a_row_that_comes_between_two_pages_moves_nothing(vendor: Api) -> None:
    define(1, 2, 3)
    first = vendor.get("/meters?limit=2").json()
    define(0)
    second = vendor.get(f"/meters?limit=2&cursor={first['next_cursor']}").json()
    assert [meter["code"] for meter in first["data"] + second["data"]] == ["m001", "m002", "m003", "m000"]


def test_a_page_without_a_limit_has_fifty_rows(vendor: Api) -> None:
    define(*range(51))
    assert len(vendor.get("/meters").json()["data"]) == 50
    assert len(vendor.get(f"/meters?limit={MAX_LIMIT}").json()["data"]) == 51


@pytest.mark.parametrize("limit", ["0", "501", "-1", "x", "", "1.5", "9" * 5_000, "\u0661"])
def test_a_limit_that_is_none_is_refused_by_name(vendor: Api, limit: str) -> None:
    answer = vendor.get(f"/meters?limit={limit}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["limit"]


@pytest.mark.parametrize(
    "cursor",
    [
        "x", "", "====", "\u0661", "9" * 500, "bm90IGpzb24",
        write_cursor("name", 1), write_cursor("-id", 1), write_cursor("id", 2**63), write_cursor("id", True),
        write_cursor("id", None), write_cursor("id", [1]), write_cursor("id", {"a": 1}),
    ],
)  # fmt: skip
def test_a_cursor_of_another_list_is_refused_by_name(vendor: Api, cursor: str) -> None:
    answer = vendor.get(f"/meters?cursor={cursor}")
    assert answer.status_code == 422
    assert list(answer.json()["errors"]) == ["cursor"]


def test_a_cursor_remembers_the_last_row() -> None:
    assert read_cursor(write_cursor("-id", 7), "-id") == 7
