"""Each proof over usage holds over healthy books, and names the row in which a fault is planted behind the application's
back."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection

from metering.usage import proofs
from metering.usage.days import usage_days_hold
from metering.usage.models import Charge
from metering.usage.void import void_event
from tests.factories.balances import AT, spend, wallet_of
from tests.factories.events import event_pk, send
from tests.factories.prices import llm_prices
from tests.factories.tampering import tamper
from wallets.balances.models import Wallet
from wallets.ledger.proof import Prover

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def wallet() -> Wallet:
    """A wallet with usage charged, free, waiting and voided."""
    llm_prices(input_tokens="0.000000000003", output_tokens="0.02", at=AT - timedelta(days=60))
    wallet = wallet_of("acme", credit="10")
    send(
        wallet,
        ("charged", {"input_tokens": 100, "output_tokens": 50}),
        ("free", {"input_tokens": 0}),
        ("waiting", {"input_tokens": 1, "model": "unheard-of"}),
        ("voided", {"input_tokens": 7, "output_tokens": 600}),
        ("voided-waiting", {"input_tokens": 1, "model": "unheard-of"}),
    )
    void_event(event_pk=event_pk("voided"), at=AT)
    void_event(event_pk=event_pk("voided-waiting"), at=AT)
    return wallet


def offenders(prover: Prover) -> str:
    return "\n".join(prover().offenders)


def charge(event_id: str, line: int = 0) -> Charge:
    return Charge.objects.get(event__event_id=event_id, line=line)


def alter(event_id: str, change: str, line: int = 0) -> str:
    """Alter a charge; how it is named."""
    pk = event_pk(event_id)
    tamper("metering_charge", f"UPDATE metering_charge SET {change} WHERE event_id = %s AND line = %s", [pk, line])
    return f"charge {pk}/{line} "


FLAT = [prover for prover in proofs.PROOFS if prover not in proofs.COUNTED]


# Days are not added up before the test's transaction has ended; test_rolled_days.py proves that it finds what is wrong.
ADDED_UP = {usage_days_hold}


@pytest.mark.parametrize("prover", FLAT, ids=lambda prover: prover.__name__)
def test_healthy_books_are_proved(prover: Prover) -> None:
    proof = prover()
    assert proof.offenders == ()
    assert proof.checked > 0 or prover in ADDED_UP


def test_an_event_moved_to_another_bucket_is_named() -> None:
    tamper("metering_usageevent", "UPDATE metering_usageevent SET bucket = 7 WHERE event_id = 'charged'")
    assert "event 'charged' of account acme stands in bucket 7" in offenders(proofs.events_stand_once)


def test_a_second_event_with_the_same_id_is_named() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE; ALTER TABLE metering_usageevent DROP CONSTRAINT event_once_per_account")
    tamper("metering_usageevent", "UPDATE metering_usageevent SET event_id = 'charged' WHERE event_id = 'free'")
    assert offenders(proofs.events_stand_once) == "event 'charged' of account acme stands 2 times"


def test_an_event_of_nobody_is_named() -> None:
    tamper("metering_usageevent", "UPDATE metering_usageevent SET account_id = 4711 WHERE event_id = 'charged'")
    assert "account row 4711, which does not exist" in offenders(proofs.events_stand_once)


def test_an_event_whose_charges_are_gone_is_named() -> None:
    tamper("metering_charge", "DELETE FROM metering_charge WHERE event_id = %s", [event_pk("charged")])
    assert offenders(proofs.events_are_accounted_for) == (
        f"event 'charged' (row {event_pk('charged')}) is neither charged nor parked nor voided"
    )


def test_an_event_that_stopped_waiting_without_a_charge_is_named() -> None:
    tamper("metering_deadletter", "UPDATE metering_deadletter SET replayed_at = now() WHERE replayed_at IS NULL")
    assert "'waiting'" in offenders(proofs.events_are_accounted_for)


def test_an_event_that_is_charged_and_waits_is_named() -> None:
    charged = event_pk("charged")
    tamper("metering_deadletter", "UPDATE metering_deadletter SET event_id = %s WHERE replayed_at IS NULL", [charged])
    assert "'charged'" in offenders(proofs.events_are_accounted_for)


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ("event_id = 4711", "is of an event that does not exist"),
        ("wallet_id = 4711", "is on wallet row 4711"),
        ("price_id = 4711", "has price row 4711"),
        ("meter_id = 4711", "which is not its meter's"),
        ("entry_id = 4711", "names entry 4711"),
        ("entry_id = NULL", "names no entry"),
        ("line_from = NULL", "names no entry"),
    ],
)
def test_a_charge_that_refers_to_nothing_is_named(change: str, fault: str) -> None:
    alter("charged", change)
    assert fault in offenders(proofs.charges_refer_to_what_exists)


def test_a_charge_on_somebody_elses_wallet_is_named() -> None:
    named = alter("charged", f"wallet_id = {wallet_of('globex').pk}")
    assert named in offenders(proofs.charges_refer_to_what_exists)


def test_an_amount_that_was_altered_is_named_by_the_revenue_the_price_and_the_roll_up() -> None:
    named = alter("charged", "amount = amount + 1")
    entry = charge("charged").entry_id
    assert f"entry {entry}, meter llm.input_tokens" in offenders(proofs.charges_are_the_revenue)
    assert named.strip() in offenders(proofs.amounts_are_price_times_quantity)
    assert "rolled up" in offenders(proofs.roll_ups_are_the_charges)


def test_revenue_without_a_charge_is_named(wallet: Wallet) -> None:
    spend(wallet, "1")
    assert offenders(proofs.charges_are_the_revenue).endswith(
        "meter calls: charges sum to 0, the revenue posted to 1.000000000000"
    )


def test_charges_that_share_a_place_on_their_line_are_named() -> None:
    alter("voided", "line_from = line_from - 0.000000000001", line=1)
    assert str(event_pk("voided")) in offenders(proofs.charges_lie_end_to_end)


@pytest.mark.parametrize("change", ["quantity = -1", "amount = amount / 2", "cost = -1"])
def test_a_mirror_that_does_not_mirror_is_named(change: str) -> None:
    named = alter("voided", change, line=2)
    assert f"{named}does not mirror" in offenders(proofs.voids_undo_their_charges)


def test_a_charge_undone_without_a_void_is_named() -> None:
    tamper("metering_eventvoid", "DELETE FROM metering_eventvoid WHERE event_id = %s", [event_pk("voided")])
    assert "not voided" in offenders(proofs.voids_undo_their_charges)


def test_a_charge_that_stands_though_its_event_was_voided_is_named() -> None:
    tamper("metering_charge", "DELETE FROM metering_charge WHERE event_id = %s AND line = 2", [event_pk("voided")])
    assert "stands though its event was voided" in offenders(proofs.voids_undo_their_charges)


@pytest.mark.parametrize(
    "change", ["events = events + 1", "quantity = 0", "amount = 0", "cost = 1", "hour = hour + interval '1 h'"]
)
def test_a_roll_up_that_was_altered_is_named(change: str) -> None:
    tamper("metering_hourlyusage", f"UPDATE metering_hourlyusage SET {change}")
    assert "2026-11-23 10:00:00+00" in offenders(proofs.roll_ups_are_the_charges)


def test_a_price_that_was_altered_is_betrayed_by_its_charges() -> None:
    tamper("pricing_price", "UPDATE pricing_price SET unit_price = unit_price * 2")
    assert f"charge {event_pk('charged')}/0" in offenders(proofs.amounts_are_price_times_quantity)


def test_a_minimum_charge_counts() -> None:
    tamper("pricing_price", "UPDATE pricing_price SET minimum_charge = 5")
    assert f"charge {event_pk('free')}/0" in offenders(proofs.amounts_are_price_times_quantity)
