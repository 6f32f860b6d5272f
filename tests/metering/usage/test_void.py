"""An event is taken back once: charges mirrored, credit back to its lots, its hour reported without it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from metering.ingest.dead_letters import replay_dead_letters
from metering.ingest.models import DeadLetter
from metering.usage.explain import explain_event
from metering.usage.models import Charge, EventVoid, HourlyUsage
from metering.usage.void import AlreadyVoided, void_event
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk, send
from tests.factories.journal import figures, lots
from tests.factories.prices import llm_prices
from wallets.balances.models import Wallet
from wallets.balances.open import WalletClosed
from wallets.credit.grant import grant_credit
from wallets.errors import InvalidInput, NotFound
from wallets.ledger.models import JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture
def wallet() -> Wallet:
    llm_prices(input_tokens="0.01", output_tokens="0.02", at=AT - timedelta(days=60))
    return wallet_of("acme", credit="10")


def tokens(read: int, written: int) -> dict[str, Any]:
    return {"input_tokens": read, "output_tokens": written}


def test_every_charge_is_mirrored_and_names_the_one_it_undoes(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(100, 50)))
    undone = void_event(event_pk=event_pk("r1"), at=AT, reason="Test traffic", actor="key_prod")
    entry = JournalEntry.objects.get(kind="GIVE_BACK")
    rows = Charge.objects.filter(reverses__isnull=False).order_by("reverses")
    assert [(row.reverses, row.quantity, row.amount, row.entry_id) for row in rows] == [
        (0, -100, D("-1"), entry.pk),
        (1, -50, D("-1"), entry.pk),
    ]
    assert len(undone) == 2
    assert (entry.reference, entry.reason, entry.actor) == ("r1", "Test traffic", "key_prod")
    assert figures(wallet) == (10, 0)
    void = EventVoid.objects.get()
    assert (void.event_id, void.voided_at, void.reason, void.actor) == (event_pk("r1"), AT, "Test traffic", "key_prod")


def test_only_the_event_named_is_taken_back_of_its_batch(wallet: Wallet) -> None:
    grant_credit(wallet_id=wallet.pk, amount=D("2.5"), kind="promotional", at=AT, priority=1)
    send(wallet, *((f"r{number}", tokens(100, 0)) for number in range(5)))
    void_event(event_pk=event_pk("r2"), at=AT)
    assert lots(wallet) == [("paid", "OPEN", 8), ("promotional", "OPEN", D("0.5"))]


def test_the_event_explains_where_its_credit_went_back_to(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(100, 50)))
    void_event(event_pk=event_pk("r1"), at=AT)
    explained = explain_event(event_pk=event_pk("r1"))
    assert explained.status == "voided"
    assert explained.totals == (("USD", 0),)
    assert [[(draw.kind, draw.amount) for draw in charge.draws] for charge in explained.charges] == [[("paid", 1)]] * 4


def test_its_hour_is_reported_without_it(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(100, 50)), ("r2", tokens(1, 1)), ("r3", tokens(7, 0) | {"model": "gpt-5"}))
    void_event(event_pk=event_pk("r1"), at=AT + timedelta(days=3))
    hours = HourlyUsage.objects.order_by("meter__code").values_list("meter__code", "events", "quantity", "amount")
    assert list(hours) == [("llm.input_tokens", 2, 8, D("0.08")), ("llm.output_tokens", 2, 1, D("0.02"))]


def test_a_second_void_is_refused_and_changes_nothing(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(100, 50)))
    void_event(event_pk=event_pk("r1"), at=AT)
    with pytest.raises(AlreadyVoided) as refusal:
        void_event(event_pk=event_pk("r1"), at=AT)
    assert refusal.value.code == "already_voided"
    assert figures(wallet) == (10, 0)


def test_an_event_sent_again_after_its_void_stays_a_duplicate(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(100, 50)))
    void_event(event_pk=event_pk("r1"), at=AT)
    assert send(wallet, ("r1", tokens(100, 50))).duplicates == 1
    assert figures(wallet) == (10, 0)


def test_a_free_event_is_voided_without_an_entry(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(0, 0)))
    void_event(event_pk=event_pk("r1"), at=AT)
    assert not JournalEntry.objects.filter(kind="GIVE_BACK").exists()
    assert HourlyUsage.objects.filter(events=0).count() == 2


def test_an_event_that_waits_for_a_price_stops_waiting(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(100, 50) | {"model": "unheard-of"}))
    assert void_event(event_pk=event_pk("r1"), at=AT) == []
    assert DeadLetter.objects.get().replayed_at == AT
    assert replay_dead_letters(at=AT).still_waiting == 0
    with pytest.raises(AlreadyVoided):
        void_event(event_pk=event_pk("r1"), at=AT)


def test_usage_beyond_the_credit_is_owed_no_more(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(1500, 0)))
    assert figures(wallet) == (-5, 5)
    void_event(event_pk=event_pk("r1"), at=AT)
    assert figures(wallet) == (10, 0)
    assert lots(wallet) == [("paid", "OPEN", 10)]


def test_an_id_longer_than_a_reference_is_cut_in_the_journal_only(wallet: Wallet) -> None:
    send(wallet, ("r" * 512, tokens(100, 0)))
    void_event(event_pk=event_pk("r" * 512), at=AT)
    assert JournalEntry.objects.get(kind="GIVE_BACK").reference == "r" * 300


def test_nothing_is_given_back_to_a_closed_wallet(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(1000, 0)))
    Wallet.objects.filter(pk=wallet.pk).update(status="CLOSED", closed_at=AT)
    with pytest.raises(WalletClosed):
        void_event(event_pk=event_pk("r1"), at=AT)
    assert not EventVoid.objects.exists()


def test_what_cannot_be_kept_is_refused(wallet: Wallet) -> None:
    send(wallet, ("r1", tokens(1, 1)))
    with pytest.raises(InvalidInput):
        void_event(event_pk=event_pk("r1"), at=AT, reason="x" * 501)


def test_an_event_that_does_not_exist_is_not_found() -> None:
    with pytest.raises(NotFound):
        void_event(event_pk=0, at=AT)
