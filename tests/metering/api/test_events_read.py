"""What became of events: found, explained, taken back, reported, replayed; each from the account of whoever asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal as D
from typing import Any
from urllib.parse import quote

import pytest
from msgspec import Raw

from metering.ingest.batch import ingest_batch
from metering.ingest.decode import UsageInput
from metering.usage.models import EventVoid, UsageEvent
from tests.cast import OPENED_AT, Api, Company
from tests.factories.journal import figures, lots
from tests.factories.usage import AT, LONG_AGO, credit, define_meters, event, open_prices, price_list
from wallets import clock
from wallets.api_keys.issue import issue_api_key

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
HOUR = timedelta(hours=1)


@pytest.fixture(autouse=True)
def _at_ten(db: None) -> Iterator[None]:
    with clock.set_to(AT + HOUR):
        yield


@pytest.fixture
def used(acme: Company, globex: Company) -> None:
    """acme used something twice, on two lots; globex sent an event with the id of one of acme's."""
    open_prices()
    credit(acme.wallet, "1")
    credit(acme.wallet, "0.005", kind="promotional", priority=10, reason="Welcome credit")
    eu = {"model": "gpt-4", "region": "eu"}
    ingest_batch(
        events=[event("a", 1_000, properties=eu), event("b", 1_000, time=AT + HOUR), event("a", 7, account="globex")],
        at=AT + HOUR,
    )


def refused(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["code"]


def test_events_of_an_account_are_found_by_their_time_last_received_first(used: None, vendor: Api) -> None:
    found = vendor.get("/events?account=acme").json()
    assert found["next_cursor"] is None
    assert [row["id"] for row in found["data"]] == ["b", "a"]
    assert found["data"][1] == {
        "id": "a", "type": "llm.request", "time": "2026-12-11T10:00:00Z", "received_at": "2026-12-11T11:00:00Z",
        "properties": {"tokens": 1_000, "model": "gpt-4", "region": "eu"},
    }  # fmt: skip
    assert [row["id"] for row in vendor.get("/events?account=acme&from=2026-12-11T10:00:01Z").json()["data"]] == ["b"]
    assert [
        row["id"] for row in vendor.get("/events?account=acme&from=2026-12-11T10:00:00Z&to=2026-12-11T11:00:00Z").json()["data"]
    ] == ["a"]
    page = vendor.get("/events?account=acme&limit=1").json()
    rest = vendor.get(f"/events?account=acme&limit=1&cursor={page['next_cursor']}").json()
    assert [page["data"][0]["id"], rest["data"][0]["id"], rest["next_cursor"]] == ["b", "a", None]


def test_an_event_explains_itself(used: None, vendor: Api, acme: Company) -> None:
    """Of 0.005 promotional credit `a` takes 0.0031, `b` 0.0001 for the call and 0.0018 of the 0.003 for its tokens."""
    shown = vendor.get("/events/b?account=acme").json()
    assert (shown["id"], shown["account"], shown["status"], shown["void"], shown["parked"]) == (
        "b",
        "acme",
        "charged",
        None,
        None,
    )
    calls, tokens = shown["charges"]
    assert (calls["meter"], calls["quantity"], calls["unit_price"], calls["amount"]) == ("calls", "1.00", "0.0001", "0.0001")
    assert (tokens["meter"], tokens["quantity"], tokens["unit_price"]) == ("tokens", "1000.00", "0.000003")
    assert (tokens["amount"], tokens["cost"], tokens["currency"]) == ("0.003", "0.001", "USD")
    assert (tokens["price_book"], tokens["price_version_number"], tokens["match"], tokens["tiers"]) == ("List USD", 1, {}, [])
    assert tokens["price_version"].startswith("prv_")
    assert tokens["wallet"] == acme.wallet.public_id
    drawn = [(draw["kind"], draw["amount"]) for draw in tokens["lots"]]
    assert drawn == [("promotional", "0.0018"), ("paid", "0.0012")]
    assert {draw["lot"][:4] for draw in tokens["lots"]} == {"lot_"}
    entry = tokens["journal_entry"]
    assert (entry["kind"], entry["balance_after"], len(entry["hash"])) == ("usage", "0.9988", 64)
    assert calls["journal_entry"] == entry


def test_an_id_that_several_accounts_sent_needs_the_account(used: None, vendor: Api, globex: Company) -> None:
    assert refused(vendor.get("/events/a")) == (409, "conflict")
    assert vendor.get("/events/a?account=globex").json()["account"] == "globex"
    assert vendor.get("/events/b").json()["account"] == "acme"
    assert globex.api.get("/events/a").json()["account"] == "globex"
    assert globex.api.get("/events/a?account=acme").json()["account"] == "globex"
    assert refused(globex.api.get("/events/b")) == (404, "not_found")
    assert refused(vendor.get("/events/nothing")) == (404, "not_found")


def test_what_an_event_costs_us_is_not_told_to_a_customers_own_key(used: None, vendor: Api, acme: Company) -> None:
    own = acme.api.get("/events/b").json()
    assert all("cost" not in charge for charge in own["charges"])
    assert all("cost" in charge for charge in vendor.get("/events/b").json()["charges"])


@pytest.mark.parametrize(
    "event_id", ["a b/c", "100%", "ü?x=1#y", "void", "x/void/y", "..", "a+b", "https://gateway.example/eu 7"]
)
def test_events_of_any_printable_id_are_explained_and_voided(acme: Company, vendor: Api, event_id: str) -> None:
    open_prices()
    assert vendor.post("/events", {"id": event_id, "type": "llm.request", "account": "acme"}).json()["accepted"] == 1
    path = f"/events/{quote(event_id, safe='')}"
    assert vendor.get(path).json()["id"] == event_id
    assert vendor.post(f"{path}/void").json()["status"] == "voided"


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (b'{"tokens":1,"n":0.1234567890123456789}', {"tokens": 1, "n": "0.1234567890123456789"}),
        (b'{"tokens":1,"n":1' + b"0" * 400 + b".5}", {"tokens": 1, "n": "1" + "0" * 400 + ".5"}),
        (b'{"tokens":1,"n":[1e300,{"deep":-0.5}]}', {"tokens": 1, "n": [10**300, {"deep": "-0.5"}]}),
        ('{"tokens":1,"n":"é😀\\u202e"}'.encode(), {"tokens": 1, "n": "é😀\u202e"}),
    ],
)
def test_properties_are_shown_exactly_as_they_were_sent(acme: Company, vendor: Api, sent: bytes, shown: dict[str, Any]) -> None:
    open_prices()
    ingest_batch(events=[UsageInput("a", "llm.request", "acme", Raw(sent), AT)], at=AT)
    for answer in (vendor.get("/events/a").json(), vendor.get("/events?account=acme").json()["data"][0]):
        assert answer["properties"] == shown


