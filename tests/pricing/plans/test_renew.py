"""Renewing: what rolls over, fees that are not paid, periods that were missed, cards."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest
from django.conf import LazySettings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pricing.plans.card import Collected, FeeNotCollected
from pricing.plans.models import Subscription, SubscriptionChange
from pricing.plans.renew import Renewals, renew_due
from pricing.plans.roll_over import Leftover, Rule, roll_over
from pricing.plans.subscribe import subscribe
from tests.factories.bank import BANK, Bank
from tests.factories.plans import balance, customer, granted, plan_of, units, use_units
from wallets.balances.models import Wallet
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.void import void_lot
from wallets.ledger.models import JournalEntry

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("journal_holds")]

START = datetime(2027, 1, 31, 12, tzinfo=UTC)
# The starts of the periods after the first: each month's last day.
MONTHS = [datetime(2027, 2, 28, 12, tzinfo=UTC), datetime(2027, 3, 31, 12, tzinfo=UTC), datetime(2027, 4, 30, 12, tzinfo=UTC)]
MINUTE = timedelta(minutes=1)


def subscribed(wallet: Wallet, **terms: object) -> Subscription:
    plan = plan_of("pro", at=START, **{"calls": "100"} | terms)  # type: ignore[arg-type]
    return subscribe(account=wallet.account, plan=plan, at=START)


def test_what_is_left_rolls_over_as_a_lot_of_its_own_that_names_where_it_came_from() -> None:
    wallet = customer("acme", at=START)
    subscribed(wallet, roll_over="full", roll_over_periods=1)
    use_units(wallet, "30", at=START)
    renew_due(at=MONTHS[0])
    assert units(wallet) == [70, 100]
    old, rolled, _ = CreditLot.objects.filter(unit_meter="calls").order_by("id")
    assert (old.state, rolled.source, rolled.reason) == ("EXPIRED", old.public_id, f"Rolled over from {old.public_id}")
    assert (rolled.effective_at, rolled.expires_at) == (START, MONTHS[1])
    use_units(wallet, "80", at=MONTHS[0])
    assert units(wallet) == [90]  # rolled over units go first
    renew_due(at=MONTHS[1])
    assert units(wallet) == [90, 100]
    renew_due(at=MONTHS[2])
    assert units(wallet) == [100, 100]  # the 90 went on for one period


def test_it_does_not_matter_whether_lots_expire_before_the_renewal_or_with_it() -> None:
    wallet = customer("acme", at=START)
    subscribed(wallet, roll_over="capped", roll_over_cap=D(50))
    use_units(wallet, "30", at=START)
    expire_lots(at=MONTHS[0])
    assert units(wallet) == []
    renew_due(at=MONTHS[0] + MINUTE)
    assert units(wallet) == [50, 100]


def test_usage_told_late_finds_the_units_that_rolled_over() -> None:
    wallet = customer("acme", at=START)
    subscribed(wallet, roll_over="full")
    renew_due(at=MONTHS[0])
    assert use_units(wallet, "40", at=MONTHS[0] - MINUTE) == 40
    assert units(wallet) == [60, 100]


def test_voided_units_do_not_roll_over() -> None:
    wallet = customer("acme", at=START)
    subscribed(wallet, roll_over="full")
    void_lot(lot_public_id=CreditLot.objects.get(unit_meter="calls").public_id, at=START, reason="Mistake")
    renew_due(at=MONTHS[0])
    assert units(wallet) == [100]


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    used=st.lists(st.integers(0, 150), min_size=3, max_size=3),
    mode=st.sampled_from(["none", "capped", "full"]),
    periods=st.sampled_from([None, 1, 2]),
)
def test_periods_on_end_grant_what_the_rule_says(used: list[int], mode: str, periods: int | None) -> None:
    """The lots of real periods against the rule alone."""
    number = Subscription.objects.count()
    wallet = customer(f"acme{number}", at=START)
    rule = Rule(mode, D(60) if mode == "capped" else None, None if mode == "none" else periods)
    plan = plan_of(
        f"pro{number}", calls="100", roll_over=mode, roll_over_cap=rule.cap, roll_over_periods=rule.periods, at=START
    )
    subscription = subscribe(account=wallet.account, plan=plan, at=START)
    held = [Leftover(1, D(100))]
    expected = [(1, 1, D(100))]
    for index, (units_used, start) in enumerate(zip(used, MONTHS, strict=True), 2):
        left = D(units_used)
        after = []
        for one in held:
            part = min(left, one.quantity)
            left -= part
            after.append(one._replace(quantity=one.quantity - part))
        assert use_units(wallet, str(units_used), at=start - MINUTE) == units_used - left
        renew_due(at=start)
        held = [*roll_over(rule, after, into=index), Leftover(index, D(100))]
        expected += [(index, one.origin, one.quantity) for one in held]
    assert granted(subscription) == expected


def test_a_fee_that_is_not_paid_is_tried_again_and_the_periods_do_not_drift() -> None:
    wallet = customer("acme", at=START, credit="40")
    subscription = subscribed(wallet)
    assert renew_due(at=MONTHS[0]) == Renewals(unpaid=1)
    expire_lots(at=MONTHS[0])
    subscription.refresh_from_db()
    assert (subscription.state, balance(wallet), units(wallet)) == ("PAST_DUE", 10, [])
    assert renew_due(at=MONTHS[0] + timedelta(minutes=59)) == Renewals()
    assert renew_due(at=MONTHS[0] + timedelta(hours=1)) == Renewals(unpaid=1)
    assert renew_due(at=MONTHS[0] + timedelta(hours=7) - MINUTE) == Renewals()
    assert renew_due(at=MONTHS[0] + timedelta(hours=7)) == Renewals(unpaid=1)
    # The next try would be a day later, but credit comes in.
    grant_credit(wallet_id=wallet.pk, amount=D(20), kind="paid", at=MONTHS[0] + timedelta(hours=8))
    assert renew_due(at=MONTHS[0] + timedelta(hours=8)) == Renewals(begun=1)
    subscription.refresh_from_db()
    assert (subscription.state, subscription.period_start, subscription.period_end) == ("ACTIVE", MONTHS[0], MONTHS[1])
    assert (balance(wallet), units(wallet)) == (0, [100])
    history = list(SubscriptionChange.objects.order_by("id").values_list("before", "after"))
    behind = [("ACTIVE", "PAST_DUE"), ("PAST_DUE", "PAST_DUE"), ("PAST_DUE", "PAST_DUE")]
    assert history == [("", "ACTIVE"), *behind, ("PAST_DUE", "ACTIVE")]


def test_a_fee_that_stays_unpaid_ends_the_subscription_after_a_fortnight() -> None:
    wallet = customer("acme", at=START, credit="40")
    subscription = subscribed(wallet)
    at, tries = MONTHS[0], 0
    while (done := renew_due(at=at)).ended == 0:
        tries += done.unpaid
        at += timedelta(hours=1)
    subscription.refresh_from_db()
    # At once, after 1 hour, 6 hours more, then daily: days 1 to 13 after that.
    assert (subscription.state, tries, at) == ("CANCELLED", 16, MONTHS[0] + timedelta(days=14, hours=7))
    assert balance(wallet) == 10


def test_periods_that_were_missed_are_charged_one_after_the_other_and_their_units_count_as_left() -> None:
    wallet = customer("acme", at=START)
    subscription = subscribed(wallet, roll_over="full")
    use_units(wallet, "30", at=START)
    assert renew_due(at=MONTHS[2] + MINUTE) == Renewals(begun=3)
    assert (balance(wallet), sum(units(wallet))) == (1000 - 4 * 30, 370)
    subscription.refresh_from_db()
    assert (subscription.period_index, subscription.period_start) == (4, MONTHS[2])
    assert JournalEntry.objects.filter(kind="FEE").count() == 4


def test_a_closed_wallet_ends_the_subscription() -> None:
    wallet = customer("acme", at=START, credit="30")
    subscribed(wallet, calls="")
    Wallet.objects.filter(pk=wallet.pk).update(status="CLOSED", closed_at=START)
    assert renew_due(at=MONTHS[0]) == Renewals(ended=1)
    assert renew_due(at=MONTHS[1]) == Renewals()


@pytest.fixture
def bank(settings: LazySettings) -> Bank:
    """Collects the fees, as the setting says."""
    settings.FEES_BY_CARD = "tests.factories.bank.BANK"
    BANK.reset()
    return BANK


def test_a_fee_by_card_is_collected_first_and_then_taken_from_the_wallet(bank: Bank) -> None:
    wallet = customer("acme", at=START, credit="0")
    plan = plan_of("pro", calls="100", at=START)
    bank.answers = [Collected.DECLINED]
    with pytest.raises(FeeNotCollected):
        subscribe(account=wallet.account, plan=plan, pay_by="card", at=START)
    subscription = subscribe(account=wallet.account, plan=plan, pay_by="card", at=START)
    assert (balance(wallet), units(wallet), list(bank.paid.values())) == (0, [100], [30])
    bank.answers = [Collected.WAITING, Collected.DECLINED]
    assert renew_due(at=MONTHS[0]) == Renewals(unpaid=1)
    assert renew_due(at=MONTHS[0] + timedelta(minutes=15)) == Renewals(unpaid=1)
    assert renew_due(at=MONTHS[0] + timedelta(minutes=75)) == Renewals(begun=1)
    # A card that waits is asked again with the same key, one that declined with another.
    keys = [key.removeprefix(subscription.public_id) for key in bank.asked[2:]]
    assert keys == [":2:0", ":2:0", ":2:1"]
    assert (balance(wallet), units(wallet)) == (0, [100])
