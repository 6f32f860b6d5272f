"""Events that cannot be rated are kept, and charged once when they can be. After each test everything is proved."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from msgspec import Raw

from metering.ingest import accounts, dead_letters
from metering.ingest.batch import IngestResult, ingest_batch
from metering.ingest.dead_letters import Replayed, dead_letters_waiting, replay_dead_letters
from metering.ingest.decode import MAX_PROPERTIES_BYTES, UsageInput
from metering.ingest.models import DeadLetter
from metering.usage.explain import event_pk_of, explain_event
from metering.usage.models import HourlyUsage
from metering.usage.void import AlreadyVoided, void_event
from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.meters.define import archive_meter, define_meter
from pricing.meters.models import Meter
from tests.cast import OPENED_AT, Company, open_company
from tests.factories.journal import figures, journal, lots
from tests.factories.usage import AT, CALL, LONG_AGO, credit, define_meters, event, open_prices, price_list, prices, publish
from tests.threads import elsewhere
from wallets.accounts.open import open_account
from wallets.balances.lock import LockBusy
from wallets.balances.models import Wallet
from wallets.balances.open import close_wallet, open_wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]
DAY = timedelta(days=1)
LATER = AT + 5 * DAY


def send(*events: UsageInput) -> IngestResult:
    return ingest_batch(events=events, at=AT)


def waiting() -> list[tuple[str, str]]:
    return [(letter.event.event_id, letter.reason) for letter in dead_letters_waiting().order_by("pk")]


def replay(**only: Any) -> tuple[int, int, dict[str, D]]:
    outcome: Replayed = replay_dead_letters(at=LATER, **only)
    return outcome.replayed, outcome.still_waiting, outcome.charged


def test_an_event_without_a_price_is_kept_and_charged_at_the_version_of_its_time(acme: Company) -> None:
    """The list is published after the events came, in force from before them, and becomes dearer between them."""
    define_meters()
    book = create_price_book(name="Late", currency="USD", at=LONG_AGO, is_default=True)
    result = send(event("a", 100), event("b", 100, time=AT - DAY))
    assert (result.accepted, result.unrated, result.charged, result.balances) == (2, 2, [], [])
    assert waiting() == [("a", "no_price"), ("b", "no_price")]
    assert replay() == (0, 2, {})
    publish(book, effective_at=LONG_AGO, times="1")
    version = draft_version(book=book, prices=prices(times="3"), at=AT)
    publish_version(version=version, effective_at=AT, at=AT)
    assert replay() == (2, 0, {"USD": 3 * D("0.0004") + D("0.0004")})
    assert waiting() == []
    assert figures(acme.wallet)[0] == D("-0.0016")


def test_what_is_replayed_is_charged_once(acme: Company) -> None:
    test_an_event_without_a_price_is_kept_and_charged_at_the_version_of_its_time(acme)
    before = journal(acme.wallet)
    assert replay() == (0, 0, {})
    assert send(event("a", 100), event("b", 100)).duplicates == 2
    assert journal(acme.wallet) == before


def test_a_duplicate_of_a_waiting_event_waits_once(acme: Company) -> None:
    define_meters()
    assert send(event("a", 100), event("a", 100)).duplicates == 1
    assert send(event("a", 100)).duplicates == 1
    assert waiting() == [("a", "no_price")]


def test_an_event_that_one_of_its_meters_has_no_price_for_is_not_charged_in_part(acme: Company) -> None:
    define_meters()
    book = create_price_book(name="Calls only", currency="USD", at=LONG_AGO, is_default=True)
    calls = draft_version(book=book, prices=prices(meters=("calls",)), at=LONG_AGO)
    publish_version(version=calls, effective_at=LONG_AGO, at=LONG_AGO)
    result = send(event("both", 100), event("calls alone", None))
    assert (result.unrated, [row.amount for row in result.charged]) == (1, [CALL])
    assert waiting() == [("both", "no_price")]
    assert "fits meter tokens" in dead_letters_waiting().get().detail


def test_an_event_without_a_wallet_in_the_currency_of_its_price_waits_for_one() -> None:
    open_prices()
    account = open_account(key="acme", name="Acme", at=OPENED_AT)
    send(event("a", 100))
    assert waiting() == [("a", "no_wallet")]
    assert replay() == (0, 1, {})
    wallet = open_wallet(account=account, currency="USD", at=AT)
    assert replay() == (1, 0, {"USD": D("0.0004")})
    assert figures(wallet)[0] == D("-0.0004")
    assert send(event("b", 100)).unrated == 0


def test_an_event_in_which_no_meter_finds_anything_waits(acme: Company) -> None:
    define_meter(code="images", event_type="image", aggregation="sum", property="images", at=LONG_AGO)
    book = create_price_book(name="Images", currency="USD", at=LONG_AGO, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="images", unit_price=D(1))], at=LONG_AGO)
    publish_version(version=version, effective_at=LONG_AGO, at=LONG_AGO)
    result = send(event("a", None, event_type="image"), event("b", None, event_type="image", properties={"images": None}))
    assert (result.unrated, waiting()) == (2, [("a", "no_quantity"), ("b", "no_quantity")])
    assert replay() == (0, 2, {})
    define_meter(code="jobs", event_type="image", aggregation="count", at=LATER)
    publish_version(
        version=draft_version(book=book, prices=[PriceTerms(meter="jobs", unit_price=D(2))], at=LATER),
        effective_at=LATER, at=LATER,
    )  # fmt: skip
    assert replay() == (0, 2, {}), "no price of their time fits the new meter"
    assert [reason for _, reason in waiting()] == ["no_price", "no_price"]


def test_a_waiting_event_says_how_often_and_why_it_was_tried_in_vain(acme: Company) -> None:
    define_meters()
    send(event("a", 100))
    replay()
    archive_meter(meter=Meter.objects.get(code="calls"), at=LATER)
    archive_meter(meter=Meter.objects.get(code="tokens"), at=LATER)
    replay()
    letter = dead_letters_waiting().get()
    assert (letter.attempts, letter.reason, letter.parked_at, letter.replayed_at) == (2, "no_quantity", AT, None)
    assert letter.detail == "No meter counts events of type 'llm.request'."


def test_an_event_that_turns_out_not_to_be_measurable_goes_on_waiting_with_the_reason(acme: Company) -> None:
    """It came when there was no price, so nobody looked at its quantity; what is wrong with it is longer than its column."""
    name = "n" * 119
    define_meter(code="odd", event_type="odd", aggregation="sum", property=name, at=LONG_AGO)
    send(event("a", None, event_type="odd", properties={name: "\U000e0001" * 50}))
    book = create_price_book(name="Odd", currency="USD", at=LONG_AGO, is_default=True)
    version = draft_version(book=book, prices=[PriceTerms(meter="odd", unit_price=D(1))], at=LONG_AGO)
    publish_version(version=version, effective_at=LONG_AGO, at=LONG_AGO)
    assert replay() == (0, 1, {})
    letter = dead_letters_waiting().get()
    assert letter.reason == "no_quantity"
    assert letter.detail.startswith(f"properties.{name} must be a number, not ")


def test_replayed_usage_is_reported_explained_and_drawn_like_any_other(acme: Company) -> None:
    define_meters()
    credit(acme.wallet, "1")
    send(event("a", 100, properties={"model": "gpt-4"}))
    price_list()
    replay()
    assert lots(acme.wallet) == [("paid", "OPEN", D("0.9996"))]
    assert HourlyUsage.objects.get(meter__code="tokens").dimensions == {"model": "gpt-4"}
    explained = explain_event(event_pk=event_pk_of(event_id="a"))
    assert explained.status == "charged"
    assert explained.parked is not None
    assert (explained.parked.parked_at, explained.parked.replayed_at) == (AT, LATER)


def test_chosen_letters_are_replayed_and_the_others_wait_on(acme: Company) -> None:
    define_meters()
    send(event("a", 100), event("b", 100))
    price_list()
    chosen = DeadLetter.objects.get(event__event_id="b").pk
    assert replay(ids=[chosen]) == (1, 0, {"USD": D("0.0004")})
    assert waiting() == [("a", "no_price")]


def test_many_letters_of_all_buckets_are_replayed_in_pieces(settings: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    settings.HOT_BUCKETS = 8
    monkeypatch.setattr(dead_letters, "BATCH", 3)
    define_meters()
    wallets = [open_company(f"customer-{number}").wallet for number in range(10)]
    send(*(event(f"e{number}", 100, account=f"customer-{number % 10}") for number in range(70)))
    price_list()
    assert len({wallet.bucket for wallet in wallets}) > 2
    assert replay() == (70, 0, {"USD": 70 * D("0.0004")})
    assert [figures(wallet)[0] for wallet in wallets] == [-7 * D("0.0004")] * 10


@pytest.mark.parametrize(
    "properties",
    [
        pytest.param(b'{"tokens":100,"small":1e-1000}', id="a number that prints longer than it was sent"),
        pytest.param(
            json.dumps({f"k{k}": k for k in range(5_000)} | {"tokens": 100}, separators=(",", ":")).encode(), id="full"
        ),
        pytest.param(b'{"tokens":100,' + b",".join(b'"k%d":1e999' % k for k in range(300)) + b"}", id="long numbers"),
        pytest.param(b'{"tokens":1,"tokens":1e2}', id="a name twice"),
        pytest.param('{"tokens":"100","text":"😀\\u00e9\\n"}'.encode(), id="texts"),
    ],
)
def test_whatever_was_taken_can_be_replayed(acme: Company, properties: bytes) -> None:
    """PostgreSQL prints the same JSON with more blanks and digits than were sent."""
    define_meters()
    assert len(properties) <= MAX_PROPERTIES_BYTES
    assert send(UsageInput("a", "llm.request", "acme", Raw(properties), AT)).unrated == 1
    price_list()
    assert replay() == (1, 0, {"USD": D("0.0004")})


def test_a_replay_charges_the_wallet_that_is_the_default_by_then(acme: Company) -> None:
    define_meters()
    send(event("a", 100))
    close_wallet(wallet_id=acme.wallet.pk, at=AT)
    second = open_wallet(account=acme.account, currency="USD", at=AT)
    price_list()
    replay()
    assert figures(second)[0] == D("-0.0004")


@pytest.mark.django_db(transaction=True)
def test_a_wallet_that_moves_during_a_replay_is_followed(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody else makes another wallet the default one, after the wallets have been looked up and before the lock."""
    define_meters()
    send(event("a", 100))
    price_list()
    second = open_wallet(account=acme.account, currency="USD", at=AT)
    look_up, moves = accounts.refresh_wallets, [acme.wallet.pk]

    def look_up_then_move(of: Any) -> None:
        look_up(of)
        while moves:
            elsewhere(lambda: make_default(second, instead_of=moves.pop()))

    monkeypatch.setattr(dead_letters, "refresh_wallets", look_up_then_move)
    assert replay() == (1, 0, {"USD": D("0.0004")})
    assert (figures(acme.wallet)[0], figures(second)[0]) == (D(0), D("-0.0004"))


