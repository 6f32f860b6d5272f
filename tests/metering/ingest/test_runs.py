"""Runs: charges of one counter that are rated ahead of the lock. Wherever the process believes the counter to stand, they are
what rating under the lock makes them, and what each found the counter at can be told afterwards."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from metering.ingest.batch import ingest_batch
from metering.usage.explain import explain_event
from metering.usage.models import Charge, CounterRun
from metering.usage.void import void_event
from pricing.counters.counters import last_seen
from pricing.rating.explanation import PriceTerms, Tier
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk
from tests.factories.priced import sell, work
from wallets.balances.models import Wallet

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

GRADUATED = PriceTerms(
    id=1,
    model="graduated",
    unit_price=D(0),
    unit_cost=D("0.01"),
    tiers=(Tier(D(100), D("0.10"), D(0), D(0)), Tier(None, D("0.05"), D(0), D(0))),
)


@pytest.fixture
def wallet() -> Wallet:
    sell(GRADUATED, aggregation="sum")
    return wallet_of("acme", credit="50")


def ingest(*quantities: int, of: str) -> None:
    """Events named of0, of1, ... in one batch."""
    events = [work(f"{of}{number}", quantity, time=AT) for number, quantity in enumerate(quantities)]
    assert ingest_batch(events=events, at=AT).accepted == len(quantities)


def amounts(of: str) -> list[D]:
    return list(Charge.objects.filter(event__event_id__startswith=of).order_by("event_id").values_list("amount", flat=True))


def test_a_batch_that_stays_in_its_tier_is_a_run(wallet: Wallet) -> None:
    ingest(10, 20, of="a")
    ingest(30, of="b")
    assert list(CounterRun.objects.order_by("entry_id").values_list("prior_quantity", "prior_events", "charges")) == [
        (D(0), 0, 2),
        (D(30), 2, 1),
    ]
    assert amounts("a") + amounts("b") == [D(1), D(2), D(3)]


def test_each_charge_of_a_run_tells_what_was_before_it_and_its_tier(wallet: Wallet) -> None:
    ingest(10, 20, of="a")
    ingest(30, 5, of="b")
    told = [explain_event(event_pk=event_pk(name)).charges[0] for name in ("a0", "a1", "b0", "b1")]
    assert [charge.prior_quantity for charge in told] == [D(0), D(10), D(30), D(60)]
    assert [[(tier.quantity, tier.amount) for tier in charge.tiers] for charge in told] == [
        [(D(10), D(1))],
        [(D(20), D(2))],
        [(D(30), D(3))],
        [(D(5), D("0.5"))],
    ]


def test_a_batch_that_leaves_its_tier_is_rated_under_the_lock(wallet: Wallet) -> None:
    ingest(60, 60, of="a")
    assert not CounterRun.objects.exists()
    assert amounts("a") == [D(6), D(4) + D(1)]
    ingest(10, of="b")
    assert amounts("b") == [D("0.5")]
    assert CounterRun.objects.get().prior_quantity == 120


@pytest.mark.parametrize("believed", [0, 90, 100, 5_000])
def test_wherever_the_counter_is_believed_to_stand_the_charges_are_the_same(wallet: Wallet, believed: int) -> None:
    ingest(80, of="a")
    last_seen.update(dict.fromkeys(last_seen, believed))
    ingest(10, 30, of="b")
    assert amounts("b") == [D(1), D(1) + D(1)]
    last_seen.update(dict.fromkeys(last_seen, believed))
    ingest(20, of="c")
    assert amounts("c") == [D(1)]


def test_what_is_voided_of_a_run_goes_back_to_what_the_counter_drew_last(wallet: Wallet) -> None:
    ingest(10, 20, of="a")
    ingest(30, of="b")
    void_event(event_pk=event_pk("a0"), at=AT)
    void_event(event_pk=event_pk("b0"), at=AT)
    wallet.refresh_from_db()
    assert wallet.balance == D(48)
    ingest(90, of="c")  # 20 stand: 80 at the first price, 10 at the second
    assert amounts("c") == [D("8.5")]
