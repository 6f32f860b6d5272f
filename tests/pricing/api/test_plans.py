"""Plans, subscriptions, commitments, credit products and vouchers over HTTP, as a vendor's script sells them."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from pricing.credit_products.models import VoucherAttempt
from tests.cast import Api, Company

METER = {"code": "calls", "event_type": "call", "aggregation": "count"}
PLAN = {
    "code": "pro",
    "name": "Pro",
    "currency": "USD",
    "fee": "30",
    "allowances": [{"meter": "calls", "quantity": "1000", "roll_over": "capped", "roll_over_cap": "500"}],
}


@pytest.fixture
def plan(vendor: Api) -> dict[str, Any]:
    assert vendor.post("/meters", METER).status_code == 201
    answer = vendor.post("/plans", PLAN)
    assert answer.status_code == 201
    found: dict[str, Any] = answer.json()
    return found


@pytest.fixture
def funded(vendor: Api, acme: Company) -> str:
    """The id of acme's wallet, with 100 in it."""
    wallet = acme.wallet.public_id
    assert vendor.post(f"/wallets/{wallet}/credits", {"amount": "100", "kind": "paid"}).status_code == 201
    return wallet


def test_a_plan_is_defined_revised_and_closed(vendor: Api, acme: Company, plan: dict[str, Any]) -> None:
    assert (plan["version"], plan["interval"], plan["allowances"][0]["on_exhaustion"]) == (1, "month", "overage")
    assert acme.api.get(f"/plans/{plan['id']}").json() == plan  # customers see what is sold
    revised = vendor.post(f"/plans/{plan['id']}/versions", {"name": "Pro", "currency": "USD", "fee": "35"}).json()
    assert (revised["code"], revised["version"], revised["allowances"]) == ("pro", 2, [])
    assert [one["closed_at"] is None for one in vendor.get("/plans").json()["data"]] == [False, True]
    assert vendor.post(f"/plans/{revised['id']}/close").json()["closed_at"] is not None
    assert vendor.post(f"/plans/{revised['id']}/close").json()["code"] == "plan_closed"
    assert vendor.post("/plans", PLAN | {"allowances": [{"meter": "none", "quantity": "1"}]}).json()["errors"].keys() == {
        "allowances.0.meter"
    }


def test_a_subscription_from_beginning_to_end(vendor: Api, acme: Company, plan: dict[str, Any], funded: str) -> None:
    made = vendor.post("/accounts/acme/subscriptions", {"plan": "pro"})
    assert made.status_code == 201
    subscription = made.json()
    assert (subscription["state"], subscription["plan_version"], subscription["period"]) == ("active", 1, 1)
    assert [line["what"] for line in subscription["history"]] == ["Subscribed to Pro"]
    path = f"/subscriptions/{subscription['id']}"
    (period,) = acme.api.get(f"{path}/periods").json()["data"]
    assert (period["fees"][0]["amount"], period["allowances"][0]["remaining"]) == ("30.00", "1000.00")
    assert vendor.get(f"/wallets/{funded}").json()["balance"] == "70.00"
    again = vendor.post("/accounts/acme/subscriptions", {"plan": plan["id"]}).json()
    assert (again["code"], again["subscription"]) == ("already_subscribed", subscription["id"])
    assert vendor.post(f"{path}/pause", {"reason": "Holiday"}).json()["state"] == "paused"
    assert vendor.post(f"{path}/resume").json()["state"] == "active"
    vendor.post("/plans", PLAN | {"code": "team", "name": "Team", "fee": "10"})
    assert vendor.post(f"{path}/change", {"plan": "team"}).json()["next_plan"] is not None
    assert vendor.post(f"{path}/change", {"plan": "nothing"}).json()["errors"].keys() == {"plan"}
    assert vendor.post(f"{path}/cancel").json()["cancel_at_period_end"] is True
    ended = vendor.post(f"{path}/cancel", {"now": True, "reason": "Moves away"}).json()
    assert (ended["state"], ended["history"][0]["reason"]) == ("cancelled", "Moves away")
    assert acme.api.get("/accounts/acme/subscriptions").json()["data"][0]["state"] == "cancelled"


def test_a_fee_beyond_the_credit_is_402_and_names_both(vendor: Api, acme: Company, plan: dict[str, Any]) -> None:
    answer = vendor.post("/accounts/acme/subscriptions", {"plan": "pro"})
    assert (answer.status_code, answer.json()["code"], answer.json()["needed"], answer.json()["available"]) == (
        402, "credit_exhausted", "30.00", "0.00",
    )  # fmt: skip


def test_credit_is_bought_once_per_payment(vendor: Api, acme: Company) -> None:
    offer = {"code": "start", "name": "110 for 100", "currency": "USD", "amount": "110", "price": "100"}
    assert vendor.post("/credit-products", offer).status_code == 201
    payment = {"product": "start", "payment_reference": "pi_1"}
    path = f"/wallets/{acme.wallet.public_id}/purchases"
    bought = vendor.post(path, payment)
    assert (bought.status_code, bought["X-Balance-Available"]) == (201, "110.00")
    assert vendor.post(path, payment).json() == bought.json()
    assert acme.api.get(path).json()["data"] == [bought.json()]
    assert acme.api.post(path, payment).status_code == 403
    assert vendor.post(path, payment | {"product": "none"}).json()["errors"].keys() == {"product"}


