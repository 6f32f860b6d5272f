"""The first event of a period finds its units, however late the sweep comes that begins the period."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from pricing.plans.cancel import cancel_subscription
from pricing.plans.change import change_plan
from pricing.plans.models import Subscription
from pricing.plans.pause import pause_subscription
from pricing.plans.prepare import AHEAD, prepare_due
from pricing.plans.renew import Renewals, renew_due
from pricing.plans.subscribe import subscribe
from tests.factories.plans import balance, customer, granted, plan_of, units, use_units
from wallets.balances.models import Wallet
from wallets.credit.fee import charge_fee
from wallets.credit.models import CreditLot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("journal_holds")]

START = datetime(2027, 4, 1, tzinfo=UTC)
NEXT = datetime(2027, 5, 1, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.fixture
def wallet() -> Wallet:
    return customer("acme", at=START)


@pytest.fixture
def subscription(wallet: Wallet) -> Subscription:
    plan = plan_of("pro", calls="100", roll_over="full", at=START)
    return subscribe(account=wallet.account, plan=plan, at=START)


def waiting() -> list[D]:
    return list(CreditLot.objects.filter(state="SCHEDULED").values_list("amount", flat=True))


def test_units_wait_for_the_first_instant_of_their_period(wallet: Wallet, subscription: Subscription) -> None:
    use_units(wallet, "60", at=START)
    assert prepare_due(at=NEXT - AHEAD - SECOND) == 0
    assert prepare_due(at=NEXT - AHEAD) == 1
    assert (prepare_due(at=NEXT - SECOND), waiting()) == (0, [100])
    assert use_units(wallet, "41", at=NEXT - SECOND) == 40  # of the period that ends
    assert use_units(wallet, "30", at=NEXT) == 30  # before any sweep
    assert renew_due(at=NEXT + 20 * SECOND) == Renewals(begun=1)
    assert (balance(wallet), units(wallet)) == (940, [70])
    assert granted(subscription) == [(1, 1, 100), (2, 2, 100)]


def test_what_is_left_over_comes_beside_what_was_prepared(wallet: Wallet, subscription: Subscription) -> None:
    prepare_due(at=NEXT - SECOND)
    use_units(wallet, "30", at=NEXT)
    renew_due(at=NEXT + SECOND)
    assert sorted(units(wallet)) == [70, 100]


def test_a_period_that_does_not_begin_gives_back_what_was_prepared(wallet: Wallet, subscription: Subscription) -> None:
    prepare_due(at=NEXT - SECOND)
    use_money(wallet, balance(wallet))
    assert renew_due(at=NEXT + SECOND) == Renewals(unpaid=1)
    assert CreditLot.objects.filter(state__in=["OPEN", "SCHEDULED"], effective_at=NEXT).count() == 0


def test_nothing_is_prepared_that_cannot_be_paid(wallet: Wallet, subscription: Subscription) -> None:
    use_money(wallet, balance(wallet) - 29)
    assert (prepare_due(at=NEXT - SECOND), waiting()) == (0, [])


@pytest.mark.parametrize("verb", [pause_subscription, cancel_subscription])
def test_who_stops_gets_nothing_ahead(wallet: Wallet, subscription: Subscription, verb: object) -> None:
    prepare_due(at=NEXT - AHEAD)
    verb(subscription=subscription, at=NEXT - SECOND)  # type: ignore[operator]
    assert waiting() == []
    renew_due(at=NEXT)
    assert (balance(wallet), CreditLot.objects.filter(effective_at=NEXT, state="OPEN").count()) == (970, 0)


def test_who_changes_the_plan_gets_the_units_of_the_new_one(wallet: Wallet, subscription: Subscription) -> None:
    prepare_due(at=NEXT - AHEAD)
    basic = plan_of("basic", fee="10", calls="20", at=START)
    change_plan(subscription=subscription, plan=basic, at=NEXT - SECOND)
    renew_due(at=NEXT)
    assert (units(wallet), waiting()) == ([20], [])


def use_money(wallet: Wallet, amount: D) -> None:
    """Take so much of the wallet's credit in another way than by usage."""
    charge_fee(wallet_id=wallet.pk, amount=amount, code="other", at=START, reference="r", reason="Other")
