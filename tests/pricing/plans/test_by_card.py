"""Fees by card, through a provider: money in first, then the fee; a card that declines, a bank that is away."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal as D

import pytest

from pricing.plans.card import FeeNotCollected, NoCardPayments
from pricing.plans.change import change_plan
from pricing.plans.collect_by_top_up import chargeable
from pricing.plans.models import Subscription
from pricing.plans.renew import Renewals, renew_due
from pricing.plans.subscribe import subscribe
from tests.cast import Company
from tests.factories.payments import AT
from tests.factories.plans import balance, plan_of, units
from tests.fakes.faulty_provider import FaultyProvider
from wallets.payments.models import PaymentMethod, TopUp

pytestmark = pytest.mark.django_db

NEXT: datetime = AT.replace(month=12)


@pytest.mark.parametrize(("fee", "charged"), [("30", "30"), ("16.666666666667", "16.67"), ("0.001", "0.01")])
def test_a_card_is_charged_no_less_than_the_fee(fee: str, charged: str) -> None:
    assert chargeable(D(fee), "USD") == D(charged)


def test_a_fee_is_topped_up_and_taken(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    plan = plan_of("pro", calls="100", at=AT)
    subscription = subscribe(account=acme.account, plan=plan, pay_by="card", at=AT)
    assert (provider.charged, balance(acme.wallet), units(acme.wallet)) == ([D(30)], 0, [100])
    assert renew_due(at=NEXT) == Renewals(begun=1)
    assert renew_due(at=NEXT) == Renewals()
    assert (provider.charged, balance(acme.wallet)) == ([D(30), D(30)], 0)
    origins = TopUp.objects.values_list("origin", "request_key")
    assert ("fee", f"fee:{subscription.public_id}:2:0") in list(origins)


def test_a_card_that_declines_is_tried_again(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    plan = plan_of("pro", calls="100", at=AT)
    subscribe(account=acme.account, plan=plan, pay_by="card", at=AT)
    provider.declines[card.provider_id] = "card_declined"
    assert renew_due(at=NEXT) == Renewals(unpaid=1)
    assert Subscription.objects.get().state == "PAST_DUE"
    provider.declines.clear()
    assert renew_due(at=NEXT + timedelta(hours=1)) == Renewals(begun=1)
    assert (provider.charged, Subscription.objects.get().state) == ([D(30), D(30)], "ACTIVE")


def test_without_a_card_that_pays_nothing_is_subscribed(
    acme: Company, globex: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    plan = plan_of("pro", at=AT)
    with pytest.raises(NoCardPayments):
        subscribe(account=globex.account, plan=plan, pay_by="card", at=AT)
    provider.declines[card.provider_id] = "card_declined"
    with pytest.raises(FeeNotCollected):
        subscribe(account=acme.account, plan=plan, pay_by="card", at=AT)
    assert (Subscription.objects.count(), provider.charged) == (0, [])


def test_an_upgrade_charges_the_difference(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    subscription = subscribe(account=acme.account, plan=plan_of("pro", at=AT), pay_by="card", at=AT)
    change_plan(subscription=subscription, plan=plan_of("team", fee="90", at=AT), at=AT + timedelta(days=15))
    # Half of 90 less half of 30.
    assert (provider.charged, balance(acme.wallet)) == ([D(30), D(30)], 0)
