"""Webhook endpoints as a customer's and the vendor's programs keep them."""

from datetime import timedelta

import pytest

from notifications.channels.webhook.endpoints import (
    DISABLED_AFTER,
    MOST_ENDPOINTS,
    disable_endpoint,
    endpoints_for,
    note_failed,
    note_taken,
    signing_secrets,
)
from notifications.channels.webhook.models import WebhookEndpoint
from tests.cast import OPENED_AT, Api, Company
from wallets import clock

URL = "https://acme.example/hooks/billing"


def made(api: Api, **body: object) -> dict:
    answer = api.post("/webhook-endpoints", {"url": URL, **body})
    assert answer.status_code == 201, answer.content
    return answer.json()


def row(endpoint: dict) -> WebhookEndpoint:
    return WebhookEndpoint.objects.get(public_id=endpoint["id"])


def test_a_customer_makes_reads_and_removes_an_endpoint(acme: Company):
    endpoint = made(acme.api, event_types=["threshold_crossed"], description="production")
    assert endpoint["account"] == "acme"
    assert endpoint["secret"].startswith("whsec_")
    (listed,) = acme.api.get("/webhook-endpoints").json()["data"]
    assert "secret" not in listed
    assert acme.api.get(f"/webhook-endpoints/{endpoint['id']}").json()["secret"] == endpoint["secret"]
    assert acme.api.send("DELETE", f"/webhook-endpoints/{endpoint['id']}").status_code == 204
    assert acme.api.get("/webhook-endpoints").json()["data"] == []
    assert row(endpoint).sealed_secret == ""


def test_the_vendors_endpoint_is_told_of_every_account_and_a_customers_of_its_own(acme: Company, globex: Company, vendor: Api):
    of_vendor = made(vendor)
    of_acme = made(vendor, account="acme")
    of_globex = made(globex.api)
    assert of_vendor["account"] is None
    told = endpoints_for(topic="threshold_crossed", account_id=acme.account.pk)
    assert [one.public_id for one in told] == [of_vendor["id"], of_acme["id"]]
    assert [one["id"] for one in globex.api.get("/webhook-endpoints").json()["data"]] == [of_globex["id"]]
    assert [one["id"] for one in vendor.get("/webhook-endpoints").json()["data"]] == [
        of_vendor["id"], of_acme["id"], of_globex["id"],
    ]  # fmt: skip


def test_an_endpoint_is_told_of_what_it_chose(acme: Company):
    chosen = made(acme.api, event_types=["top_up_failed"])
    everything = made(acme.api)
    account_id = acme.account.pk
    assert [one.public_id for one in endpoints_for(topic="top_up_failed", account_id=account_id)] == [
        chosen["id"], everything["id"],
    ]  # fmt: skip
    assert [one.public_id for one in endpoints_for(topic="lot_expired", account_id=account_id)] == [everything["id"]]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"url": "http://acme.example/"}, "url"),
        ({"url": "https://169.254.169.254/latest/"}, "url"),
        ({"url": "https://localhost.\x01/"}, "url"),
        ({"url": ""}, "url"),
        ({"event_types": ["no_such_thing"]}, "event_types"),
        ({"event_types": ["test", "test"]}, "event_types"),
        ({"event_types": "test"}, "event_types"),
        ({"kind": "slack"}, "kind"),
        ({"kind": "carrier pigeon"}, "kind"),
        ({"description": "x" * 201}, "description"),
        ({"secret": "whsec_mine"}, "secret"),
    ],
)
def test_what_an_endpoint_cannot_be(acme: Company, body: dict, field: str):
    answer = acme.api.post("/webhook-endpoints", {"url": URL, **body})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_only_the_vendors_endpoint_may_be_slack(vendor: Api):
    assert made(vendor, kind="slack")["kind"] == "slack"


def test_it_is_changed_and_what_is_not_named_stays(acme: Company):
    endpoint = made(acme.api, event_types=["test"])
    changed = acme.api.patch(f"/webhook-endpoints/{endpoint['id']}", {"description": "staging"}).json()
    assert (changed["description"], changed["event_types"], changed["url"]) == ("staging", ["test"], URL)


def test_a_rotated_secret_signs_beside_the_one_before_until_the_overlap_ends(acme: Company):
    endpoint = made(acme.api)
    with clock.set_to(OPENED_AT):
        rotated = acme.api.post(f"/webhook-endpoints/{endpoint['id']}/rotate-secret", {"overlap_hours": 2}).json()
    assert rotated["secret"] != endpoint["secret"]
    just_before = OPENED_AT + timedelta(hours=2) - timedelta(microseconds=1)
    assert signing_secrets(row(endpoint), at=just_before) == [rotated["secret"], endpoint["secret"]]
    assert signing_secrets(row(endpoint), at=OPENED_AT + timedelta(hours=2)) == [rotated["secret"]]


def test_a_secret_that_leaked_stops_at_once(acme: Company):
    endpoint = made(acme.api)
    rotated = acme.api.post(f"/webhook-endpoints/{endpoint['id']}/rotate-secret", {"overlap_hours": 0}).json()
    assert signing_secrets(row(endpoint), at=OPENED_AT) == [rotated["secret"]]


@pytest.mark.parametrize("hours", [-1, 169, 10**30])
def test_an_overlap_has_limits(acme: Company, hours: int):
    endpoint = made(acme.api)
    answer = acme.api.post(f"/webhook-endpoints/{endpoint['id']}/rotate-secret", {"overlap_hours": hours})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["overlap_hours"])
    assert row(endpoint).secret == endpoint["secret"]


def test_it_is_disabled_after_days_of_failure_once_and_enabled_by_hand(acme: Company):
    endpoint = made(acme.api)
    pk = row(endpoint).pk
    assert not note_failed(endpoint_id=pk, at=OPENED_AT)
    assert not note_failed(endpoint_id=pk, at=OPENED_AT + DISABLED_AFTER - timedelta(seconds=1))
    assert note_failed(endpoint_id=pk, at=OPENED_AT + DISABLED_AFTER)
    assert not note_failed(endpoint_id=pk, at=OPENED_AT + DISABLED_AFTER)
    assert endpoints_for(topic="test", account_id=acme.account.pk) == []
    enabled = acme.api.post(f"/webhook-endpoints/{endpoint['id']}/enable").json()
    assert (enabled["state"], enabled["failing_since"], enabled["disabled_reason"]) == ("active", None, "")


def test_one_success_ends_a_failure(acme: Company):
    pk = row(made(acme.api)).pk
    note_failed(endpoint_id=pk, at=OPENED_AT)
    note_taken(endpoint_id=pk)
    assert not note_failed(endpoint_id=pk, at=OPENED_AT + DISABLED_AFTER)


def test_disabling_twice_is_once(acme: Company):
    pk = row(made(acme.api)).pk
    assert disable_endpoint(endpoint_id=pk, reason="gone", at=OPENED_AT)
    assert not disable_endpoint(endpoint_id=pk, reason="gone again", at=OPENED_AT)


def test_there_are_not_too_many(acme: Company):
    for _ in range(MOST_ENDPOINTS):
        made(acme.api)
    answer = acme.api.post("/webhook-endpoints", {"url": URL})
    assert (answer.status_code, answer.json()["code"]) == (409, "too_many_webhook_endpoints")


def test_the_list_takes_one_query_however_long(vendor: Api, django_assert_num_queries):
    for _ in range(3):
        made(vendor)
    vendor.get("/webhook-endpoints")
    with django_assert_num_queries(1):
        vendor.get("/webhook-endpoints")
