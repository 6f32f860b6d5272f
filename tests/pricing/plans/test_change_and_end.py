"""Changing the plan with proration, pausing, resuming, cancelling."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.books.draft import create_price_book
from pricing.books.queries import books_used
from pricing.plans.cancel import SubscriptionCancelled, cancel_subscription
from pricing.plans.change import change_plan
from pricing.plans.models import PeriodFee, Subscription
from pricing.plans.pause import NothingToResume, NotPausable, pause_subscription, resume_subscription
from pricing.plans.queries import blocked_meters
from pricing.plans.renew import Renewals, renew_due
from pricing.plans.subscribe import subscribe
from tests.factories.plans import balance, customer, plan_of, units, use_units
from wallets.balances.models import Wallet
from wallets.credit.fee import CreditExhausted
from wallets.errors import InvalidInput

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("journal_holds")]

START = datetime(2027, 4, 1, tzinfo=UTC)  # April has 30 days
MIDDLE = START + timedelta(days=15)
NEXT = datetime(2027, 5, 1, tzinfo=UTC)


@pytest.fixture
def wallet() -> Wallet:
    return customer("acme", at=START)


@pytest.fixture
def subscription(wallet: Wallet) -> Subscription:
    """Pro: 30 a month, 1,000 calls."""
    return subscribe(account=wallet.account, plan=plan_of("pro", calls="1000", at=START), at=START)


def test_an_upgrade_takes_effect_now_with_fee_and_units_by_time(wallet: Wallet, subscription: Subscription) -> None:
    use_units(wallet, "900", at=START)
    team = plan_of("team", fee="90", calls="5000", at=START)
    change_plan(subscription=subscription, plan=team, at=MIDDLE)
    # Half of 30 comes back, half of 90 is charged; half of 5,000 - 1,000 is granted.
    assert (balance(wallet), units(wallet)) == (1000 - 30 + 15 - 45, [100, 2000])
    renew_due(at=NEXT)
    assert (balance(wallet), units(wallet)) == (940 - 90, [5000])


def test_a_downgrade_waits_for_the_end_of_the_period(wallet: Wallet, subscription: Subscription) -> None:
    basic = plan_of("basic", fee="10", calls="100", at=START)
    change_plan(subscription=subscription, plan=basic, at=MIDDLE)
    assert (balance(wallet), units(wallet)) == (970, [1000])
    renew_due(at=NEXT)
    subscription.refresh_from_db()
    assert (subscription.plan, subscription.next_plan, balance(wallet), units(wallet)) == (basic, None, 960, [100])


@pytest.mark.parametrize(("used", "left"), [("0", "550"), ("500", "50"), ("900", "0")])
def test_a_downgrade_now_takes_back_what_is_there(wallet: Wallet, subscription: Subscription, used: str, left: str) -> None:
    """Half a period of 1,000 and half of 100 is 550; what was used beyond stays used."""
    if used != "0":
        use_units(wallet, used, at=START)
    change_plan(subscription=subscription, plan=plan_of("basic", fee="10", calls="100", at=START), at=MIDDLE, when="now")
    assert (balance(wallet), sum(units(wallet))) == (1000 - 30 + 15 - 5, D(left))


def test_a_change_that_cannot_be_paid_changes_nothing(wallet: Wallet, subscription: Subscription) -> None:
    dear = plan_of("dear", fee="5000", at=START)
    with pytest.raises(CreditExhausted):
        change_plan(subscription=subscription, plan=dear, at=MIDDLE)
    assert (balance(wallet), units(wallet)) == (970, [1000])
    assert Subscription.objects.get().plan == subscription.plan


def test_another_interval_begins_a_new_period_now(wallet: Wallet, subscription: Subscription) -> None:
    yearly = plan_of("yearly", fee="300", calls="12000", interval="year", at=START)
    change_plan(subscription=subscription, plan=yearly, at=MIDDLE, when="now")
    subscription.refresh_from_db()
    assert (balance(wallet), units(wallet)) == (1000 - 30 + 15 - 300, [12000])
    assert (subscription.period_start, subscription.period_end) == (MIDDLE, MIDDLE.replace(year=2028))


def test_another_interval_at_the_end_of_the_period_keeps_the_day(wallet: Wallet, subscription: Subscription) -> None:
    yearly = plan_of("yearly", fee="300", interval="year", at=START)
    change_plan(subscription=subscription, plan=yearly, at=MIDDLE)
    renew_due(at=NEXT)
    subscription.refresh_from_db()
    assert (balance(wallet), subscription.period_end) == (670, NEXT.replace(year=2028))


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(cuts=st.lists(st.tuples(st.integers(0, 30 * 86_400 - 1), st.sampled_from("abc")), max_size=5))
def test_fees_of_a_period_changed_at_any_times_add_up(cuts: list[tuple[int, str]]) -> None:
    """What was charged less what was given back is, plan by plan, the fee by elapsed time: to the last decimal, when a plan
    is kept, and never off by more than the rounding of each cut."""
    number = Subscription.objects.count()
    wallet = customer(f"acme{number}", at=START)
    plans = {name: plan_of(f"{name}{number}", fee=fee, at=START) for name, fee in (("a", "30"), ("b", "70.01"), ("c", "0"))}
    subscription = subscribe(account=wallet.account, plan=plans["a"], at=START)
    spans, since, name = [], 0, "a"
    for seconds, other in sorted(cuts):
        if other != name:
            change_plan(subscription=subscription, plan=plans[other], at=START + timedelta(seconds=seconds), when="now")
            subscription.refresh_from_db()
            spans.append((name, seconds - since))
            since, name = seconds, other
    spans.append((name, 30 * 86_400 - since))
    kept = sum(fee.amount - fee.refunded for fee in PeriodFee.objects.filter(period__subscription=subscription))
    assert 1000 - balance(wallet) == kept
    exact = sum(plans[one].fee * seconds / (30 * 86_400) for one, seconds in spans)
    assert abs(kept - exact) <= D("0.000000000001") * len(spans)


def test_a_change_that_makes_no_sense_is_refused(wallet: Wallet, subscription: Subscription) -> None:
    with pytest.raises(InvalidInput) as refused:
        change_plan(subscription=subscription, plan=subscription.plan, when="later", at=MIDDLE)
    assert set(refused.value.fields) == {"plan", "when"}


def test_cancelling_at_the_end_of_the_period_can_be_taken_back(wallet: Wallet, subscription: Subscription) -> None:
    cancel_subscription(subscription=subscription, at=MIDDLE, reason="Too dear")
    assert units(wallet) == [1000]
    resume_subscription(subscription=subscription, at=MIDDLE)
    assert renew_due(at=NEXT) == Renewals(begun=1)
    cancel_subscription(subscription=subscription, at=NEXT)
    assert renew_due(at=datetime(2027, 6, 1, tzinfo=UTC)) == Renewals(ended=1)
    with pytest.raises(SubscriptionCancelled):
        cancel_subscription(subscription=subscription, at=NEXT)
    with pytest.raises(SubscriptionCancelled):
        resume_subscription(subscription=subscription, at=NEXT)
    assert balance(wallet) == 940


@pytest.mark.parametrize(("refund", "left"), [(True, 985), (False, 970)])
def test_cancelling_now_gives_back_what_is_unused(
    wallet: Wallet, subscription: Subscription, *, refund: bool, left: int
) -> None:
    cancel_subscription(subscription=subscription, now=True, refund=refund, at=MIDDLE)
    assert (balance(wallet), units(wallet)) == (left, [])
    assert renew_due(at=NEXT) == Renewals()


def test_cancelling_a_trial_takes_its_credit_back(wallet: Wallet) -> None:
    plan = plan_of("pro", trial_days=14, trial_credit=D(5), at=START)
    subscription = subscribe(account=wallet.account, plan=plan, at=START)
    cancel_subscription(subscription=subscription, now=True, at=START + timedelta(days=1))
    assert balance(wallet) == 1000


def test_the_prices_of_before_come_back_when_it_ends(wallet: Wallet) -> None:
    list_prices = create_price_book(name="List", currency="USD", is_default=True, at=START)
    book = create_price_book(name="Pro prices", currency="USD", at=START)
    subscription = subscribe(account=wallet.account, plan=plan_of("pro", price_book=book, at=START), at=START)
    cancel_subscription(subscription=subscription, now=True, at=MIDDLE)
    used = [books_used(account_ids=[wallet.account_id], at=moment)[wallet.account_id] for moment in (START, MIDDLE)]
    assert used == [book, list_prices]


def test_a_pause_renews_nothing_and_keeps_what_is_paid_for(wallet: Wallet, subscription: Subscription) -> None:
    pause_subscription(subscription=subscription, at=MIDDLE, reason="Holiday")
    assert units(wallet) == [1000]
    assert renew_due(at=NEXT + timedelta(days=9)) == Renewals()
    with pytest.raises(NotPausable):
        pause_subscription(subscription=subscription, at=NEXT)
    back = NEXT + timedelta(days=10)
    resume_subscription(subscription=subscription, at=back)
    subscription.refresh_from_db()
    assert (subscription.state, subscription.period_start, subscription.period_end) == ("ACTIVE", back, back.replace(month=6))
    assert (balance(wallet), units(wallet)) == (940, [1000])
    with pytest.raises(NothingToResume):
        resume_subscription(subscription=subscription, at=back)


def test_a_pause_within_a_period_changes_nothing(wallet: Wallet, subscription: Subscription) -> None:
    pause_subscription(subscription=subscription, at=START)
    resume_subscription(subscription=subscription, at=MIDDLE)
    assert renew_due(at=NEXT) == Renewals(begun=1)
    assert balance(wallet) == 940


def test_the_gate_is_told_which_meters_a_plan_blocks(wallet: Wallet) -> None:
    assert blocked_meters(account_id=wallet.account_id, at=START) == frozenset()
    plan = plan_of("pro", calls="10", on_exhaustion="block", at=START)
    subscribe(account=wallet.account, plan=plan, at=START)
    assert blocked_meters(account_id=wallet.account_id, at=START) == frozenset()
    use_units(wallet, "10", at=START)
    assert blocked_meters(account_id=wallet.account_id, at=START) == {"calls"}
