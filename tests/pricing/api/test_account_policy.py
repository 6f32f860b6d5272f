"""An account's policy over HTTP."""

from __future__ import annotations

from tests.cast import Api, Company

POLICY = {
    "on_outage": "open", "offline_allowance": "2.50", "capture_above": "cap", "final_unit_action": "redirect",
    "final_unit_url": "https://acme.example/more", "final_unit_meters": ["calls"],
}  # fmt: skip


def test_the_vendor_changes_how_an_accounts_work_is_let_through(vendor: Api, acme: Company) -> None:
    assert vendor.get("/accounts/acme").json()["policy"]["on_outage"] == "closed"
    assert vendor.patch("/accounts/acme", {"policy": POLICY}).json()["policy"] == POLICY
    answer = vendor.patch("/accounts/acme", {"name": "Acme AG", "policy": {"capture_above": "refuse"}}).json()
    assert (answer["name"], answer["policy"]) == ("Acme AG", POLICY | {"capture_above": "refuse"})


def test_a_refused_policy_changes_nothing_else(vendor: Api, acme: Company) -> None:
    answer = vendor.patch("/accounts/acme", {"name": "Acme AG", "policy": {"on_outage": "ajar"}})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["policy.on_outage"])
    assert vendor.get("/accounts/acme").json()["name"] == "Acme"


def test_a_customer_does_not_say_what_it_is_trusted_with(acme: Company) -> None:
    assert acme.api.patch("/accounts/acme", {"policy": POLICY}).status_code == 403
