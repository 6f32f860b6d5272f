"""The proofs over charges that depend on earlier usage hold over healthy books, and name what is planted behind the
application's back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from metering.usage import counted_proofs as proofs
from metering.usage.models import Charge
from metering.usage.void import void_event
from pricing.books.draft import create_price_book, draft_version
from pricing.books.price_terms import PriceTerms, TierTerms
from pricing.books.publish import publish_version
from pricing.meters.define import define_meter
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk, send
from tests.factories.tampering import tamper
from wallets.credit.grant import grant_allowance
from wallets.ledger.proof import Prover

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _usage() -> None:
    """Usage at a volume price that falls within a batch, an allowance, fractions of a flat price, runs at a graduated one,
    and a void."""
    since = AT - timedelta(days=60)
    for code in ("calls", "seconds", "pages"):
        define_meter(code=code, event_type="llm.request", aggregation="sum", property=code, at=since)
    book = create_price_book(name="List", currency="USD", at=since, is_default=True)
    tiers = [TierTerms(up_to=D(10), unit_price=D("0.10")), TierTerms(up_to=None, unit_price=D("0.05"))]
    prices = [
        PriceTerms(meter="calls", model="volume", tiers=tiers),
        PriceTerms(meter="pages", model="graduated", tiers=tiers),
        PriceTerms(meter="seconds", unit_price=D("0.000000000003")),
    ]
    publish_version(version=draft_version(book=book, prices=prices, at=since), effective_at=since, at=since)
    wallet = wallet_of("acme", credit="10")
    grant_allowance(wallet_id=wallet.pk, meter="calls", quantity=D(4), at=AT)
    send(wallet, ("first", {"calls": 13, "seconds": D("100.5")}), ("second", {"calls": 3}), ("third", {"seconds": D("0.5")}))
    send(wallet, ("voided", {"calls": 1, "seconds": 1}))
    send(wallet, ("one", {"pages": 1}), ("two", {"pages": 2}))
    send(wallet, ("three", {"pages": 3}))
    void_event(event_pk=event_pk("voided"), at=AT)


def named(prover: Prover) -> str:
    return "\n".join(prover().offenders)


@pytest.mark.parametrize("prover", proofs.PROOFS, ids=lambda prover: prover.__name__)
def test_healthy_books_are_proved(prover: Prover) -> None:
    proof = prover()
    assert proof.offenders == ()
    assert proof.checked > 0


def test_fractions_of_a_flat_price_add_up_to_the_price_of_their_sum() -> None:
    # 100.5 x 3e-12 = 301.5e-12 -> 302e-12; 101 x 3e-12 = 303e-12, so the second is charged the difference.
    amounts = [Charge.objects.get(event__event_id=event_id, meter__code="seconds").amount for event_id in ("first", "third")]
    assert amounts == [D("302e-12"), D("1e-12")]


def test_a_charge_that_was_altered_does_not_add_up() -> None:
    tamper(
        "metering_charge",
        "UPDATE metering_charge SET amount = amount + 1 WHERE event_id = %s AND line = 0",
        [event_pk("second")],
    )
    assert "has priced 12" in named(proofs.periods_add_up)


def test_a_counter_that_was_altered_is_named() -> None:
    tamper("pricing_pricecounter", "UPDATE pricing_pricecounter SET places = places + 1")
    assert "charges have one" in named(proofs.periods_add_up)


def test_an_allowance_that_a_charge_says_too_much_of_is_named() -> None:
    tamper("metering_charge", "UPDATE metering_charge SET allowance = allowance + 1 WHERE allowance > 0")
    assert "meter calls: charges say 5" in named(proofs.allowances_cover_what_charges_say)


def test_a_draw_that_went_back_twice_is_named() -> None:
    tamper("metering_returneddraw", "UPDATE metering_returneddraw SET amount = amount * 100")
    assert "went back" in named(proofs.what_went_back_was_drawn)
    assert "gave back" in named(proofs.what_went_back_was_drawn)


def test_a_charge_or_counter_that_names_the_wrong_one_below_is_named() -> None:
    tamper(
        "metering_charge",
        "UPDATE metering_charge SET previous_event = %s, previous_line = 0 WHERE event_id = %s AND line = 0",
        [event_pk("third"), event_pk("second")],
    )
    assert "which did not draw before it" in named(proofs.draws_are_stacked)
    tamper("pricing_pricecounter", "UPDATE pricing_pricecounter SET drew_line = 9")
    assert "as its last draw, which is none" in named(proofs.draws_are_stacked)


def test_a_run_that_does_not_hold_what_it_says_is_named() -> None:
    tamper("metering_counterrun", "UPDATE metering_counterrun SET charges = 3 WHERE charges = 2")
    assert "3 charges from event row" in named(proofs.runs_hold_their_charges)
    tamper("metering_counterrun", "DELETE FROM metering_counterrun WHERE charges = 1")
    assert "1 from" in named(proofs.runs_hold_their_charges)


def test_a_run_that_names_the_wrong_charge_below_it_is_named() -> None:
    tamper(
        "metering_counterrun",
        "UPDATE metering_counterrun SET drew_event = %s WHERE drew_event IS NOT NULL",
        [event_pk("first")],
    )
    assert f"charge {event_pk('three')}/" in named(proofs.draws_are_stacked)
