"""Credit lots over HTTP."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Api, Company
from wallets.credit.models import CreditLot


def credits_of(company: Company) -> str:
    return f"/wallets/{company.wallet.public_id}/credits"


def test_paid_credit_is_granted_with_its_terms(vendor: Api, acme: Company) -> None:
    answer = vendor.post(
        credits_of(acme),
        {
            "amount": "100",
            "kind": "paid",
            "price_paid": "90",
            "priority": 10,
            "expires_at": "2099-01-01T00:00:00+01:00",
            "meters": ["llm.output_tokens"],
            "reason": "Invoice 7",
        },
    )
    assert answer.status_code == 201
    lot = answer.json()
    assert lot["id"].startswith("lot_")
    assert (lot["wallet"], lot["currency"], lot["kind"], lot["state"]) == (acme.wallet.public_id, "USD", "paid", "open")
    assert (lot["amount"], lot["remaining"], lot["price_paid"], lot["priority"]) == ("100.00", "100.00", "90.00", 10)
    assert (lot["expires_at"], lot["meters"], lot["reason"]) == (
        "2098-12-31T23:00:00Z",
        ["llm.output_tokens"],
        "Invoice 7",
    )
    assert (answer["X-Balance-Available"], answer["X-Balance-Version"]) == ("100.00", "1")


def test_credit_for_later_waits(vendor: Api, acme: Company) -> None:
    answer = vendor.post(credits_of(acme), {"amount": "5", "kind": "trial", "effective_at": "2099-01-01T00:00:00Z"})
    assert (answer.json()["state"], answer["X-Balance-Available"]) == ("scheduled", "0.00")


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        ({"amount": "0"}, "amount"),
        ({"amount": "-1"}, "amount"),
        ({"amount": "1000000000000000000"}, "amount"),
        ({"amount": "0.0000000000001"}, "amount"),
        ({"amount": None}, "amount"),
        ({"kind": "stolen"}, "kind"),
        ({"kind": 7}, "kind"),
        ({"price_paid": "-1"}, "price_paid"),
        ({"kind": "promotional", "price_paid": "1"}, "price_paid"),
        ({"priority": "high"}, "priority"),
        ({"priority": -1}, "priority"),
        ({"priority": 10**9}, "priority"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expires_at"),
        ({"expires_at": "2099-01-01"}, "expires_at"),
        ({"expires_at": "9999-12-31T23:59:59-23:59"}, "expires_at"),
        ({"effective_at": "soon"}, "effective_at"),
        ({"meters": "all"}, "meters"),
        ({"meters": [7]}, "meters.0"),
        ({"meters": ["a", "a"]}, "meters"),
        ({"reason": "x" * 501}, "reason"),
        ({"meter": "llm.calls"}, "amount"),
    ],
)
def test_credit_that_is_not_acceptable_is_refused_by_name(
    vendor: Api, acme: Company, terms: dict[str, Any], field: str
) -> None:
    answer = vendor.post(credits_of(acme), {"amount": "10", "kind": "paid"} | terms)
    assert (answer.status_code, list(answer.json()["errors"])[:1]) == (422, [field])
    assert not CreditLot.objects.exists()


def test_lots_are_listed_newest_first_also_those_that_are_finished(vendor: Api, acme: Company) -> None:
    first, second = (vendor.post(credits_of(acme), {"amount": amount, "kind": "paid"}).json()["id"] for amount in ("1", "2"))
    vendor.post(f"/credits/{first}/void", {"reason": "Mistake"})
    page = vendor.get(credits_of(acme))
    assert [(lot["id"], lot["state"]) for lot in page.json()["data"]] == [(second, "open"), (first, "voided")]
    assert page["X-Balance-Available"] == "2.00"


def test_a_lot_is_voided_once(vendor: Api, acme: Company) -> None:
    lot = vendor.post(credits_of(acme), {"amount": "7", "kind": "compensation"}).json()["id"]
    answer = vendor.post(f"/credits/{lot}/void", {"reason": "Mistake"})
    assert (answer.status_code, answer.json()["state"], answer.json()["remaining"]) == (200, "voided", "0.00")
    assert answer["X-Balance-Available"] == "0.00"
    again = vendor.post(f"/credits/{lot}/void", {"reason": "Mistake"})
    assert (again.status_code, again.json()["code"]) == (409, "lot_finished")


def test_a_lot_that_does_not_exist_is_404(vendor: Api) -> None:
    assert vendor.post("/credits/lot_nothing/void").status_code == 404
