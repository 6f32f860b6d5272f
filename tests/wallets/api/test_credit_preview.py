"""Which lots charges would draw from, over HTTP: nothing stored, no wallet needed, bad input named."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cases.burn_down import draws_by_charge as told_from_lines
from tests.cast import OPENED_AT, Api
from wallets.credit.burn_down import Lot
from wallets.credit.models import CreditLot
from wallets.credit.preview import draws_by_charge

OPEN = {"priority": 50, "effective_at": "2026-11-01T00:00:00Z", "expires_at": None, "meters": []}
SOON = "2026-12-01T00:00:00Z"
NOON = "2026-11-23T12:00:00Z"


def lot(name: str, amount: str, kind: str = "paid", **terms: Any) -> dict[str, Any]:
    return {"id": name, "amount": amount, "kind": kind} | OPEN | terms


def charge(amount: str, time: str = NOON, meter: str = "calls") -> dict[str, Any]:
    return {"time": time, "meter": meter, "amount": amount}


def preview(vendor: Api, lots: list[dict[str, Any]], *charges: dict[str, Any]) -> tuple[list[str], str]:
    """Draws and remainders in words: `promo 10.00, paid 2.00, overdraft 1.00`."""
    answer = vendor.post("/credits/preview", {"lots": lots, "charges": list(charges)})
    assert answer.status_code == 200, answer.content
    told = answer.json()
    drawn = [
        ", ".join(
            [f"{draw['lot']} {draw['amount']}" for draw in one["draws"]]
            + [f"overdraft {one['overdraft']}"] * (one["overdraft"] != "0.00")
        )
        for one in told["charges"]
    ]
    return drawn, ", ".join(f"{one['id']} {one['remaining']}" for one in told["lots"])


def test_lots_are_drawn_in_burn_order(vendor: Api) -> None:
    lots = [
        lot("last", "5"),
        lot("older", "5", effective_at="2026-10-01T00:00:00Z"),
        lot("promo", "5", kind="promotional"),
        lot("expiring", "5", expires_at=SOON),
        lot("first", "5", priority=1),
        lot("listed later", "5"),
    ]
    assert preview(vendor, lots, charge("27.5"), charge("4")) == (
        [
            "first 5.00, expiring 5.00, promo 5.00, older 5.00, last 5.00, listed later 2.50",
            "listed later 2.50, overdraft 1.50",
        ],
        "last 0.00, older 0.00, promo 0.00, expiring 0.00, first 0.00, listed later 0.00",
    )


def test_a_lot_is_drawn_from_its_first_moment_until_before_its_last(vendor: Api) -> None:
    lots = [lot("paid", "10", effective_at=NOON, expires_at=SOON)]
    times = ["2026-11-23T11:59:59.999999Z", "2026-11-23T13:00:00+01:00", "2026-11-30T23:59:59.999999Z", SOON]
    assert preview(vendor, lots, *(charge("1", time) for time in times)) == (
        ["overdraft 1.00", "paid 1.00", "paid 1.00", "overdraft 1.00"],
        "paid 8.00",
    )


def test_a_lot_is_drawn_for_its_meters_only(vendor: Api) -> None:
    lots = [lot("tokens", "1", meters=["tokens"], priority=1), lot("paid", "1")]
    drawn, left = preview(
        vendor, lots, charge("0.6"), charge("0.6", meter="tokens"), charge("0.6", meter="tokens"), charge("0")
    )
    assert drawn == ["paid 0.60", "tokens 0.60", "tokens 0.40, paid 0.20", ""]
    assert left == "tokens 0.00, paid 0.20"


def test_nothing_is_needed_and_nothing_is_stored(vendor: Api) -> None:
    assert preview(vendor, [], charge("1.000000000001")) == (["overdraft 1.000000000001"], "")
    assert preview(vendor, [lot("paid", "1")]) == ([], "paid 1.00")
    short = {"id": "paid", "amount": 2, "kind": "paid"}
    assert preview(vendor, [short], charge("1")) == (["paid 1.00"], "paid 1.00")
    assert not CreditLot.objects.exists()


@pytest.mark.parametrize(
    ("field", "body"),
    [
        ("lots", {"charges": []}),
        ("charges", {"lots": []}),
        ("lots.0.id", {"lots": [lot("", "1")], "charges": []}),
        ("lots.1.id", {"lots": [lot("a", "1"), lot("a", "1")], "charges": []}),
        ("lots.0.amount", {"lots": [lot("a", "-1")], "charges": []}),
        ("lots.0.amount", {"lots": [lot("a", "0.0000000000001")], "charges": []}),
        ("lots.0.kind", {"lots": [lot("a", "1", kind="free")], "charges": []}),
        ("lots.0.priority", {"lots": [lot("a", "1", priority=-1)], "charges": []}),
        ("lots.0.priority", {"lots": [lot("a", "1", priority="high")], "charges": []}),
        ("lots.0.effective_at", {"lots": [lot("a", "1", effective_at="today")], "charges": []}),
        ("lots.0.expires_at", {"lots": [lot("a", "1", expires_at="2026-11-01T00:00:00Z")], "charges": []}),
        ("lots.0.meters", {"lots": [lot("a", "1", meters=["x", "x"])], "charges": []}),
        ("lots.0.colour", {"lots": [lot("a", "1", colour="red")], "charges": []}),
        ("charges.0.amount", {"lots": [], "charges": [charge("-1")]}),
        ("charges.0.time", {"lots": [], "charges": [charge("1", "2026-11-23T10:00:00")]}),
        ("charges.0.meter", {"lots": [], "charges": [charge("1", meter="x" * 121)]}),
    ],
)
def test_bad_input_is_refused_by_name(vendor: Api, field: str, body: dict[str, Any]) -> None:
    answer = vendor.post("/credits/preview", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


AMOUNTS = st.integers(0, 500).map(lambda cents: D(cents) / 100)
DAYS = st.integers(0, 5)


@st.composite
def any_lots(draw: st.DrawFn) -> list[Lot]:
    lots = []
    for number in range(draw(st.integers(0, 5))):
        start = draw(DAYS)
        end = draw(st.none() | st.integers(start + 1, 6))
        lots.append(
            Lot(
                number, draw(st.sampled_from(["paid", "trial"])), draw(st.integers(0, 2)), OPENED_AT + timedelta(days=start),
                None if end is None else OPENED_AT + timedelta(days=end), draw(AMOUNTS),
                draw(st.sampled_from([frozenset(), frozenset({"a"}), frozenset({"a", "b"})])),
            )
        )  # fmt: skip
    return lots


@given(any_lots(), st.lists(st.tuples(st.sampled_from("abc"), AMOUNTS, DAYS), max_size=8))
def test_draws_are_what_a_debit_would_explain(lots: list[Lot], usage: list[tuple[str, D, int]]) -> None:
    charges = [(meter, amount, OPENED_AT + timedelta(days=day)) for meter, amount, day in usage]
    covered = draws_by_charge(lots, charges)
    told: list[dict[int | None, D]] = [
        {lot.id: amount for lot, amount in one.draws} | ({None: one.overdraft} if one.overdraft else {}) for one in covered
    ]
    assert told == told_from_lines(lots, charges)
    for lot in lots:
        assert sum((draws.get(lot.id, D(0)) for draws in told), D(0)) <= lot.remaining
