"""POST /events as a vendor's gateway sends it: every shape, and everything that can be wrong with it."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
import zstandard

from metering.ingest.group_commit import GroupCommit, IngestBusy
from metering.usage.models import UsageEvent
from tests.cast import OPENED_AT, Api, Company
from tests.factories.journal import figures
from tests.factories.usage import AT, credit, open_prices
from wallets import clock
from wallets.api_keys.issue import issue_api_key
from wallets.balances.models import Wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
EVENT = {
    "id": "req_1",
    "type": "llm.request",
    "account": "acme",
    "time": "2026-12-11T09:59:00.123Z",
    "properties": {"tokens": 100},
}
CLOUD = {
    "specversion": "1.0", "id": "7", "source": "/gateway", "type": "llm.request", "subject": "acme",
    "time": "2026-12-11T09:59:00Z",
}  # fmt: skip
COST = "0.000400000000"


@pytest.fixture(autouse=True)
def _at_ten(db: None) -> Iterator[None]:
    open_prices()
    with clock.set_to(AT):
        yield


@pytest.fixture
def gateway(acme: Company) -> Api:
    """A key that may send events and nothing else."""
    credit(acme.wallet, "41.2004")
    return Api(issue_api_key(name="gateway", scopes=["events:write"], at=OPENED_AT).secret)


def sent(**changes: Any) -> dict[str, Any]:
    return EVENT | changes


def raw(**changes: Any) -> bytes:
    return json.dumps(sent(**changes)).encode()


def assert_refused(answer: Any, status: int, code: str) -> None:
    """A problem document, and nothing was taken."""
    assert (answer.status_code, answer.json()["code"]) == (status, code), answer.content
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert answer.json()["status"] == status
    assert not UsageEvent.objects.exists()


def assert_one_is_invalid(answer: Any, detail: str = "") -> None:
    """200, and the only event was refused by name."""
    assert answer.status_code == 200, answer.content
    assert (answer.json()["accepted"], [row["code"] for row in answer.json()["rejected"]]) == (0, ["invalid"])
    assert detail in answer.json()["rejected"][0]["detail"]


def test_one_event_is_taken_charged_and_answered(gateway: Api, acme: Company) -> None:
    answer = gateway.post("/events", EVENT)
    assert answer.status_code == 200
    assert answer.json() == {
        "accepted": 1, "duplicates": 0, "unrated": 0, "rejected": [],
        "charged": [{"account": "acme", "currency": "USD", "amount": COST}],
        "balances": [{
            "wallet": acme.wallet.public_id, "account": "acme", "currency": "USD", "balance": "41.20", "held": "0.00",
            "available": "41.20",
        }],
    }  # fmt: skip
    acme.wallet.refresh_from_db()
    assert answer.headers["X-Balance-Available"] == "41.20"
    assert answer.headers["X-Balance-Version"] == str(acme.wallet.version)
    assert UsageEvent.objects.get().time == AT - timedelta(seconds=59, microseconds=877_000)


def test_a_list_is_answered_by_places(gateway: Api) -> None:
    answer = gateway.post(
        "/events",
        [
            sent(),
            sent(id="req_2", account="nobody"),
            sent(),
            {"id": "req_3"},
            sent(id="req_4", properties={"tokens": -1}),
            sent(id="req_5"),
        ],
    ).json()
    assert (answer["accepted"], answer["duplicates"]) == (2, 1)
    assert [(row["index"], row["id"], row["code"]) for row in answer["rejected"]] == [
        (1, "req_2", "unknown_account"), (3, "req_3", "invalid"), (4, "req_4", "invalid"),
    ]  # fmt: skip
    assert all(set(row) == {"index", "id", "code", "detail"} and row["detail"] for row in answer["rejected"])


def test_an_empty_list_is_nothing_to_take(gateway: Api) -> None:
    answer = gateway.post("/events", [])
    assert (answer.status_code, answer.json()["accepted"], answer.json()["balances"]) == (200, 0, [])


def test_an_event_without_a_time_happened_on_arrival(gateway: Api) -> None:
    gateway.post("/events", {name: value for name, value in EVENT.items() if name != "time"})
    assert UsageEvent.objects.get().time == AT


def test_a_structured_cloudevent_is_taken(gateway: Api) -> None:
    answer = gateway.post(
        "/events", CLOUD | {"data": {"tokens": 100}}, content_type="application/cloudevents+json; charset=utf-8"
    )
    assert answer.json()["charged"] == [{"account": "acme", "currency": "USD", "amount": COST}]
    assert UsageEvent.objects.get().event_id == "/gateway 7"


def test_a_cloudevents_batch_is_taken(gateway: Api) -> None:
    batch = [CLOUD | {"data": {"tokens": 100}}, CLOUD | {"id": "8", "specversion": "0.3"}, CLOUD | {"id": "9"}]
    answer = gateway.post("/events", batch, content_type="application/cloudevents-batch+json").json()
    assert (answer["accepted"], [row["index"] for row in answer["rejected"]]) == (2, [1])


def test_a_binary_cloudevent_is_taken(gateway: Api) -> None:
    headers = {f"ce_{name}": value for name, value in CLOUD.items()}
    answer = gateway.post("/events", raw=b'{"tokens": 100}', **headers).json()
    assert answer["charged"] == [{"account": "acme", "currency": "USD", "amount": COST}]
    assert UsageEvent.objects.get().properties == {"tokens": 100}


@pytest.mark.parametrize("encoding", ["gzip", "zstd", "identity"])
def test_packed_bodies_are_unpacked(gateway: Api, encoding: str) -> None:
    pack = {"gzip": gzip.compress, "zstd": zstandard.ZstdCompressor().compress, "identity": bytes}[encoding]
    assert gateway.post("/events", raw=pack(raw()), content_encoding=encoding).json()["accepted"] == 1


def test_an_id_charges_once_whatever_is_sent_with_it_later(gateway: Api, acme: Company) -> None:
    gateway.post("/events", EVENT)
    answer = gateway.post("/events", sent(time="2026-12-01T00:00:00Z", properties={"tokens": 999})).json()
    assert (answer["accepted"], answer["duplicates"], answer["charged"], answer["balances"]) == (0, 1, [], [])
    assert figures(acme.wallet)[0] == D("41.2")


def test_an_event_that_cannot_be_rated_is_taken_and_counted_as_unrated(gateway: Api, acme: Company) -> None:
    Wallet.objects.filter(pk=acme.wallet.pk).update(is_default=False)
    answer = gateway.post("/events", [EVENT, sent(id="req_2", time="2026-12-11T09:00:00Z")]).json()
    assert (answer["accepted"], answer["unrated"], answer["charged"], answer["balances"]) == (2, 2, [], [])


def test_numbers_are_read_exactly_and_answered_as_strings(gateway: Api) -> None:
    """0.123456789012 tokens at 0.000003 are 0.000000370370 (exactly ...370367036); 0.0001 for the call."""
    answer = gateway.post("/events", raw=raw(properties={}).replace(b"{}", b'{"tokens": 0.123456789012}'))
    found = json.loads(answer.content, parse_float=_no_number)
    assert found["charged"][0]["amount"] == "0.000100370370"
    assert all(isinstance(found["balances"][0][name], str) for name in ("balance", "held", "available"))


def _no_number(text: str) -> Any:
    raise AssertionError(text)


@pytest.mark.parametrize(
    "body",
    [
        b"", b"{", b"[", b"null", b"1", b'"x"', b"{'id': 1}", raw()[:-1], raw() + b"}", b"[" + raw() + b",]", b"\xff\xfe",
        b"<event/>",
        raw(properties={"tokens": float("nan")}), raw(properties={"tokens": float("inf")}),
        raw(properties={"tokens": float("-inf")}),
        b"[" * 100_000, b'{"a":' * 100_000,
    ],
)  # fmt: skip
def test_what_is_not_json_is_malformed(gateway: Api, body: bytes) -> None:
    assert_refused(gateway.post("/events", raw=body), 400, "malformed")


@pytest.mark.parametrize("content_type", ["application/cloudevents+json", "application/cloudevents-batch+json"])
@pytest.mark.parametrize("body", [b"", b"{", b"[", b"1", b"\xff", b'{"specversion": NaN}'])
def test_cloudevents_that_are_not_json_are_malformed(gateway: Api, content_type: str, body: bytes) -> None:
    assert_refused(gateway.post("/events", raw=body, content_type=content_type), 400, "malformed")


@pytest.mark.parametrize(
    "changes",
    [
        {"id": 1}, {"id": None}, {"id": ""}, {"id": "x" * 256}, {"id": "a\x00b"}, {"id": "a\nb"}, {"type": ["llm.request"]},
        {"account": {}},
        {"time": "2026-12-11T09:59:00"}, {"time": "soon"}, {"time": 1}, {"properties": []}, {"properties": None},
        {"properties": "x"},
        {"properties": {"tokens": "many"}}, {"properties": {"tokens": True}}, {"properties": {"tokens": [1]}},
        {"properties": {"tokens": -1}}, {"properties": {"tokens": "-0.5"}}, {"properties": {"tokens": "NaN"}},
        {"properties": {"tokens": "1e999999999"}}, {"properties": {"tokens": 10**18}},
        {"properties": {"tokens": "0.0000000000001"}},
        {"properties": {"tokens": 1, "text": "\x00"}}, {"properties": {"tokens": 1, "text": "\ud83d"}},
        {"properties": {"\x00": 1}},
        {"properties": {"tokens": 1, "text": "x" * 70_000}}, {"authorization": 5},
    ],
)  # fmt: skip
def test_an_event_that_cannot_be_taken_is_refused_by_name(gateway: Api, changes: dict[str, Any]) -> None:
    assert_one_is_invalid(gateway.post("/events", raw=raw(**changes)))
    listed = gateway.post("/events", raw=b"[" + raw(id="good") + b"," + raw(**changes) + b"]").json()
    assert (listed["accepted"], [(row["index"], row["code"]) for row in listed["rejected"]]) == (1, [(1, "invalid")])


@pytest.mark.parametrize(
    "number",
    [b"9" * 1_000_000, b"1e" + b"9" * 1_000, b"1e-99999999999999999999", b"0." + b"1" * 1_000_000, b"1" + b"0" * 400 + b".5"],
)
def test_a_number_without_end_is_refused(gateway: Api, number: bytes) -> None:
    body = raw(properties={}).replace(b"{}", b'{"tokens":' + number + b"}")
    assert_one_is_invalid(gateway.post("/events", raw=body))


def test_properties_a_hundred_levels_deep_or_more_are_refused(gateway: Api) -> None:
    for depth in (100, 5_000):
        deep = b'{"a":' + b"[" * depth + b"]" * depth + b"}"
        assert_one_is_invalid(gateway.post("/events", raw=raw(properties={}).replace(b"{}", deep)), "nested deeper than 32")


def test_bytes_that_are_not_utf_8_are_refused(gateway: Api) -> None:
    assert_one_is_invalid(gateway.post("/events", raw=raw(properties={"a": "?"}).replace(b"?", b"\xff")), "not valid UTF-8")


@pytest.mark.parametrize(
    ("time", "code"),
    [
        ("2026-11-06T09:59:59Z", "too_old"), ("0001-01-01T00:00:00+14:00", "too_old"), ("1969-12-31T00:00:00Z", "too_old"),
        ("2026-12-11T11:00:01Z", "in_future"), ("9999-12-31T23:59:59-14:00", "in_future"),
    ],
)  # fmt: skip
def test_times_too_far_away_are_refused(gateway: Api, time: str, code: str) -> None:
    assert [row["code"] for row in gateway.post("/events", sent(time=time)).json()["rejected"]] == [code]


@pytest.mark.parametrize("account", ["nobody", "ac\x00me", "\ud800", "ACME", "acme "])
def test_unknown_accounts_are_refused_and_the_rest_is_taken(gateway: Api, account: str) -> None:
    answer = gateway.post("/events", [sent(id="a"), sent(account=account), sent(id="b")])
    assert answer.status_code == 200
    assert answer.json()["accepted"] == 2
    (row,) = answer.json()["rejected"]
    assert (row["index"], row["code"] in {"unknown_account", "invalid"}) == (1, True)


def test_one_bad_event_of_ten_thousand_is_all_that_is_lost(gateway: Api) -> None:
    events = [sent(id=f"e{number}") for number in range(10_000)]
    events[1_234]["properties"] = {"tokens": "\ud83d"}
    answer = gateway.post("/events", events).json()
    assert (answer["accepted"], [row["index"] for row in answer["rejected"]]) == (9_999, [1_234])


def test_more_than_ten_thousand_events_are_too_many(gateway: Api) -> None:
    assert_refused(gateway.post("/events", [EVENT] * 10_001), 413, "too_many_events")


def test_seventeen_mebibytes_are_too_large(gateway: Api) -> None:
    assert_refused(gateway.post("/events", raw=b" " * (17 * 2**20)), 413, "body_too_large")


@pytest.mark.parametrize("encoding", ["gzip", "zstd"])
def test_bombs_are_too_large(gateway: Api, encoding: str) -> None:
    blanks = b" " * 2**26
    bomb = gzip.compress(blanks) if encoding == "gzip" else zstandard.ZstdCompressor().compress(blanks)
    assert len(bomb) < 100_000
    assert_refused(gateway.post("/events", raw=bomb, content_encoding=encoding), 413, "body_too_large")


@pytest.mark.parametrize(
    ("encoding", "body"), [("br", raw()), ("gzip", raw()), ("zstd", raw()), ("gzip", gzip.compress(raw(), mtime=0)[:-5])]
)
def test_bodies_that_are_not_packed_as_they_say_are_refused(gateway: Api, encoding: str, body: bytes) -> None:
    assert_refused(gateway.post("/events", raw=body, content_encoding=encoding), 415, "unsupported_media_type")


def test_a_zstd_body_that_is_cut_off_is_malformed(gateway: Api) -> None:
    body = zstandard.ZstdCompressor().compress(raw())
    assert_refused(gateway.post("/events", raw=body[:-5], content_encoding="zstd"), 400, "malformed")


def test_a_key_needs_the_scope(acme: Company) -> None:
    everything_else = issue_api_key(name="reader", scopes=["reports:read", "gate:check"], at=OPENED_AT)
    assert_refused(Api(everything_else.secret).post("/events", EVENT), 403, "missing_scope")
    assert_refused(Api("key_unknown").post("/events", EVENT), 401, "invalid_api_key")


def test_a_confined_key_sends_for_its_own_account_only(acme: Company, globex: Company) -> None:
    answer = globex.api.post("/events", [sent(), sent(account="globex"), sent(account="nobody")]).json()
    assert answer["accepted"] == 1
    assert [(row["index"], row["code"]) for row in answer["rejected"]] == [(0, "unknown_account"), (2, "unknown_account")]
    assert answer["rejected"][0]["detail"].replace("acme", "") == answer["rejected"][1]["detail"].replace("nobody", "")
    assert [balance["account"] for balance in answer["balances"]] == ["globex"]
    assert figures(acme.wallet)[0] == 0


def test_when_too_much_waits_the_sender_is_told_to_come_again(gateway: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(_self: GroupCommit, **_: Any) -> None:
        raise IngestBusy("Too many events are waiting; send these again in a moment.")

    monkeypatch.setattr(GroupCommit, "ingest", busy)
    answer = gateway.post("/events", EVENT)
    assert_refused(answer, 503, "ingest_busy")
    assert int(answer.headers["Retry-After"]) >= 1
