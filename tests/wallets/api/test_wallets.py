"""Wallets over HTTP."""

from __future__ import annotations

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from tests.cast import Api, Company


def wallet(api: Api, company: Company) -> dict[str, Any]:
    found: dict[str, Any] = api.get(f"/wallets/{company.wallet.public_id}").json()
    return found


def grant(api: Api, wallet_id: str, amount: str, **terms: Any) -> dict[str, Any]:
    answer = api.post(f"/wallets/{wallet_id}/credits", {"amount": amount, "kind": "paid"} | terms)
    assert answer.status_code == 201, answer.content
    lot: dict[str, Any] = answer.json()
    return lot


def test_a_wallet_says_what_it_holds_and_what_happens_when_it_is_empty(vendor: Api, acme: Company) -> None:
    answer = vendor.get(f"/wallets/{acme.wallet.public_id}")
    assert answer.json() == {
        "id": acme.wallet.public_id,
        "account": "acme",
        "name": "",
        "currency": "USD",
        "is_default": True,
        "status": "active",
        "balance": "0.00",
        "held": "0.00",
        "available": "0.00",
        "overdraft": "0.00",
        "version": 0,
        "policy": {"on_empty": "block", "grace_limit": "0.00", "throttle_per_minute": 10},
        "opened_at": "2026-11-01T00:00:00Z",
        "closed_at": None,
    }
    assert (answer["X-Balance-Available"], answer["X-Balance-Version"]) == ("0.00", "0")


def test_asking_for_the_first_wallet_gives_the_one_the_account_came_with(vendor: Api, acme: Company) -> None:
    first = vendor.post("/accounts/acme/wallets", {"currency": "USD", "name": "Production"})
    second = vendor.post("/accounts/acme/wallets", {"currency": "USD", "name": "Staging"})
    assert (first.status_code, second.status_code) == (201, 201)
    assert (first.json()["id"], first.json()["name"]) == (acme.wallet.public_id, "Production")
    assert (second.json()["is_default"], second.json()["name"]) == (False, "Staging")
    assert [one["name"] for one in vendor.get("/accounts/acme/wallets").json()["data"]] == ["Production", "Staging"]


def test_a_wallet_of_an_account_that_does_not_exist_is_404(vendor: Api) -> None:
    assert vendor.post("/accounts/nobody/wallets", {"currency": "USD"}).status_code == 404
    assert vendor.get("/accounts/nobody/wallets").status_code == 404