def make_default(wallet: Wallet, *, instead_of: int) -> None:
    Wallet.objects.filter(pk=instead_of).update(is_default=False)
    Wallet.objects.filter(pk=wallet.pk).update(is_default=True)


def test_a_wallet_that_moves_all_the_time_is_busy_and_its_letters_wait(acme: Company, monkeypatch: pytest.MonkeyPatch) -> None:
    define_meters()
    send(event("a", 100))
    price_list()
    Wallet.objects.filter(pk=acme.wallet.pk).update(is_default=False)
    monkeypatch.setattr(dead_letters, "refresh_wallets", lambda of: None)
    with pytest.raises(LockBusy):
        replay()
    assert waiting() == [("a", "no_price")]


def test_a_voided_event_waits_no_more(acme: Company) -> None:
    define_meters()
    send(event("a", 100))
    void_event(event_pk=event_pk_of(event_id="a"), at=AT)
    price_list()
    assert replay() == (0, 0, {})
    assert explain_event(event_pk=event_pk_of(event_id="a")).status == "voided"
    with pytest.raises(AlreadyVoided):
        void_event(event_pk=event_pk_of(event_id="a"), at=AT)


def test_a_replayed_event_can_be_voided(acme: Company) -> None:
    define_meters()
    credit(acme.wallet, "1")
    send(event("a", 100))
    price_list()
    replay()
    void_event(event_pk=event_pk_of(event_id="a"), at=LATER)
    assert lots(acme.wallet) == [("paid", "OPEN", D(1))]