def test_a_void_gives_the_credit_back_once(used: None, vendor: Api, acme: Company) -> None:
    answer = vendor.post("/events/b/void", {"reason": "Sent by mistake", "account": "acme"})
    assert (answer.status_code, answer.json()["status"]) == (200, "voided")
    assert answer.json()["void"]["reason"] == "Sent by mistake"
    undone = [(charge["reverses"], charge["meter"], charge["amount"]) for charge in answer.json()["charges"]]
    assert undone[:2] == [(None, "calls", "0.0001"), (None, "tokens", "0.003")]
    assert sorted(undone[2:]) == [(0, "calls", "-0.0001"), (1, "tokens", "-0.003")]
    assert sum(D(charge["amount"]) for charge in answer.json()["charges"]) == 0
    after = (figures(acme.wallet), lots(acme.wallet))
    assert after == ((D("1.0019"), 0), [("paid", "OPEN", D(1)), ("promotional", "OPEN", D("0.0019"))])
    assert refused(vendor.post("/events/b/void")) == (409, "already_voided")
    assert vendor.post("/events", {"id": "b", "type": "llm.request", "account": "acme"}).json()["duplicates"] == 1
    assert (figures(acme.wallet), lots(acme.wallet)) == after


def test_a_void_that_is_sent_again_with_its_key_is_answered_again(used: None, vendor: Api, acme: Company) -> None:
    first = vendor.post("/events/b/void", {"reason": "x"}, idempotency_key="k1")
    again = vendor.post("/events/b/void", {"reason": "x"}, idempotency_key="k1")
    assert (first.status_code, again.status_code, again.content) == (200, 200, first.content)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert EventVoid.objects.count() == 1


def test_nobody_voids_the_event_of_another_account(used: None, acme: Company, globex: Company) -> None:
    for answer in (
        globex.api.post("/events/b/void"),
        globex.api.post("/events/b/void", {"account": "acme"}),
        globex.api.post("/events/b/void?account=acme"),
        globex.api.post("/events/nothing/void", {"account": "nobody"}),
    ):
        assert refused(answer) == (404, "not_found")
    assert globex.api.post("/events/a/void", {"account": "globex"}).json()["account"] == "globex"
    assert list(EventVoid.objects.values_list("event__account__key", flat=True)) == ["globex"]


def test_voiding_needs_the_scope_to_send_and_reading_the_scope_to_read(used: None) -> None:
    reader = Api(issue_api_key(name="reader", scopes=["reports:read"], at=OPENED_AT).secret)
    writer = Api(issue_api_key(name="writer", scopes=["events:write"], at=OPENED_AT).secret)
    assert refused(reader.post("/events/b/void")) == (403, "missing_scope")
    assert reader.get("/events/b").status_code == 200
    for path in (
        "/events/b",
        "/events?account=acme",
        "/dead-letters",
        "/usage?account=acme&from=2026-12-11T00:00:00Z&to=2026-12-12T00:00:00Z",
    ):
        assert refused(writer.get(path)) == (403, "missing_scope")