def test_an_account_key_may_hold_a_slash(vendor: Api) -> None:
    vendor.post("/accounts", {"account": "group/eu", "name": "Group"})
    assert vendor.get("/accounts/group/eu").json()["account"] == "group/eu"
    assert len(vendor.get("/accounts/group/eu/wallets").json()["data"]) == 1


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "policy"),
        ({"policy": {}}, "policy"),
        ({"policy": 7}, "policy"),
        ({"policy": {"on_empty": "explode"}}, "policy.on_empty"),
        ({"policy": {"grace_limit": "-1"}}, "policy.grace_limit"),
        ({"policy": {"throttle_per_minute": "10"}}, "policy.throttle_per_minute"),
        ({"policy": {"throttle_per_minute": 1.5}}, "policy.throttle_per_minute"),
        ({"policy": {"gracelimit": "1"}}, "policy.gracelimit"),
        ({"balance": "1000000", "policy": {"on_empty": "block"}}, "balance"),
    ],
)
def test_a_change_that_is_not_acceptable_is_refused_by_name(
    vendor: Api, acme: Company, body: dict[str, Any], field: str
) -> None:
    before = wallet(vendor, acme)
    answer = vendor.patch(f"/wallets/{acme.wallet.public_id}", body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert wallet(vendor, acme) == before


def test_freezing_and_thawing_are_told_apart_from_what_is_so_already(vendor: Api, acme: Company) -> None:
    path = f"/wallets/{acme.wallet.public_id}"
    assert vendor.post(f"{path}/freeze").json()["status"] == "frozen"
    assert vendor.post(f"{path}/freeze").json()["code"] == "wallet_frozen"
    assert vendor.post(f"{path}/thaw").json()["status"] == "active"
    assert vendor.post(f"{path}/thaw").status_code == 409


def test_the_ledger_explains_the_balance(vendor: Api, acme: Company) -> None:
    lot = grant(vendor, acme.wallet.public_id, "100", price_paid="90", reason="Invoice 7")
    page = vendor.get(f"/wallets/{acme.wallet.public_id}/ledger")
    assert page["X-Balance-Available"] == "100.00"
    (entry,) = page.json()["data"]
    assert (entry["kind"], entry["version"], entry["amount"], entry["balance_after"]) == (
        "grant",
        1,
        "100.00",
        "100.00",
    )
    assert (entry["reference"], entry["reason"]) == (lot["id"], "Invoice 7")
    assert entry["actor"].startswith("api:key_")
    assert [(one["account"], one["lot"], one["amount"]) for one in entry["postings"]] == [
        ("cash_clearing:manual", None, "-90.00"),
        ("sales_discount", None, "-10.00"),
        ("prepaid_liability", lot["id"], "100.00"),
    ]


def test_the_ledger_is_read_newest_first_page_by_page(vendor: Api, acme: Company) -> None:
    for amount in ("1", "2", "3"):
        grant(vendor, acme.wallet.public_id, amount)
    first = vendor.get(f"/wallets/{acme.wallet.public_id}/ledger?limit=2").json()
    second = vendor.get(f"/wallets/{acme.wallet.public_id}/ledger?limit=2&cursor={first['next_cursor']}").json()
    assert [entry["version"] for entry in first["data"] + second["data"]] == [3, 2, 1]
    assert second["next_cursor"] is None


@pytest.mark.parametrize("path", ["/accounts/acme/wallets", "/wallets/{wallet}/ledger", "/wallets/{wallet}/credits"])
def test_a_list_costs_the_same_queries_however_long(
    vendor: Api, acme: Company, path: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    path = path.format(wallet=acme.wallet.public_id)
    vendor.get(path)
    expected = {"wallets": 2, "ledger": 4, "credits": 2}[path.rpartition("/")[2]]
    for _ in range(2):
        for amount in ("1", "2", "3"):
            grant(vendor, acme.wallet.public_id, amount)
            vendor.post("/accounts/acme/wallets", {"currency": "EUR"})
        with django_assert_num_queries(expected):
            vendor.get(path)


def test_a_transfer_moves_credit_between_two_wallets_of_an_account(vendor: Api, acme: Company) -> None:
    other = vendor.post("/accounts/acme/wallets", {"currency": "USD", "name": "Staging"}).json()["id"]
    other = vendor.post("/accounts/acme/wallets", {"currency": "USD", "name": "Test"}).json()["id"]
    grant(vendor, acme.wallet.public_id, "10")
    answer = vendor.post(f"/wallets/{acme.wallet.public_id}/transfers", {"to": other, "amount": "4", "reason": "Split"})
    assert answer.status_code == 201
    assert (answer.json()["amount"], answer.json()["source"]["balance"], answer.json()["to"]["balance"]) == (
        "4.00",
        "6.00",
        "4.00",
    )
    assert answer["X-Balance-Available"] == "6.00"


def test_a_transfer_beyond_what_is_there_is_402_and_moves_nothing(vendor: Api, acme: Company) -> None:
    vendor.post("/accounts/acme/wallets", {"currency": "USD"})
    other = vendor.post("/accounts/acme/wallets", {"currency": "USD"}).json()["id"]
    grant(vendor, acme.wallet.public_id, "10")
    answer = vendor.post(f"/wallets/{acme.wallet.public_id}/transfers", {"to": other, "amount": "10.01"})
    assert (answer.status_code, answer.json()["code"]) == (402, "not_enough_credit")
    assert wallet(vendor, acme)["balance"] == "10.00"


def test_a_transfer_to_a_strangers_wallet_is_refused(vendor: Api, acme: Company, globex: Company) -> None:
    grant(vendor, acme.wallet.public_id, "10")
    path, body = f"/wallets/{acme.wallet.public_id}/transfers", {"to": globex.wallet.public_id, "amount": "1"}
    assert acme.api.post(path, body).status_code == 404
    answer = vendor.post(path, body)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["to"])
    assert vendor.post(path, {"to": acme.wallet.public_id, "amount": "1"}).status_code == 422
    assert wallet(vendor, acme)["balance"] == "10.00"
