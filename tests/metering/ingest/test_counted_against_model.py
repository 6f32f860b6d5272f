"""Whatever is sent, in whatever order and batches, late or voided: the charges of a period add up to the price of its net
total at every cumulative model, to the sum of the events' prices at the others (I8, I10), and everything is proved."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from datetime import datetime
from decimal import Decimal as D
from fractions import Fraction
from typing import Any

import pytest
from django.db import transaction
from django.db.models import Sum
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from metering.ingest.batch import ingest_batch
from metering.usage.models import Charge
from metering.usage.void import void_event
from pricing.counters.counters import last_seen
from pricing.counters.models import PriceCounter
from pricing.rating.explanation import Percentage, PriceTerms, Tier
from pricing.rating.rate import CUMULATIVE
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk
from tests.factories.memory import forget_everything
from tests.factories.priced import sell, work
from tests.factories.proofs import assert_everything_is_proved
from tests.pricing.rating.naive import event_price, rounded, total_price
from wallets.balances.models import Wallet

pytestmark = pytest.mark.django_db

LAST_MONTH = AT.replace(month=AT.month - 1)
CREDIT = 50  # less than some of it costs: overdraft is part of it

prices = st.sampled_from(["0", "0.25", "0.000000000003", "3", "0.333333333333"]).map(D)
ends = st.sampled_from(["1", "2.5", "10", "10.5", "40"]).map(D)
quantities = st.integers(0, 30) | st.sampled_from(["0.5", "0.333333333333", "2.5", "10.5"]).map(D)


@st.composite
def terms(draw: st.DrawFn, model: str) -> PriceTerms:
    """A price of this model whose borders are met often."""
    fields: dict[str, Any] = {"id": 1, "model": model, "unit_price": D(0), "unit_cost": D("0.1")}
    if model == "per_unit":
        fields["unit_price"] = draw(prices)
    elif model == "package":
        fields |= {"package_size": draw(ends), "package_price": draw(prices)}
    elif model == "percentage":
        free = draw(st.sampled_from([(None, None), (2, None), (None, D(15)), (3, D(15))]))
        fields["percentage"] = Percentage(draw(prices), draw(prices), *free)
    else:
        tops = [*sorted(draw(st.sets(ends, min_size=1, max_size=3))), None]
        fields["tiers"] = tuple(Tier(top, draw(prices), draw(prices), draw(prices)) for top in tops)
    if model != "percentage":
        fields["free_units"] = draw(st.sampled_from([D(0), D(0), D(3)]))
    return PriceTerms(**fields)


# A story: batches of (quantity, last month or not), and after each, places in what stands that are voided, and where the
# process wrongly believes the counters to stand from then on.
stories = st.lists(
    st.tuples(
        st.lists(st.tuples(quantities, st.booleans()), min_size=1, max_size=5),
        st.lists(st.integers(0, 99), max_size=2),
        st.none() | st.integers(0, 60),
    ),
    min_size=1,
    max_size=5,
)


def tell(story: list[Any], spec: Callable[[list[tuple[D, datetime]]], Fraction], price: PriceTerms, aggregation: str) -> None:
    """Let a story happen; after each chapter the charges are what `spec` says of what stands, month by month."""
    with transaction.atomic():
        forget_everything()
        sell(price, aggregation=aggregation)
        wallet = wallet_of("acme", credit=str(CREDIT))
        standing: list[tuple[str, D, datetime]] = []
        number = 0
        for batch, voided, believed in story:
            events = []
            for quantity, late in batch:
                number += 1
                event_id, time = f"e{number:03}", LAST_MONTH if late else AT
                events.append(work(event_id, quantity, time=time))
                standing.append((event_id, D(quantity), time))
            answer = ingest_batch(events=events, at=AT)
            assert answer.accepted == len(batch)
            for place in voided:
                if standing:
                    event_id, _, _ = standing.pop(place % len(standing))
                    void_event(event_pk=event_pk(event_id), at=AT)
            if believed is not None:
                last_seen.update(dict.fromkeys(last_seen, believed))
            expected = Fraction(0)
            for month in (AT, LAST_MONTH):
                expected += spec([(quantity, time) for _, quantity, time in standing if time == month])
            charged = Charge.objects.aggregate(total=Sum("amount"))["total"] or D(0)
            assert Fraction(charged) == expected
            assert Wallet.objects.get(pk=wallet.pk).balance == CREDIT - charged
        assert_everything_is_proved()
        transaction.set_rollback(True)


quick = settings(
    max_examples=12, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)


@pytest.mark.parametrize("model", CUMULATIVE)
@quick
@given(data=st.data())
def test_charges_add_up_to_the_price_of_the_net_total(model: str, data: st.DataObject) -> None:
    price = data.draw(terms(model))

    def of_total(standing: list[tuple[D, datetime]]) -> Fraction:
        return rounded(total_price(price, sum((Fraction(quantity) for quantity, _ in standing), Fraction(0))))

    tell(data.draw(stories), of_total, price, "sum")


@quick
@given(data=st.data())
def test_the_highest_value_is_charged_and_no_more(data: st.DataObject) -> None:
    price = data.draw(terms("graduated"))

    def of_highest(standing: list[tuple[D, datetime]]) -> Fraction:
        return rounded(total_price(price, max((Fraction(quantity) for quantity, _ in standing), default=Fraction(0))))

    tell(data.draw(stories), of_highest, price, "max")


@quick
@given(data=st.data())
def test_each_value_is_charged_once(data: st.DataObject) -> None:
    price = data.draw(terms("volume"))

    def of_values(standing: list[tuple[D, datetime]]) -> Fraction:
        return rounded(total_price(price, len({quantity for quantity, _ in standing})))

    tell(data.draw(stories), of_values, price, "unique")


@quick
@given(data=st.data())
def test_the_latest_value_is_charged_whichever_way_it_moves(data: st.DataObject) -> None:
    price = data.draw(terms("volume"))

    def of_latest(standing: list[tuple[D, datetime]]) -> Fraction:
        return rounded(total_price(price, standing[-1][0] if standing else 0))

    tell(data.draw(stories), of_latest, price, "latest")


@quick
@given(data=st.data())
def test_prices_per_event_add_up_event_by_event(data: st.DataObject) -> None:
    """Nothing is voided here: which events were free is decided when they come."""
    price = data.draw(terms("percentage"))

    def of_events(standing: list[tuple[D, datetime]]) -> Fraction:
        before: dict[datetime, list[D]] = defaultdict(list)
        total = Fraction(0)
        for quantity, time in standing:
            total += rounded(event_price(price, quantity, before[time]))
            before[time].append(quantity)
        return total

    tell([(batch, [], believed) for batch, _, believed in data.draw(stories)], of_events, price, "sum")


@quick
@given(stories)
def test_what_a_price_per_event_drew_goes_back_exactly(story: list[Any]) -> None:
    price = PriceTerms(
        1, "graduated", D(0), D(0), minimum_charge=D("0.4"), tiers=(Tier(D(10), D("0.1")), Tier(None, D("0.01")))
    )
    with transaction.atomic():
        forget_everything()
        sell(price)
        wallet_of("acme", credit=str(CREDIT))
        for number, (batch, voided, _) in enumerate(story):
            ids = [f"e{number}-{place}" for place in range(len(batch))]
            ingest_batch(events=[work(one, quantity) for one, (quantity, _) in zip(ids, batch, strict=True)], at=AT)
            for event_id in {ids[place % len(ids)] for place in voided}:
                drawn = Charge.objects.get(event__event_id=event_id, reverses=None)
                (undone,) = void_event(event_pk=event_pk(event_id), at=AT)
                assert undone.amount == -drawn.amount
        assert all(counter.quantity >= 0 for counter in PriceCounter.objects.all())
        assert_everything_is_proved()
        transaction.set_rollback(True)
