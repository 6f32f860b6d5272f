"""A batch of events: charged exactly, once, to the right wallet, and reported. After each test everything is proved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal as D
from typing import Any

import pytest

from metering.ingest import batch
from metering.ingest.batch import IngestResult, ingest_batch, ingest_requests
from metering.ingest.decode import UsageInput
from metering.usage.explain import event_pk_of, explain_event
from metering.usage.models import Charge, HourlyUsage, UsageEvent
from pricing.books.assign import assign_price_book
from pricing.books.models import PriceBook
from tests.cast import OPENED_AT, Company, open_company
from tests.factories.journal import figures, journal, last_entry, lots
from tests.factories.usage import AT, CALL, TOKEN, credit, event, open_prices, price_list, publish
from wallets.balances.freeze import freeze_wallet
from wallets.balances.lock import LockBusy
from wallets.balances.models import Wallet
from wallets.balances.open import close_wallet, open_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
DAY = timedelta(days=1)
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)


@pytest.fixture(autouse=True)
def book(db: None) -> PriceBook:
    """The default prices, in force since long ago."""
    return open_prices()


def send(*events: UsageInput, at: datetime = AT) -> IngestResult:
    return ingest_batch(events=events, at=at)


def counts(result: IngestResult) -> tuple[int, int, int, list[str]]:
    """(accepted, duplicates, unrated, codes of the refusals)."""
    return result.accepted, result.duplicates, result.unrated, [refused.code for refused in result.rejected]


def charged(result: IngestResult) -> dict[tuple[str, str], D]:
    return {(row.account, row.currency): row.amount for row in result.charged}


def rolled_up(meter: str) -> list[tuple[Any, ...]]:
    rows = HourlyUsage.objects.filter(meter__code=meter).order_by("hour", "dimensions")
    return [(row.hour, row.dimensions, row.events, row.quantity, row.amount) for row in rows]


def test_a_batch_is_charged_exactly(acme: Company) -> None:
    """
    1,000 tokens of gpt-5    1,000 x 0.00001 = 0.01        costs us 1,000 x 0.000004 = 0.004
    812 tokens of another      812 x 0.000003 = 0.002436               812 x 0.000001 = 0.000812
    two calls                    2 x 0.0001   = 0.0002
    together                                    0.012636 of 5.00: 4.987364 are left
    """
    credit(acme.wallet, "5")
    result = send(event("a", 1_000, properties={"model": "gpt-5"}), event("b", 812, properties={"model": "gpt-4"}))
    assert counts(result) == (2, 0, 0, [])
    assert charged(result) == {("acme", "USD"): D("0.012636")}
    (balance,) = result.balances
    assert (balance.wallet, balance.account, balance.currency) == (acme.wallet.public_id, "acme", "USD")
    assert (balance.balance, balance.held, balance.available) == (D("4.987364"), D(0), D("4.987364"))
    assert figures(acme.wallet) == (D("4.987364"), D(0))
    rows: Any = Charge.objects.order_by("event__event_id", "meter__code").values_list(
        "event__event_id", "meter__code", "quantity", "amount", "cost"
    )
    assert list(rows) == [
        ("a", "calls", 1, CALL, 0),
        ("a", "tokens", 1_000, D("0.01"), D("0.004")),
        ("b", "calls", 1, CALL, 0),
        ("b", "tokens", 812, D("0.002436"), D("0.000812")),
    ]


def test_the_journal_has_one_entry_a_batch_with_a_line_a_meter(acme: Company) -> None:
    credit(acme.wallet, "5")
    send(event("a", 1_000), event("b", 500))
    assert last_entry(acme.wallet) == (
        "USAGE",
        [
            "prepaid_liability @ paid -0.0002",
            "prepaid_liability @ paid -0.0045",
            "revenue:calls 0.0002",
            "revenue:tokens 0.0045",
        ],
    )
    assert len(journal(acme.wallet)) == 2


def test_usage_is_rolled_up_by_hour_meter_and_dimension(acme: Company) -> None:
    eu = {"model": "gpt-4", "region": "eu"}
    send(
        event("a", 1, properties=eu), event("b", 2, properties=eu, time=AT + timedelta(minutes=59, seconds=59)),
        event("c", 3, properties={"region": "us"}), event("d", 4), event("e", 5, properties=eu, time=AT + HOUR),
    )  # fmt: skip
    send(event("f", 6, properties=eu), event("a", 1, properties=eu))
    assert rolled_up("tokens") == [
        (AT, {}, 1, 4, 4 * TOKEN),
        (AT, {"region": "us"}, 1, 3, 3 * TOKEN),
        (AT, eu, 3, 9, 9 * TOKEN),
        (AT + HOUR, eu, 1, 5, 5 * TOKEN),
    ]
    assert rolled_up("calls") == [(AT, {}, 5, 5, 5 * CALL), (AT + HOUR, {}, 1, 1, CALL)]


def test_an_event_explains_itself_down_to_its_lots(acme: Company) -> None:
    """0.0031 of 0.005 promotional credit go to the first event; the second takes the rest and 0.0012 of what was paid.

    The charges of a meter are laid end to end: calls first (0.0001, 0.0001), then tokens (0.003, 0.003).
    """
    credit(acme.wallet, "1")
    credit(acme.wallet, "0.005", kind="promotional", priority=10)
    send(event("a", 1_000), event("b", 1_000))
    drawn = {}
    for event_id in ("a", "b"):
        explained = explain_event(event_pk=event_pk_of(event_id=event_id, account_key="acme"))
        assert explained.status == "charged"
        assert explained.totals == (("USD", D("0.0031")),)
        drawn[event_id] = {
            charge.meter.code: [(draw.kind, draw.amount) for draw in charge.draws] for charge in explained.charges
        }
    assert drawn == {
        "a": {"calls": [("promotional", CALL)], "tokens": [("promotional", D("0.003"))]},
        "b": {"calls": [("promotional", CALL)], "tokens": [("promotional", D("0.0018")), ("paid", D("0.0012"))]},
    }
    assert lots(acme.wallet) == [("paid", "OPEN", D("0.9988")), ("promotional", "EXHAUSTED", 0)]


def test_what_no_lot_covers_becomes_overdraft(acme: Company) -> None:
    credit(acme.wallet, "0.001")
    result = send(event("a", 1_000))
    assert figures(acme.wallet) == (D("-0.0021"), D("0.0021"))
    assert result.balances[0].available == D("-0.0021")


def test_credit_is_drawn_as_it_was_valid_when_the_usage_happened(acme: Company) -> None:
    """A late event may draw a lot that has not ended at its time, and not one that began after it."""
    credit(acme.wallet, "1", expires_at=AT)
    credit(acme.wallet, "1", effective_at=AT, at=AT, kind="promotional")
    send(event("before", 1_000, time=AT - timedelta(microseconds=1)), event("after", 1_000, time=AT))
    assert lots(acme.wallet) == [("paid", "OPEN", D("0.9969")), ("promotional", "OPEN", D("0.9969"))]


@pytest.mark.parametrize("minutes", [(-1, 0), (0, -1), (9, 10), (10, 9)])
def test_a_lot_is_drawn_by_the_events_of_its_time_whichever_comes_first(acme: Company, minutes: tuple[int, int]) -> None:
    """One lot is valid for ten minutes; of two events one was in them."""
    credit(acme.wallet, "1", effective_at=AT, expires_at=AT + timedelta(minutes=10), at=AT)
    send(*(event(str(minute), 1_000, time=AT + timedelta(minutes=minute)) for minute in minutes))
    assert lots(acme.wallet) == [("paid", "OPEN", 1 - D("0.0031"))]
    assert figures(acme.wallet) == (1 - 2 * D("0.0031"), D("0.0031"))


def test_an_id_charges_once_within_a_batch_and_across_batches(acme: Company) -> None:
    first = send(event("a", 100), event("b", 100), event("a", 100))
    assert counts(first) == (2, 1, 0, [])
    again = send(event("b", 100), event("c", 100), event("a", 100))
    assert counts(again) == (1, 2, 0, [])
    assert charged(first) == {("acme", "USD"): D("0.0008")}
    assert charged(again) == {("acme", "USD"): D("0.0004")}
    assert figures(acme.wallet)[0] == D("-0.0012")


def test_an_id_with_another_body_is_a_duplicate_and_changes_nothing(acme: Company) -> None:
    send(event("a", 100))
    other = event("a", 999_999, time=AT + HOUR, properties={"model": "gpt-5"})
    for result in (send(other), send(other, event("a", None, event_type="ping"), at=AT + HOUR)):
        assert result.accepted == 0
        assert not result.charged
        assert not result.balances
    assert list(UsageEvent.objects.values_list("event_id", "type", "time", "properties")) == [
        ("a", "llm.request", AT, {"tokens": 100})
    ]
    assert figures(acme.wallet)[0] == D("-0.0004")


def test_of_two_bodies_with_one_id_in_a_batch_the_first_counts(acme: Company) -> None:
    result = send(event("x", 1), event("a", 100), event("a", 999_999))
    assert (result.accepted, result.duplicates) == (2, 1)
    assert UsageEvent.objects.get(event_id="a").properties == {"tokens": 100}


def test_two_accounts_may_use_one_id(acme: Company, globex: Company) -> None:
    result = send(event("a", 100), event("a", 200, account="globex"))
    assert charged(result) == {("acme", "USD"): D("0.0004"), ("globex", "USD"): D("0.0007")}
    assert (figures(acme.wallet)[0], figures(globex.wallet)[0]) == (D("-0.0004"), D("-0.0007"))


def test_a_free_event_is_kept_and_reported_and_moves_nothing(acme: Company) -> None:
    credit(acme.wallet, "1")
    before = journal(acme.wallet)
    result = send(event("a", None, event_type="ping"))
    assert counts(result) == (1, 0, 0, [])
    assert charged(result) == {("acme", "USD"): 0}
    assert journal(acme.wallet) == before
    assert rolled_up("pings") == [(AT, {}, 1, 1, 0)]
    explained = explain_event(event_pk=event_pk_of(event_id="a"))
    assert (explained.status, explained.charges[0].entry, explained.charges[0].draws) == ("free", None, ())


def test_free_and_charged_events_of_a_batch_do_not_disturb_each_other(acme: Company) -> None:
    credit(acme.wallet, "1")
    credit(acme.wallet, "1", kind="promotional", expires_at=AT, priority=1)
    send(event("a", None, event_type="ping", time=AT + HOUR), event("b", 0, time=AT - HOUR), event("c", 10, time=AT - HOUR))
    assert lots(acme.wallet) == [("paid", "OPEN", 1), ("promotional", "OPEN", D("0.99977"))]


def test_fractions_are_exact_to_the_twelfth_decimal(acme: Company) -> None:
    """0.5 x 0.000003 = 0.0000015; 0.333333333333 x 0.000003 = 0.000000999999999999, at twelve decimals 0.000001."""
    result = send(event("a", "0.5"), event("b", D("0.333333333333")))
    assert charged(result) == {("acme", "USD"): 2 * CALL + D("0.0000025")}


def test_events_are_priced_by_the_version_in_force_at_their_time(acme: Company, book: PriceBook) -> None:
    publish(book, effective_at=AT, times="3")
    result = send(
        event("before", 100, time=AT - INSTANT), event("after", 100, time=AT), event("long before", 100, time=AT - 9 * DAY)
    )
    assert charged(result) == {("acme", "USD"): D("0.0004") + 3 * D("0.0004") + D("0.0004")}


def test_an_event_without_a_time_happens_when_it_arrives(acme: Company) -> None:
    send(event("a", 1, time=None), at=AT + HOUR)
    stored = UsageEvent.objects.get()
    assert (stored.time, stored.received_at) == (AT + HOUR, AT + HOUR)


def test_a_time_is_kept_in_microseconds_and_reported_in_its_hour_of_utc(acme: Company) -> None:
    india = timezone(timedelta(hours=5, minutes=30))
    time = datetime(2026, 12, 1, 5, 15, 0, 123_456, tzinfo=india)
    ancient = datetime(1970, 1, 1, 0, 0, 0, 1, tzinfo=UTC)
    send(event("a", 1, time=time), event("b", None, event_type="ping", time=ancient))
    assert UsageEvent.objects.get(event_id="a").time == time
    assert [row[0] for row in rolled_up("calls")] == [datetime(2026, 11, 30, 23, tzinfo=UTC)]
    assert UsageEvent.objects.get(event_id="b").time == ancient


def test_an_account_pays_each_of_its_books_in_that_books_currency(acme: Company) -> None:
    """acme changes from the dollar list to the euro list (twice as high) at AT; globex stays."""
    euro = price_list(currency="EUR", is_default=False, times="2")
    assign_price_book(account=acme.account, book=euro, effective_at=AT, at=OPENED_AT)
    euros = open_wallet(account=acme.account, currency="EUR", at=OPENED_AT)
    credit(euros, "1")
    result = send(event("a", 100, time=AT - INSTANT), event("b", 100, time=AT), event("c", 100, time=AT - HOUR))
    assert charged(result) == {("acme", "USD"): D("0.0008"), ("acme", "EUR"): D("0.0008")}
    assert (figures(acme.wallet)[0], figures(euros)[0]) == (D("-0.0008"), D("0.9992"))


@pytest.mark.parametrize("last", ["USD", "EUR"])
def test_a_wallet_opened_after_the_account_was_first_seen_is_charged_at_once(acme: Company, last: str) -> None:
    euro = price_list(currency="EUR", is_default=False)
    assign_price_book(account=acme.account, book=euro, effective_at=AT, at=OPENED_AT)
    send(event("seen", 1, time=AT - HOUR))
    euros = open_wallet(account=acme.account, currency="EUR", at=OPENED_AT)
    in_euros, in_dollars = event("b", 100, time=AT), event("a", 100, time=AT - HOUR)
    result = send(*([in_dollars, in_euros] if last == "EUR" else [in_euros, in_dollars]))
    assert counts(result) == (2, 0, 0, [])
    assert figures(euros)[0] == D("-0.0004")


def test_usage_follows_the_default_wallet_when_it_moved_since_it_was_looked_up(acme: Company) -> None:
    send(event("seen", None, event_type="ping"))
    close_wallet(wallet_id=acme.wallet.pk, at=AT)
    second = open_wallet(account=acme.account, currency="USD", at=AT)
    result = send(event("a", 100))
    assert [balance.wallet for balance in result.balances] == [second.public_id]
    third = open_wallet(account=acme.account, currency="USD", at=AT, is_default=False)
    Wallet.objects.filter(pk=second.pk).update(is_default=False)
    Wallet.objects.filter(pk=third.pk).update(is_default=True)
    result = send(event("b", 100), event("a", 100))
    assert [balance.wallet for balance in result.balances] == [third.public_id]
    assert (figures(second)[0], figures(third)[0]) == (D("-0.0004"), D("-0.0004"))


def test_an_event_whose_wallet_was_closed_under_it_waits(acme: Company) -> None:
    send(event("seen", None, event_type="ping"))
    close_wallet(wallet_id=acme.wallet.pk, at=AT)
    assert counts(send(event("a", 100), event("b", 100))) == (2, 0, 2, [])


def test_a_wallet_that_moves_again_and_again_is_busy(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody moves it back whenever it has been looked up: after some tries the caller is told to come again."""
    send(event("seen", None, event_type="ping"))
    Wallet.objects.filter(pk=acme.wallet.pk).update(is_default=False)
    monkeypatch.setattr(batch, "refresh_wallets", lambda accounts: None)
    with pytest.raises(LockBusy):
        send(event("a", 100))
    assert not UsageEvent.objects.filter(event_id="a").exists()


