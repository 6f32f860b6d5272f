"""Sweeps that run beside each other renew a subscription once. With its control: without looking again under the lock, all of
them would, and the database alone holds them back."""

from __future__ import annotations

from threading import Barrier

import pytest
from django.db import IntegrityError, transaction

from pricing.plans.begin import begin_period, next_period
from pricing.plans.models import PeriodFee, Subscription, SubscriptionPeriod
from pricing.plans.renew import renew_due
from pricing.plans.subscribe import subscribe
from tests.factories.balances import AT
from tests.factories.plans import balance, customer, plan_of, units
from tests.factories.proofs import assert_everything_is_proved
from tests.threads import at_once
from wallets.balances.models import Wallet
from wallets.credit.expire import expire_lots

pytestmark = pytest.mark.django_db(transaction=True)

SWEEPS = 6
NEXT = AT.replace(month=12)


@pytest.fixture
def wallet() -> Wallet:
    wallet = customer("acme", at=AT)
    subscribe(account=wallet.account, plan=plan_of("pro", calls="100", roll_over="full", at=AT), at=AT)
    return wallet


def test_sweeps_beside_each_other_renew_once(wallet: Wallet) -> None:
    answers = at_once([lambda: renew_due(at=NEXT).begun] * SWEEPS + [lambda: expire_lots(at=NEXT) and 0])
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert sum(answer for answer in answers if isinstance(answer, int)) == 1
    assert (balance(wallet), units(wallet)) == (940, [100, 100])
    assert (SubscriptionPeriod.objects.count(), PeriodFee.objects.count()) == (2, 2)
    assert_everything_is_proved()


def test_without_looking_again_under_the_lock_all_of_them_would(wallet: Wallet) -> None:
    all_have_looked = Barrier(SWEEPS, timeout=30)

    def renew_in_a_hurry() -> None:
        subscription = Subscription.objects.select_related("account", "plan").get()
        all_have_looked.wait()
        with transaction.atomic():
            period = next_period(subscription, subscription.plan)
            begin_period(subscription, subscription.plan, period=period, at=NEXT, leftovers={}, actor="")

    answers = at_once([renew_in_a_hurry] * SWEEPS)
    refused = [answer for answer in answers if isinstance(answer, IntegrityError)]
    assert len(refused) == SWEEPS - 1
    assert balance(wallet) == 940
