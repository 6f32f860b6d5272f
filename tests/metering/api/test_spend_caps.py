"""Spend caps over HTTP: the vendor's, and the customer's own."""

from __future__ import annotations

from typing import Any

from tests.cast import Api, Company

EACH_USER = {"account": "acme", "scope": "user", "window": "month", "limit": "20", "currency": "USD"}


def set_one(api: Api, body: dict[str, Any] = EACH_USER, key: str = "k") -> Any:
    return api.post("/spend-caps", body, idempotency_key=key)


def test_a_cap_is_set_changed_listed_and_removed(vendor: Api, acme: Company) -> None:
    answer = set_one(vendor)
    assert answer.status_code == 201
    body = answer.json()
    assert body.pop("set_at")
    cap = body.pop("id")
    assert body == {**EACH_USER, "value": "", "meter": None, "limit": "20.00", "state": "active"}
    assert set_one(vendor, EACH_USER | {"limit": "30"}, "k2").json()["id"] == cap
    assert [one["limit"] for one in vendor.get("/spend-caps?account=acme").json()["data"]] == ["30.00"]
    assert vendor.post(f"/spend-caps/{cap}/remove", idempotency_key="k3").json()["state"] == "removed"
    assert vendor.get("/spend-caps?account=acme").json()["data"] == []


def test_a_customer_caps_its_own_account_and_no_other(acme: Company, globex: Company) -> None:
    cap = set_one(acme.api).json()["id"]
    assert set_one(globex.api).status_code == 404
    assert globex.api.get("/spend-caps?account=acme").status_code == 404
    assert globex.api.post(f"/spend-caps/{cap}/remove", idempotency_key="k9").status_code == 404
    assert len(acme.api.get("/spend-caps?account=acme").json()["data"]) == 1


def test_what_is_no_cap_is_refused_by_name(vendor: Api, acme: Company) -> None:
    answer = set_one(vendor, EACH_USER | {"window": "week", "meter": "tokens"})
    assert (answer.status_code, sorted(answer.json()["errors"])) == (422, ["currency", "meter", "window"])