def test_slabs_and_unit_rates_are_set_up(vendor: Api, acme: Company) -> None:
    rate = {"unit": "CREDITS", "currency": "USD", "units": "100"}
    assert vendor.post("/credit-units/rates", rate).json()["units"] == "100.00"
    offer = {
        "code": "any", "name": "Any", "currency": "CREDITS", "price_currency": "USD", "least": "1", "most": "1000",
        "slabs": [{"from_amount": "5000", "percent": "5"}], "validity_days": 365,
    }  # fmt: skip
    assert vendor.post("/credit-products", offer).json()["slabs"] == [{"from_amount": "5000.00", "percent": "5.00"}]
    wallet = vendor.post("/accounts/acme/wallets", {"currency": "CREDITS"}).json()["id"]
    paid = {"product": "any", "payment_reference": "pi_1", "paid": "50"}
    bought = vendor.post(f"/wallets/{wallet}/purchases", paid).json()
    assert (bought["amount"], bought["bonus"], bought["price"]) == ("5000.00", "250.00", "50.00")


def test_vouchers_are_issued_with_their_codes_and_redeemed_by_the_customer(vendor: Api, acme: Company) -> None:
    issued = vendor.post("/vouchers", {"name": "Spring", "currency": "USD", "amount": "25", "count": 3})
    assert issued.status_code == 201
    assert len(issued.json()["codes"]) == 3
    path = f"/wallets/{acme.wallet.public_id}/vouchers"
    lot = acme.api.post(path, {"code": issued.json()["codes"][0]})
    assert (lot.status_code, lot.json()["amount"], lot["X-Balance-Available"]) == (201, "25.00", "25.00")
    batch = vendor.get(f"/vouchers/{issued.json()['id']}").json()
    assert "codes" not in batch
    assert (batch["count"], batch["used"], batch["uses"]) == (3, 1, 3)
    assert vendor.post(f"/vouchers/{batch['id']}/stop").json()["stopped_at"] is not None
    assert acme.api.post(path, {"code": issued.json()["codes"][1]}).json()["code"] == "voucher_not_valid"


def test_guessing_codes_is_429_and_every_attempt_stays(vendor: Api, acme: Company) -> None:
    path = f"/wallets/{acme.wallet.public_id}/vouchers"
    for _ in range(20):
        assert acme.api.post(path, {"code": "GUESSED"}, idempotency_key="k").json()["code"] == "voucher_unknown"
    answer = acme.api.post(path, {"code": "GUESSED"})
    assert (answer.status_code, answer.json()["code"]) == (429, "too_many_attempts")
    assert int(answer["Retry-After"]) > 3000
    assert VoucherAttempt.objects.count() == 21


def test_sign_up_credit_is_given_once(vendor: Api, acme: Company, globex: Company) -> None:
    body = {"verified_email": "jane@acme.example", "amount": "5"}
    given = vendor.post(f"/wallets/{acme.wallet.public_id}/sign-up-credit", body)
    assert (given.status_code, given.json()["kind"]) == (201, "trial")
    again = vendor.post(f"/wallets/{globex.wallet.public_id}/sign-up-credit", body)
    assert (again.status_code, again.json()["code"]) == (409, "sign_up_credit_given")


def test_a_commitment_is_made_and_read(vendor: Api, acme: Company, funded: str) -> None:
    vendor.post("/meters", METER)
    body = {
        "name": "Steady", "amount": "10", "interval": "hour", "periods": 24, "discount_percent": "20", "meters": ["calls"],
    }  # fmt: skip
    made = vendor.post("/accounts/acme/commitments", body)
    assert made.status_code == 201
    commitment = made.json()
    assert (commitment["periods_begun"], commitment["utilisation"]["covers"]) == (1, "12.50")
    assert acme.api.get(f"/commitments/{commitment['id']}").json()["utilisation"]["left"] == "12.50"
    (period,) = acme.api.get(f"/commitments/{commitment['id']}/periods").json()["data"]
    assert (period["charged"], period["covers"]) == (True, "12.50")
    assert vendor.get("/accounts/acme/commitments").json()["data"][0]["id"] == commitment["id"]


def test_lists_cost_the_same_however_long(
    vendor: Api, acme: Company, plan: dict[str, Any], funded: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    vendor.post("/accounts/acme/subscriptions", {"plan": "pro"})
    subscription = vendor.get("/accounts/acme/subscriptions").json()["data"][0]["id"]
    for number in range(3):
        with django_assert_num_queries(3):  # plans, allowances, meters
            vendor.get("/plans")
        with django_assert_num_queries(2):
            vendor.get("/accounts/acme/subscriptions")
        with django_assert_num_queries(7):
            vendor.get(f"/subscriptions/{subscription}/periods")
        with django_assert_num_queries(1):
            vendor.get("/vouchers")
        vendor.post("/plans", PLAN | {"code": f"p{number}"})
        vendor.post("/vouchers", {"name": "V", "currency": "USD", "amount": "1"})