def test_usage_of_a_frozen_wallet_did_happen_and_is_charged(acme: Company) -> None:
    freeze_wallet(wallet_id=acme.wallet.pk, at=OPENED_AT)
    assert charged(send(event("a", 100))) == {("acme", "USD"): D("0.0004")}


def test_accounts_of_all_buckets_are_charged_in_one_request(settings: Any) -> None:
    settings.HOT_BUCKETS = 8
    wallets = [open_company(f"customer-{number}").wallet for number in range(24)]
    events = [event(f"e{number}", 100, account=f"customer-{number % 24}") for number in range(240)]
    result = send(*events)
    assert len({wallet.bucket for wallet in wallets}) == 8
    assert counts(result) == (240, 0, 0, [])
    assert {row.amount for row in result.charged} == {10 * D("0.0004")}
    assert len(result.balances) == len(result.charged) == 24
    assert [figures(wallet)[0] for wallet in wallets] == [-10 * D("0.0004")] * 24
    assert counts(send(*events)) == (0, 240, 0, [])


def test_requests_written_together_are_answered_apart(acme: Company, globex: Company) -> None:
    first, second, third = ingest_requests(
        requests=[[event("a", 100), event("b", 1)], [event("a", 100)], [event("a", 100, account="globex")]], at=AT
    )
    assert isinstance(first, IngestResult)
    assert isinstance(second, IngestResult)
    assert isinstance(third, IngestResult)
    assert [counts(first), counts(second), counts(third)] == [(2, 0, 0, []), (0, 1, 0, []), (1, 0, 0, [])]
    assert charged(first) == {("acme", "USD"): D("0.000503")}
    assert (charged(second), second.balances) == ({}, [])
    assert charged(third) == {("globex", "USD"): D("0.0004")}


def test_nothing_to_take_is_an_answer_too(acme: Company) -> None:
    assert counts(send()) == (0, 0, 0, [])
    assert ingest_requests(requests=[], at=AT) == []


def test_many_chunks_are_one_batch(acme: Company) -> None:
    """Three chunks and a bit; the last event was there already."""
    credit(acme.wallet, "100")
    send(event("z", 1))
    result = send(*(event(f"{number:05}", number % 7) for number in range(4_000)), event("z", 1))
    tokens = sum(number % 7 for number in range(4_000))
    assert counts(result) == (4_000, 1, 0, [])
    assert charged(result) == {("acme", "USD"): 4_000 * CALL + tokens * TOKEN}
    assert [row[2] for row in rolled_up("calls")] == [4_001]
