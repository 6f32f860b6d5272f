"""Holds as a vendor's gateway and backend use them."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from metering.usage.models import Charge, UsageEvent
from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import define_meter
from tests.cast import OPENED_AT, Api, Company
from tests.factories.balances import AT
from tests.factories.holds import figures, later
from tests.factories.prices import llm_prices
from wallets import clock
from wallets.accounts.models import Account
from wallets.balances.freeze import freeze_wallet
from wallets.balances.models import Wallet
from wallets.balances.policy import set_policy
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.holds.models import Hold

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

WORK = {"model": "gpt-5", "input_tokens": 1000, "output_tokens": 100}  # 0.03 at the prices below


@pytest.fixture(autouse=True)
def _now_and_here(settings: Any, acme: Company) -> Iterator[None]:
    settings.TOP_UP_URL = "https://pay.example/{account}"
    llm_prices(input_tokens="0.00001", output_tokens="0.0002")
    grant_credit(wallet_id=acme.wallet.pk, amount=D(5), kind="paid", at=OPENED_AT)
    with clock.set_to(AT):
        yield


def place(api: Api, **body: Any) -> Any:
    return api.post("/holds", {"account": "acme"} | body)


def event(name: str = "req_1", **said: Any) -> dict[str, Any]:
    return {"id": name, "type": "llm.request", "properties": WORK | said}


def test_an_amount_is_held_and_the_answer_says_what_is_left(vendor: Api, acme: Company) -> None:
    answer = place(vendor, amount="1.25", ttl_seconds=60, subject="u_77")
    body = answer.json()
    assert answer.status_code == 201
    assert body.pop("id").startswith("hold_")
    assert body == {
        "account": "acme", "wallet": acme.wallet.public_id, "currency": "USD", "state": "open", "amount": "1.25",
        "captured": "0.00", "subject": "u_77", "placed_at": "2026-11-23T10:00:00Z", "expires_at": "2026-11-23T10:01:00Z",
        "ended_at": None, "meter": None, "granted_units": None, "used_units": None, "slice": None,
        "final_unit_action": None, "redirect_url": None, "restricted_to": None,
    }  # fmt: skip
    assert (answer.headers["X-Balance-Available"], answer.headers["X-Balance-Version"]) == ("3.75", "2")


def test_an_estimate_is_held_at_the_price_of_its_event(vendor: Api) -> None:
    assert place(vendor, type="llm.request", properties=WORK).json()["amount"] == "0.03"
    assert Hold.objects.get().meters == ["llm.input_tokens", "llm.output_tokens"]


def test_402_names_the_reason_what_is_needed_what_there_is_and_where_to_top_up(vendor: Api, acme: Company) -> None:
    place(vendor, amount="4.5")
    answer = place(vendor, amount="0.51")
    assert (answer.status_code, answer.headers["Content-Type"]) == (402, "application/problem+json")
    body = answer.json()
    assert {name: body[name] for name in ("code", "reason", "needed", "available", "currency", "top_up_url")} == {
        "code": "balance_exhausted", "reason": "balance_exhausted", "needed": "0.51", "available": "0.50",
        "currency": "USD", "top_up_url": "https://pay.example/acme",
    }  # fmt: skip
    assert (answer.headers["X-Balance-Available"], answer.headers["X-Balance-Version"]) == ("0.50", "2")
    freeze_wallet(wallet_id=acme.wallet.pk, at=AT)
    assert place(vendor, amount="0.1").json()["reason"] == "wallet_frozen"
    vendor.post("/accounts/acme/suspend")
    assert place(vendor, amount="0.1").json()["reason"] == "account_suspended"
    nowhere = place(vendor, amount="0.1", currency="EUR")
    assert (nowhere.status_code, "X-Balance-Available" in nowhere) == (402, False)


@pytest.mark.parametrize(
    "body",
    [
        {}, {"amount": "1", "type": "llm.request"}, {"units": "1"}, {"meter": "llm.output_tokens"}, {"amount": "-1"},
        {"amount": "1", "ttl_seconds": 0}, {"amount": "1", "ttl_seconds": 86401}, {"type": "nobody.counts"},
        {"type": "llm.request", "properties": {"model": "gpt-6", "input_tokens": 1}},
        {"type": "llm.request", "properties": {"model": "gpt-5", "input_tokens": -1}},
        {"meter": "nobody", "units": "1"}, {"meter": "llm.output_tokens", "units": "1", "properties": {"model": "gpt-6"}},
        {"meter": "llm.output_tokens", "units": "0", "properties": {"model": "gpt-5"}}, {"amount": "1", "colour": "red"},
    ],
)  # fmt: skip
def test_bad_holds_are_named(vendor: Api, body: dict[str, Any]) -> None:
    answer = place(vendor, **body)
    assert (answer.status_code, bool(answer.json()["errors"])) == (422, True)


def test_an_event_captures_a_hold_and_is_charged_as_if_it_had_been_sent(vendor: Api, acme: Company) -> None:
    hold = place(vendor, amount="1").json()["id"]
    answer = vendor.post(f"/holds/{hold}/capture", {"event": event(output_tokens=200)})
    body = answer.json()
    assert answer.status_code == 200
    assert {name: body[name] for name in ("state", "captured", "charged", "forgiven", "replayed", "event")} == {
        "state": "captured", "captured": "0.05", "charged": "0.05", "forgiven": "0.00", "replayed": False, "event": "charged",
    }  # fmt: skip
    assert answer.headers["X-Balance-Available"] == "4.95"
    assert figures(acme.wallet) == ("4.95", "0", "4.95")
    assert vendor.get("/events/req_1?account=acme").json()["status"] == "charged"
    assert vendor.post("/events/req_1/void", {}).status_code == 200
    assert figures(acme.wallet) == ("5", "0", "5")


def test_the_same_event_captures_once(vendor: Api, acme: Company) -> None:
    hold = place(vendor, amount="1").json()["id"]
    first, again = (vendor.post(f"/holds/{hold}/capture", {"event": event()}).json() for _ in range(2))
    assert (first["replayed"], again["replayed"], again["captured"]) == (False, True, "0.03")
    other = vendor.post(f"/holds/{hold}/capture", {"event": event("req_2")})
    assert (other.status_code, other.json()["code"]) == (409, "hold_ended")
    assert list(UsageEvent.objects.values_list("event_id", flat=True)) == ["req_1"], "what was refused is not stored"
    assert figures(acme.wallet) == ("4.97", "0", "4.97")


def test_an_event_that_was_sent_before_charges_nothing_more_and_ends_the_hold(vendor: Api, acme: Company) -> None:
    hold = place(vendor, amount="1").json()["id"]
    vendor.post("/events", event() | {"account": "acme"})
    body = vendor.post(f"/holds/{hold}/capture", {"event": event()}).json()
    assert (body["state"], body["captured"], body["event"]) == ("captured", "0.00", "duplicate")
    assert vendor.post("/events", event() | {"account": "acme"}).json()["duplicates"] == 1
    assert figures(acme.wallet) == ("4.97", "0", "4.97")


def test_a_refused_capture_leaves_no_event_and_no_charge(vendor: Api, acme: Company) -> None:
    place(vendor, amount="4.99")
    hold = place(vendor, amount="0.01").json()["id"]
    answer = vendor.post(f"/holds/{hold}/capture", {"event": event()})
    assert (answer.status_code, answer.json()["code"], answer.json()["needed"]) == (402, "balance_exhausted", "0.03")
    assert answer.headers["X-Balance-Available"] == "0.00"
    assert (UsageEvent.objects.count(), Charge.objects.count()) == (0, 0)
    assert figures(acme.wallet) == ("5", "5", "0")
    assert vendor.post(f"/holds/{hold}/capture", {"event": event(), "above": "refuse"}).json()["code"] == "capture_above_hold"
    body = vendor.post(f"/holds/{hold}/capture", {"event": event(), "above": "cap"}).json()
    assert (body["charged"], body["forgiven"]) == ("0.01", "0.02")
    assert figures(acme.wallet) == ("4.99", "4.99", "0")


def test_an_event_after_the_end_of_held_credit_is_paid_by_it(vendor: Api, acme: Company) -> None:
    vendor.patch(f"/wallets/{acme.wallet.public_id}", {"policy": {"on_empty": "block"}})
    grant_credit(wallet_id=acme.wallet.pk, amount=D(3), kind="trial", at=OPENED_AT, expires_at=later(60))
    hold = place(vendor, amount="8").json()["id"]
    expire_lots(at=later(60))
    with clock.set_to(later(100)):
        late = event(output_tokens=36_000) | {"time": "2026-11-23T10:01:39Z"}
        body = vendor.post(f"/holds/{hold}/capture", {"event": late}).json()
    assert (body["charged"], body["state"]) == ("7.21", "captured")
    now = Wallet.objects.get(pk=acme.wallet.pk)
    assert (now.balance, now.overdraft) == (D("0.79"), D(0))


def test_an_event_no_price_fits_is_kept_and_the_hold_given_back(vendor: Api, acme: Company) -> None:
    hold = place(vendor, amount="1").json()["id"]
    body = vendor.post(f"/holds/{hold}/capture", {"event": event(model="gpt-6")}).json()
    assert (body["state"], body["charged"], body["event"]) == ("captured", "0.00", "unrated")
    assert figures(acme.wallet) == ("5", "0", "5")


@pytest.mark.parametrize(
    ("change", "field"),
    [({"account": "globex"}, "event.account"), ({"id": ""}, "event.id"), ({"id": "x" * 256}, "event.id"),
     ({"type": "nobody.counts"}, "event"), ({"properties": {"model": "gpt-5", "input_tokens": -1}}, "event"),
     ({"time": "2026-11-23T12:00:00Z"}, "event")],
)  # fmt: skip
def test_an_event_that_is_refused_leaves_the_hold(vendor: Api, acme: Company, change: Any, field: str) -> None:
    hold = place(vendor, amount="1").json()["id"]
    answer = vendor.post(f"/holds/{hold}/capture", {"event": event() | change})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])
    assert figures(acme.wallet) == ("5", "1", "4")


def test_an_event_in_another_currency_is_not_charged_under_this_hold(vendor: Api, acme: Company) -> None:
    vendor.post("/accounts/acme/wallets", {"currency": "EUR"})
    vendor.post("/accounts/acme/wallets", {"currency": "EUR", "name": "more"})
    set_policy(wallet_id=Account.objects.get(key="acme").wallets.get(currency="EUR", is_default=True).pk,
               on_empty="grace", grace_limit=D(1), at=AT)  # fmt: skip
    hold = place(vendor, amount="1", currency="EUR").json()["id"]
    answer = vendor.post(f"/holds/{hold}/capture", {"event": event()})
    assert (answer.status_code, list(answer.json()["errors"])) == (422, ["event"])
    assert not UsageEvent.objects.exists()


def test_an_idempotency_key_places_and_captures_once(vendor: Api, acme: Company) -> None:
    first, again = (vendor.post("/holds", {"account": "acme", "amount": "1"}, idempotency_key="a") for _ in range(2))
    assert (again.json(), again.headers["Idempotency-Replayed"]) == (first.json(), "true")
    assert again.headers["X-Balance-Available"] == "4.00"
    path = f"/holds/{first.json()['id']}/capture"
    one, two = (vendor.post(path, {"amount": "0.4"}, idempotency_key="b") for _ in range(2))
    assert (one.json(), two.json()["replayed"]) == (two.json(), False)
    assert figures(acme.wallet) == ("4.6", "0", "4.6")


def test_release_extend_read_and_list(vendor: Api, acme: Company) -> None:
    first, second, third = (place(vendor, amount="1", ttl_seconds=60).json()["id"] for _ in range(3))
    assert vendor.post(f"/holds/{first}/release").json()["state"] == "released"
    with clock.set_to(later(30)):
        assert vendor.post(f"/holds/{second}/extend", {"ttl_seconds": 60}).json()["expires_at"] == "2026-11-23T10:01:30Z"
    with clock.set_to(later(60)):
        answer = vendor.get(f"/holds/{third}")
        assert (answer.json()["state"], answer.json()["ended_at"]) == ("lapsed", "2026-11-23T10:01:00Z")
        assert answer.headers["X-Balance-Available"] == "4.00", "what has lapsed is not held, swept or not"
        assert vendor.get(f"/wallets/{acme.wallet.public_id}").json()["available"] == "4.00"
        listed = vendor.get("/holds?account=acme").json()["data"]
        assert [(one["id"], one["state"]) for one in listed] == [(third, "lapsed"), (second, "open"), (first, "released")]
        assert [one["id"] for one in vendor.get("/holds?account=acme&state=released").json()["data"]] == [first]
        refused = vendor.post(f"/holds/{third}/extend", {"ttl_seconds": 60})
        assert (refused.status_code, refused.json()["code"]) == (409, "hold_lapsed")
        assert refused.headers["X-Balance-Available"] == "4.00"


def test_listing_asks_the_same_few_queries_however_many_holds(vendor: Api, django_assert_num_queries: Any) -> None:
    place(vendor, amount="0.01")
    for _ in range(5):
        place(vendor, amount="0.01")
    with django_assert_num_queries(2):
        assert len(vendor.get("/holds?account=acme").json()["data"]) == 6


def test_a_confined_key_cannot_make_the_vendor_bear_the_cost(acme: Company, globex: Company) -> None:
    hold = place(acme.api, amount="0.01").json()["id"]
    assert acme.api.post(f"/holds/{hold}/capture", {"amount": "0.02", "above": "cap"}).status_code == 403
    assert globex.api.get(f"/holds/{hold}").status_code == 404
    assert acme.api.post(f"/holds/{hold}/capture", {"amount": "0.01"}).status_code == 200


def units(api: Api, wanted: str = "10000", **more: Any) -> Any:
    return place(api, meter="llm.output_tokens", units=wanted, properties={"model": "gpt-5"}, **more)


def test_units_are_granted_used_and_renewed_until_the_last(vendor: Api, acme: Company) -> None:
    Account.objects.filter(key="acme").update(final_unit_action="redirect")
    first = units(vendor, "10000", ttl_seconds=60).json()
    assert (first["granted_units"], first["amount"], first["slice"], first["final_unit_action"]) == (
        "10000.00",
        "2.00",
        1,
        None,
    )
    path = f"/holds/{first['id']}/renew"
    with clock.set_to(later(59)):
        second = vendor.post(path, {"used_units": "10000", "slice": 1}).json()
    assert (second["charged"], second["granted_units"], second["slice"]) == ("2.00", "10000.00", 2)
    assert (second["expires_at"], second["final_unit_action"]) == ("2026-11-23T10:01:59Z", None)
    with clock.set_to(later(60)):
        third = vendor.post(path, {"used_units": "10000", "slice": 2}).json()
        assert (third["granted_units"], third["amount"], third["slice"]) == ("5000.00", "1.00", 3)
        assert (third["final_unit_action"], third["redirect_url"]) == ("redirect", "https://pay.example/acme")
        assert figures(acme.wallet) == ("1", "1", "0")
        again = vendor.post(path, {"used_units": "10000", "slice": 2})
        assert (again.status_code, again.json()["code"]) == (409, "slice_reported")
        last = vendor.post(path, {"used_units": "5000", "slice": 3}).json()
    assert (last["state"], last["granted_units"], last["reason"]) == ("captured", "0.00", "balance_exhausted")
    assert (last["used_units"], last["captured"], last["final_unit_action"]) == ("25000.00", "5.00", "redirect")
    assert figures(acme.wallet) == ("0", "0", "0")
    refused = units(vendor)
    assert (refused.status_code, refused.json()["reason"]) == (402, "balance_exhausted")
    assert refused.json()["final_unit_action"] == "redirect"
    usage = Charge.objects.filter(meter__code="llm.output_tokens")
    assert sum(charge.quantity for charge in usage) == D(25000)


def test_less_is_granted_than_asked_and_the_rest_of_a_slice_goes_back(vendor: Api, acme: Company) -> None:
    Account.objects.filter(key="acme").update(final_unit_action="restrict", final_unit_meters=["llm.input_tokens"])
    hold = units(vendor, "1000000.5").json()
    assert (hold["granted_units"], hold["amount"]) == ("25000.00", "5.00")
    assert (hold["final_unit_action"], hold["restricted_to"]) == ("restrict", ["llm.input_tokens"])
    ended = vendor.post(f"/holds/{hold['id']}/capture", {"used_units": "7"}).json()
    assert (ended["state"], ended["charged"], ended["final_unit_action"]) == ("captured", "0.0014", None)
    assert figures(acme.wallet) == ("4.9986", "0", "4.9986")


def test_a_slice_whose_validity_time_is_over_is_charged_late_and_ends(vendor: Api, acme: Company) -> None:
    hold = units(vendor, "1000", ttl_seconds=60).json()["id"]
    with clock.set_to(later(60)):
        place(vendor, amount="4.9")
        over = vendor.post(f"/holds/{hold}/renew", {"used_units": "501"})
        assert (over.status_code, over.json()["code"]) == (409, "hold_lapsed")
        body = vendor.post(f"/holds/{hold}/renew", {"used_units": "500"}).json()
    assert (body["state"], body["charged"], body["reason"]) == ("captured", "0.10", "hold_lapsed")
    assert figures(acme.wallet) == ("4.9", "4.9", "0")


def test_a_suspended_account_is_charged_for_what_it_used_and_gets_no_more(vendor: Api, acme: Company) -> None:
    hold = units(vendor, "1000").json()["id"]
    vendor.post("/accounts/acme/suspend")
    body = vendor.post(f"/holds/{hold}/renew", {"used_units": "1000"}).json()
    assert (body["state"], body["charged"], body["reason"]) == ("captured", "0.20", "account_suspended")


def test_units_of_a_counting_meter_are_reported_as_so_many_events(vendor: Api, acme: Company) -> None:
    define_meter(code="calls", event_type="call", aggregation="count", at=OPENED_AT)
    book = create_price_book(name="By call", currency="USD", at=OPENED_AT)
    version = draft_version(book=book, prices=[PriceTerms(meter="calls", unit_price=D("0.01"))], at=OPENED_AT)
    publish_version(version=version, effective_at=OPENED_AT, at=OPENED_AT)
    vendor.patch("/accounts/acme", {"price_book": book.public_id})
    hold = place(vendor, meter="calls", units="300").json()
    assert (hold["granted_units"], hold["amount"]) == ("300.00", "3.00")
    body = vendor.post(f"/holds/{hold['id']}/renew", {"used_units": "40", "units": "600"}).json()
    assert (body["charged"], body["granted_units"], body["final_unit_action"]) == ("0.40", "460.00", "terminate")
    assert UsageEvent.objects.filter(event_id__startswith=f"{hold['id']}/1/").count() == 40
    for wrong in ({"used_units": "1.5"}, {"used_units": "10001"}, {"used_units": "1", "units": "-1"}):
        assert vendor.post(f"/holds/{hold['id']}/renew", wrong).status_code == 422


def test_a_hold_of_an_amount_is_not_renewed(vendor: Api) -> None:
    hold = place(vendor, amount="1").json()["id"]
    answer = vendor.post(f"/holds/{hold}/renew", {"used_units": "1"})
    assert (answer.status_code, answer.json()["code"]) == (409, "hold_not_of_units")
