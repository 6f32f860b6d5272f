"""Versions over HTTP: rolled forward, compared, changed while drafts, exported and imported, withdrawn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Api

CSV = {"content_type": "text/csv"}
TIERS = [{"up_to": "1000", "unit_price": "0.02", "flat_price": "5"}, {"up_to": None, "unit_price": "0.01"}]
NIGHT = {"time_zone": "Europe/Berlin", "windows": [{"days": ["mon", "fri"], "from": "22:00", "to": "06:00"}]}
PRICES: list[dict[str, Any]] = [
    {"meter": "calls", "match": {"model": "=cmd|x"}, "unit_price": "0.00001", "unit_cost": "0.000004"},
    {"meter": "calls", "unit_price": "0.001", "schedule": NIGHT},
    {"meter": "calls", "model": "graduated", "tiers": TIERS, "free_units": "10"},
    {"meter": "calls", "currency": "EUR", "model": "percentage", "percentage": {"rate": "1.5", "free_events": 3}},
]


@pytest.fixture
def book(vendor: Api) -> str:
    vendor.post("/meters", {"code": "calls", "event_type": "call", "aggregation": "count"})
    found: str = vendor.post("/price-books", {"name": "List", "currency": "USD"}).json()["id"]
    return found


@pytest.fixture
def live(vendor: Api, book: str) -> str:
    version: str = vendor.post(f"/price-books/{book}/versions", {"prices": PRICES}).json()["id"]
    assert vendor.post(f"/versions/{version}/publish").status_code == 200
    return version


def counts(diff: Any) -> tuple[int, int, int, int]:
    return len(diff["added"]), len(diff["removed"]), len(diff["changed"]), diff["unchanged"]


def test_a_version_is_rolled_forward_changed_and_compared(vendor: Api, book: str, live: str) -> None:
    draft = vendor.post(f"/price-books/{book}/versions", {"from_version": live, "note": "Dearer"}).json()
    assert (draft["status"], draft["note"], len(draft["prices"])) == ("draft", "Dearer", 4)
    assert counts(vendor.get(f"/versions/{draft['id']}/diff").json()) == (0, 0, 0, 4)
    prices = [*PRICES[:3], {"meter": "calls", "match": {"model": "b"}, "unit_price": "1"}]
    prices[1] = prices[1] | {"unit_price": "0.002"}
    changed = vendor.send("PUT", f"/versions/{draft['id']}", {"prices": prices})
    assert changed.status_code == 200
    diff = vendor.get(f"/versions/{draft['id']}/diff").json()
    assert (diff["version"], diff["against"], counts(diff)) == (draft["id"], live, (1, 1, 1, 2))
    (change,) = diff["changed"]
    assert change["fields_changed"] == ["unit_price"]
    assert (change["old"]["unit_price"], change["new"]["unit_price"], change["new"]["schedule"]) == ("0.001", "0.002", NIGHT)
    assert vendor.get(f"/versions/{live}/diff?against={draft['id']}").json()["added"][0]["new"]["currency"] == "EUR"


def test_a_published_version_is_not_changed(vendor: Api, live: str) -> None:
    answer = vendor.send("PUT", f"/versions/{live}", {"prices": PRICES[:1]})
    assert (answer.status_code, answer.json()["code"]) == (409, "version_already_published")


@pytest.mark.parametrize("body", [{}, {"prices": PRICES, "from_version": "prv_x"}])
def test_a_draft_has_its_prices_from_one_place(vendor: Api, book: str, body: dict[str, Any]) -> None:
    answer = vendor.post(f"/price-books/{book}/versions", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["prices"])


def test_what_is_exported_is_imported_without_a_difference(vendor: Api, book: str, live: str) -> None:
    table = vendor.get(f"/versions/{live}/prices.csv")
    assert table.headers["Content-Type"] == "text/csv; charset=utf-8"
    assert table.headers["Content-Disposition"] == f'attachment; filename="{live}.csv"'
    assert ",'=cmd|x," in table.content.decode()
    document = vendor.get(f"/versions/{live}/prices.json")
    imported = [
        vendor.post(f"/price-books/{book}/versions", raw=table.content, **CSV),
        vendor.post(f"/price-books/{book}/versions", document.json()),
        vendor.post(f"/price-books/{book}/versions", {"prices": vendor.get(f"/versions/{live}").json()["prices"]}),
    ]
    for answer in imported:
        assert answer.status_code == 201, answer.json()
        assert counts(vendor.get(f"/versions/{answer.json()['id']}/diff?against={live}").json()) == (0, 0, 0, 4)
    emptied = imported[0].json()["id"]
    one = b"meter,unit_price\ncalls,3\n"
    assert len(vendor.send("PUT", f"/versions/{emptied}", raw=one, **CSV).json()["prices"]) == 1


def test_an_import_names_every_error_by_row_and_column(vendor: Api, book: str) -> None:
    unreadable = vendor.post(f"/price-books/{book}/versions", raw=b"meter,unit_price\ncalls,1\ncalls,two\n", **CSV)
    assert (unreadable.status_code, unreadable.json()["code"]) == (422, "invalid_price_file")
    assert list(unreadable.json()["errors"]) == ["rows.3.unit_price"]
    refused = vendor.post(f"/price-books/{book}/versions", raw=b"meter,unit_price\ncalls,1\nnone,-1\ncalls,2\n", **CSV)
    assert list(refused.json()["errors"]) == ["rows.3.meter", "rows.3.unit_price", "rows.4.match"]
    assert vendor.get(f"/price-books/{book}/versions").json()["data"] == []


def test_equally_good_windows_that_overlap_are_refused(vendor: Api, book: str) -> None:
    later = {"time_zone": "Europe/Berlin", "windows": [{"days": ["sat"], "from": "05:59", "to": "07:00"}]}
    other = {"time_zone": "UTC", "windows": [{"days": ["wed"], "from": "12:00", "to": "13:00"}]}
    price = {"meter": "calls", "unit_price": "1"}
    for schedule in (later, other):
        body = {"prices": [price, price | {"schedule": NIGHT}, price | {"schedule": schedule}]}
        answer = vendor.post(f"/price-books/{book}/versions", body)
        assert (answer.status_code, list(answer.json()["errors"])) == (422, ["prices.2.schedule"])
    ends = later | {"windows": [{"days": ["sat"], "from": "06:00", "to": "07:00"}]}
    body = {"prices": [price, price | {"schedule": NIGHT}, price | {"schedule": ends}]}
    assert vendor.post(f"/price-books/{book}/versions", body).status_code == 201


def test_a_scheduled_version_is_withdrawn(vendor: Api, book: str, live: str) -> None:
    draft = vendor.post(f"/price-books/{book}/versions", {"prices": PRICES[:1]}).json()["id"]
    vendor.post(f"/versions/{draft}/publish", {"effective_at": "2099-01-01T00:00:00Z"})
    stands = vendor.post(f"/versions/{draft}/withdraw", {"reason": "Too early"})
    assert (stands.status_code, stands.json()["effective_at"], stands.json()["note"]) == (
        201, "2099-01-01T00:00:00Z", "Withdraws version 2: Too early",
    )  # fmt: skip
    assert counts(vendor.get(f"/versions/{stands.json()['id']}/diff?against={live}").json()) == (0, 0, 0, 4)
    assert vendor.post(f"/versions/{live}/withdraw").json()["code"] == "version_not_scheduled"
