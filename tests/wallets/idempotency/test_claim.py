"""A request with an Idempotency-Key takes effect once, whatever is repeated, raced or lost (I4)."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction

from billing_site.api import idempotency
from pricing.meters.models import Meter
from tests.cast import OPENED_AT, Api, Company
from wallets.idempotency.claim import FirstAnswer, KeyInUse, KeyReused, claim_key, store_answer
from wallets.idempotency.models import StoredAnswer
from wallets.idempotency.purge import KEPT_FOR, purge_answers

METER = {"code": "calls", "event_type": "call", "aggregation": "count"}


def claim(key: str = "k", body: bytes = b"b", caller: str = "key_a") -> FirstAnswer | int:
    return claim_key(caller=caller, key=key, body_hash=body.ljust(32), at=OPENED_AT)


def test_the_first_claim_is_settled_and_replayed(db: None) -> None:
    first = claim()
    assert isinstance(first, int)
    store_answer(claim_id=first, status=201, headers={"Content-Type": "text/plain"}, body=b"\x00\xff")
    assert claim() == FirstAnswer(201, {"Content-Type": "text/plain"}, b"\x00\xff")


def test_a_key_is_one_callers_own(db: None) -> None:
    assert isinstance(claim(caller="key_a"), int)
    assert isinstance(claim(caller="key_b"), int)


def test_another_request_under_the_same_key_is_refused(db: None) -> None:
    first = claim()
    assert isinstance(first, int)
    store_answer(claim_id=first, status=201, headers={}, body=b"")
    with pytest.raises(KeyReused):
        claim(body=b"other")


def test_answers_are_forgotten_after_thirty_days(db: None) -> None:
    claim()
    assert purge_answers(at=OPENED_AT + KEPT_FOR) == 0
    assert purge_answers(at=OPENED_AT + KEPT_FOR + timedelta(seconds=1)) == 1


def test_a_repeated_request_is_answered_as_the_first_byte_for_byte(vendor: Api) -> None:
    first = vendor.post("/meters", METER, idempotency_key="m-1")
    again = vendor.post("/meters", METER, idempotency_key="m-1")
    assert (first.status_code, again.status_code) == (201, 201)
    assert again.content == first.content
    assert again["Content-Type"] == first["Content-Type"]
    assert (first.get("Idempotency-Replayed"), again["Idempotency-Replayed"]) == (None, "true")
    assert Meter.objects.count() == 1


def test_an_answer_about_a_wallet_is_replayed_with_its_headers(vendor: Api, acme: Company) -> None:
    path = f"/wallets/{acme.wallet.public_id}/credits"
    answers = [vendor.post(path, {"amount": "10", "kind": "paid"}, idempotency_key="c-1") for _ in range(2)]
    assert [answer["X-Balance-Available"] for answer in answers] == ["10.00", "10.00"]
    assert vendor.get(f"/wallets/{acme.wallet.public_id}").json()["balance"] == "10.00"


@pytest.mark.parametrize("other", [{"code": "other"}, {"unit": "call"}])
def test_the_same_key_with_another_body_is_422(vendor: Api, other: dict[str, str]) -> None:
    vendor.post("/meters", METER, idempotency_key="m-1")
    refused = vendor.post("/meters", METER | other, idempotency_key="m-1")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_key_reused")
    assert Meter.objects.count() == 1


def test_the_same_key_at_another_address_is_422(vendor: Api, acme: Company) -> None:
    freeze, thaw = (f"/wallets/{acme.wallet.public_id}/{verb}" for verb in ("freeze", "thaw"))
    assert vendor.post(freeze, idempotency_key="k").status_code == 200
    assert vendor.post(thaw, idempotency_key="k").status_code == 422


def test_two_callers_may_use_one_key(vendor: Api, acme: Company, globex: Company) -> None:
    for api, company in ((acme.api, acme), (globex.api, globex), (vendor, acme)):
        answer = api.post(f"/accounts/{company.account.key}/wallets", {"currency": "EUR"}, idempotency_key="w-1")
        assert (answer.status_code, answer.get("Idempotency-Replayed")) == (201, None)


def test_a_refusal_is_kept_and_leaves_nothing_else(vendor: Api) -> None:
    body = {"account": "acme", "name": "Acme", "price_book": "pbk_none"}
    first = vendor.post("/accounts", body, idempotency_key="a-1")
    again = vendor.post("/accounts", body, idempotency_key="a-1")
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (422, 422, "true")
    assert again.content == first.content
    assert again["Content-Type"] == "application/problem+json"
    assert vendor.get("/accounts/acme").status_code == 404


def test_a_request_without_permission_is_not_kept(acme: Company) -> None:
    for _ in range(2):
        assert acme.api.post("/meters", METER, idempotency_key="m-1").status_code == 403
    assert not StoredAnswer.objects.exists()


def test_a_request_that_failed_on_our_side_is_not_kept_and_leaves_nothing(vendor: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(**_: Any) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr(idempotency, "store_answer", fail)
        assert vendor.post("/meters", METER, idempotency_key="m-1").status_code == 500
    assert not Meter.objects.exists()
    assert not StoredAnswer.objects.exists()
    assert vendor.post("/meters", METER, idempotency_key="m-1").status_code == 201


@pytest.mark.parametrize("key", ["", "x" * 256, "caf\xe9", "a\tb"])
def test_a_key_that_is_none_is_refused(vendor: Api, key: str) -> None:
    refused = vendor.post("/meters", METER, idempotency_key=key)
    assert (refused.status_code, refused.json()["code"]) == (422, "invalid_idempotency_key")
    assert not Meter.objects.exists()


def test_a_key_means_nothing_to_a_get(vendor: Api) -> None:
    for _ in range(2):
        assert vendor.get("/meters", idempotency_key="g-1").get("Idempotency-Replayed") is None


# --- races, on connections of their own ---------------------------------------------------------------------------------


def in_threads(work: list[Any]) -> list[Any]:
    """Run each at the same moment in a thread of its own."""
    gate = threading.Barrier(len(work))

    def run(one: Any) -> Any:
        try:
            gate.wait(10)
            return one()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(work)) as threads:
        return list(threads.map(run, work))


def grant_twice(vendor: Api, acme: Company, keys: list[str]) -> tuple[list[Any], str]:
    path = f"/wallets/{acme.wallet.public_id}/credits"
    body = {"amount": "10", "kind": "paid"}
    answers = in_threads([lambda key=key: vendor.post(path, body, idempotency_key=key) for key in keys])
    return answers, vendor.get(f"/wallets/{acme.wallet.public_id}").json()["balance"]


@pytest.mark.django_db(transaction=True)
def test_of_many_requests_at_once_one_takes_effect_and_all_get_its_answer(vendor: Api, acme: Company) -> None:
    answers, balance = grant_twice(vendor, acme, ["same"] * 8)
    assert balance == "10.00"
    assert {answer.status_code for answer in answers} == {201}
    assert len({answer.content for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer for answer in answers) == 7


@pytest.mark.django_db(transaction=True)
def test_control_without_one_key_the_same_race_takes_effect_each_time(vendor: Api, acme: Company) -> None:
    answers, balance = grant_twice(vendor, acme, [f"key-{number}" for number in range(8)])
    assert balance == "80.00"
    assert len({answer.content for answer in answers}) == 8


@pytest.mark.django_db(transaction=True)
def test_a_second_request_takes_over_when_the_first_fails(db: None) -> None:
    claimed, failed = threading.Event(), threading.Event()

    def first() -> str:
        try:
            with transaction.atomic():
                assert isinstance(claim(), int)
                claimed.set()
                failed.wait(10)
                _ = 1 / 0
        except ZeroDivisionError:
            return "failed"

    def second() -> str:
        claimed.wait(10)
        threading.Timer(0.2, failed.set).start()
        with transaction.atomic():
            return "took over" if isinstance(claim(), int) else "replayed"

    assert in_threads([first, second]) == ["failed", "took over"]


@pytest.mark.django_db(transaction=True)
def test_a_second_request_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wallets.idempotency.claim.WAIT_MS", 100)
    claimed, given_up = threading.Event(), threading.Event()

    def first() -> None:
        with transaction.atomic():
            claim()
            claimed.set()
            given_up.wait(10)

    def second() -> bool:
        claimed.wait(10)
        try:
            with transaction.atomic(), pytest.raises(KeyInUse):
                claim()
        finally:
            given_up.set()
        return True

    assert in_threads([first, second]) == [None, True]