def test_usage_is_reported_by_period_meter_and_dimension(used: None, vendor: Api, acme: Company) -> None:
    period = "from=2026-12-11T00:00:00Z&to=2026-12-12T00:00:00Z"
    rows = vendor.get(f"/usage?account=acme&{period}").json()["data"]
    assert [tuple(row.values()) for row in rows] == [
        ("2026-12-11T00:00:00Z", "calls", "USD", {}, 2, "2.00", "0.0002"),
        ("2026-12-11T00:00:00Z", "tokens", "USD", {}, 2, "2000.00", "0.006"),
    ]
    assert list(rows[0]) == ["period", "meter", "currency", "dimensions", "events", "quantity", "amount"]
    by = acme.api.get(f"/usage?account=acme&{period}&meter=tokens&granularity=hour&group_by=model,region").json()["data"]
    assert [(row["period"], row["dimensions"], row["quantity"]) for row in by] == [
        ("2026-12-11T10:00:00Z", {"model": "gpt-4", "region": "eu"}, "1000.00"),
        ("2026-12-11T11:00:00Z", {"model": None, "region": None}, "1000.00"),
    ]
    vendor.post("/events/b/void")
    assert [row["quantity"] for row in vendor.get(f"/usage?account=acme&{period}").json()["data"]] == ["1.00", "1000.00"]


def test_usage_and_events_of_another_account_are_not_found(used: None, globex: Company) -> None:
    period = "from=2026-12-11T00:00:00Z&to=2026-12-12T00:00:00Z"
    for path in (f"/usage?account=acme&{period}", "/events?account=acme", f"/usage?account=nobody&{period}"):
        assert refused(globex.api.get(path)) == (404, "not_found")


@pytest.mark.parametrize(
    "query",
    [
        "", "account=acme", "account=acme&from=x&to=y", "account=acme&from=2026-12-11T00:00:00&to=2026-12-12T00:00:00Z",
        "account=acme&from=2026-12-12T00:00:00Z&to=2026-12-11T00:00:00Z",
        "account=acme&from=2020-01-01T00:00:00Z&to=2026-12-11T00:00:00Z",
        "account=acme&from=2026-12-11T00:00:00Z&to=2026-12-12T00:00:00Z&granularity=week",
        "account=acme&from=2026-12-11T00:00:00Z&to=2026-12-12T00:00:00Z&group_by=a,b,c,d,e,f",
    ],
)  # fmt: skip
def test_a_question_about_usage_that_cannot_be_answered_is_refused(used: None, vendor: Api, query: str) -> None:
    answer = vendor.get(f"/usage?{query}")
    assert answer.status_code == 422
    assert answer.json()["errors"]


def test_dead_letters_are_listed_and_replayed_once(acme: Company, vendor: Api, globex: Company) -> None:
    define_meters()
    ingest_batch(events=[event("a", 100), event("b", 100)], at=AT)
    letters = vendor.get("/dead-letters").json()["data"]
    assert [(row["id"], row["account"], row["reason"], row["attempts"]) for row in letters] == [
        ("a", "acme", "no_price", 0), ("b", "acme", "no_price", 0),
    ]  # fmt: skip
    assert letters[0]["parked_at"] == "2026-12-11T10:00:00Z"
    assert vendor.get("/events/a").json()["status"] == "unrated"
    price_list(since=LONG_AGO)
    first = vendor.post("/dead-letters/replay", idempotency_key="k1")
    assert first.json() == {"replayed": 2, "still_waiting": 0, "charged": {"USD": "0.0008"}}
    assert vendor.post("/dead-letters/replay", idempotency_key="k1").content == first.content
    assert vendor.post("/dead-letters/replay").json() == {"replayed": 0, "still_waiting": 0, "charged": {}}
    assert vendor.get("/dead-letters").json()["data"] == []
    assert figures(acme.wallet)[0] == D("-0.0008")
    assert refused(globex.api.get("/dead-letters")) == refused(globex.api.post("/dead-letters/replay")) == (403, "key_confined")


def test_no_number_of_an_answer_is_a_float(used: None, vendor: Api) -> None:
    def refuse(text: str) -> Any:
        raise AssertionError(text)

    paths = ["/events/b", "/events?account=acme", "/usage?account=acme&from=2026-12-11T00:00:00Z&to=2026-12-12T00:00:00Z"]
    for path in paths:
        json.loads(vendor.get(path).content, parse_float=refuse)
    assert UsageEvent.objects.count() == 3
