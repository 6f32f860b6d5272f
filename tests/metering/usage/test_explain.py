"""An event explains itself: event -> meter -> price -> lots -> journal entry (I6)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from metering.usage.explain import event_pk_of, explain_event
from metering.usage.explanation_text import explanation_text
from metering.usage.void import void_event
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk, send
from tests.factories.prices import llm_prices
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.errors import Conflict, NotFound

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


@pytest.fixture
def wallet() -> Wallet:
    """Three cents of promotional credit, drawn first, and a dollar that was paid."""
    llm_prices(input_tokens="0.00001", output_tokens="0.0001")
    wallet = wallet_of("acme", credit="1")
    grant_credit(wallet_id=wallet.pk, amount=Decimal("0.03"), kind="promotional", at=AT, priority=10, reason="Welcome credit")
    return wallet


def test_a_charge_names_its_meter_price_version_and_amount(wallet: Wallet) -> None:
    send(wallet, ("req_1", {"input_tokens": 1000, "output_tokens": 50}))
    event = explain_event(event_pk=event_pk("req_1"))
    assert (event.account, event.event_id, event.type, event.status) == ("acme", "req_1", "llm.request", "charged")
    told = [
        (charge.meter.code, charge.quantity, charge.price.book, charge.price.version_number, charge.price.match, charge.amount)
        for charge in event.charges
    ]
    assert told == [
        ("llm.input_tokens", Decimal(1000), "List USD", 1, {"model": "gpt-5"}, Decimal("0.01")),
        ("llm.output_tokens", Decimal(50), "List USD", 1, {"model": "gpt-5"}, Decimal("0.005")),
    ]
    assert event.totals == (("USD", Decimal("0.015")),)


def test_each_charge_of_a_batch_finds_the_lots_of_its_own_part_of_the_line(wallet: Wallet) -> None:
    send(
        wallet,
        ("req_1", {"input_tokens": 2000}),
        ("req_2", {"input_tokens": 2000}),
        ("req_3", {"input_tokens": 2000}),
    )
    drawn = {
        event_id: [(draw.label, draw.kind, draw.amount) for draw in explain_event(event_pk=event_pk(event_id)).charges[0].draws]
        for event_id in ("req_1", "req_2", "req_3")
    }
    assert drawn == {
        "req_1": [("Welcome credit", "promotional", Decimal("0.02"))],
        "req_2": [("Welcome credit", "promotional", Decimal("0.01")), ("Paid credit", "paid", Decimal("0.01"))],
        "req_3": [("Paid credit", "paid", Decimal("0.02"))],
    }


def test_what_no_lot_covered_is_told_as_overdraft(wallet: Wallet) -> None:
    send(wallet, ("req_1", {"input_tokens": 110_000}))
    (charge,) = explain_event(event_pk=event_pk("req_1")).charges
    assert [(draw.lot, draw.kind, draw.amount) for draw in charge.draws][-1] == (None, "overdraft", Decimal("0.07"))
    assert sum(draw.amount for draw in charge.draws) == charge.amount


def test_the_entry_that_booked_it_is_one_step_of_the_wallet(wallet: Wallet) -> None:
    send(wallet, ("req_1", {"input_tokens": 1000, "output_tokens": 50}))
    event = explain_event(event_pk=event_pk("req_1"))
    (booking,) = event.bookings
    assert booking.entry is not None
    wallet.refresh_from_db()
    assert booking.entry.wallet_version == wallet.version
    assert booking.entry.hash == bytes(wallet.head_hash).hex()
    assert booking.amount == Decimal("0.015")


def test_a_voided_event_tells_both_ways(wallet: Wallet) -> None:
    send(wallet, ("req_1", {"input_tokens": 4000}))
    void_event(event_pk=event_pk("req_1"), at=AT, reason="Sent twice", actor="fiona")
    event = explain_event(event_pk=event_pk("req_1"))
    assert event.status == "voided"
    assert event.void is not None
    assert event.void.reason == "Sent twice"
    assert [(charge.amount, charge.reverses) for charge in event.charges] == [
        (Decimal("0.04"), None),
        (Decimal("-0.04"), 0),
    ]
    forth, back = ({draw.label: draw.amount for draw in charge.draws} for charge in event.charges)
    assert forth == back == {"Welcome credit": Decimal("0.03"), "Paid credit": Decimal("0.01")}
    assert event.totals == (("USD", Decimal(0)),)
    assert [booking.amount for booking in event.bookings] == [Decimal("0.04"), Decimal("-0.04")]


def test_an_event_without_a_price_says_what_it_waits_for(wallet: Wallet) -> None:
    send(wallet, ("req_1", {"model": "gpt-6", "input_tokens": 1}))
    event = explain_event(event_pk=event_pk("req_1"))
    assert (event.status, event.charges, event.totals) == ("unrated", (), ())
    assert event.parked is not None
    assert event.parked.reason == "no_price"


def test_an_event_of_nothing_is_free(wallet: Wallet) -> None:
    send(wallet, ("req_1", {"input_tokens": 0, "output_tokens": 0}))
    event = explain_event(event_pk=event_pk("req_1"))
    assert event.status == "free"
    assert all(charge.draws == () and charge.entry is None for charge in event.charges)


def test_an_explanation_takes_four_queries_however_many_lots(wallet: Wallet, django_assert_num_queries: Any) -> None:
    for _ in range(5):
        grant_credit(wallet_id=wallet.pk, amount=Decimal("0.001"), kind="promotional", at=AT, priority=5)
    send(wallet, ("req_1", {"input_tokens": 9000, "output_tokens": 10}))
    pk = event_pk("req_1")
    with django_assert_num_queries(4):
        event = explain_event(event_pk=pk)
    assert len(event.charges[0].draws) == 7


def test_an_event_nobody_sent_is_not_found() -> None:
    with pytest.raises(NotFound):
        explain_event(event_pk=1)
    with pytest.raises(NotFound):
        event_pk_of(event_id="req_1")


def test_an_id_that_two_accounts_sent_needs_the_account_named(wallet: Wallet) -> None:
    other = wallet_of("globex", credit="1")
    send(wallet, ("req_1", {"input_tokens": 1}))
    send(other, ("req_1", {"input_tokens": 2}))
    with pytest.raises(Conflict, match=r"acme, globex"):
        event_pk_of(event_id="req_1")
    pk = event_pk_of(event_id="req_1", account_key="globex")
    assert explain_event(event_pk=pk).charges[0].quantity == 2


def test_the_explanation_as_text_can_be_sent_to_a_customer(wallet: Wallet) -> None:
    send(wallet, ("req_1", {"input_tokens": 4000}))
    assert explanation_text(explain_event(event_pk=event_pk("req_1"))).splitlines() == [
        "llm.request req_1, 2026-11-23 10:00:00 UTC",
        'llm.input_tokens: 4,000 units x 10.00 USD per million (version 1 of "List USD", since 2026-11-23) = 0.04 USD',
        "    from Welcome credit: 0.03 USD",
        "    from Paid credit: 0.01 USD",
        "Total 0.04 USD",
    ]
