"""A top-up every month, on its day, once."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from tests.cast import Company
from tests.factories.payments import AT
from tests.factories.recharge import lines
from tests.fakes.faulty_provider import FaultyProvider
from wallets.payments.cards import remove_card
from wallets.payments.models import PaymentMethod, TopUp
from wallets.recharge.models import RechargeDecision
from wallets.recharge.schedule import schedule_top_up
from wallets.recharge.sweep import sweep_recharges

pytestmark = pytest.mark.django_db
FIRST_OF_DECEMBER = datetime(2026, 11, 30, 23, tzinfo=UTC)  # in Berlin


@pytest.fixture
def scheduled(acme: Company, card: PaymentMethod) -> Company:
    acme.account.time_zone = "Europe/Berlin"
    acme.account.save()
    schedule_top_up(wallet_id=acme.wallet.pk, amount=D(100), day=1, at=AT)
    return acme


def test_a_day_of_the_month_tops_up_once(scheduled: Company, provider: FaultyProvider) -> None:
    sweep_recharges(at=FIRST_OF_DECEMBER - timedelta(seconds=1))
    assert provider.charged == []
    for minutes in (0, 1, 120):
        sweep_recharges(at=FIRST_OF_DECEMBER + timedelta(minutes=minutes))
    assert provider.charged == [D(100)]
    assert TopUp.objects.get().origin == "schedule"
    assert lines(scheduled.wallet) == ["monthly top-up of 1 Dec; topped up 100.00 with Visa •••• 4242"]
    sweep_recharges(at=FIRST_OF_DECEMBER + timedelta(days=31))
    assert provider.charged == [D(100), D(100)]


def test_a_month_that_nobody_swept_is_made_up_once(scheduled: Company, provider: FaultyProvider) -> None:
    sweep_recharges(at=FIRST_OF_DECEMBER + timedelta(days=3))
    sweep_recharges(at=FIRST_OF_DECEMBER + timedelta(days=3))
    assert (provider.charged, RechargeDecision.objects.get().day) == ([D(100)], datetime(2026, 12, 1).date())  # noqa: DTZ001


def test_without_a_card_it_says_so(scheduled: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    remove_card(account=scheduled.account, card_id=card.public_id, at=AT)
    sweep_recharges(at=FIRST_OF_DECEMBER)
    assert lines(scheduled.wallet) == ["monthly top-up of 1 Dec; not topped up: there is no card to charge; save one"]
    assert not TopUp.objects.exists()


def test_a_declined_one_is_said_and_the_card_is_not_tried_again(
    scheduled: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    provider.declines[card.provider_id] = "do_not_honor"
    for hours in range(3):
        sweep_recharges(at=FIRST_OF_DECEMBER + timedelta(hours=hours))
    assert lines(scheduled.wallet) == [
        "monthly top-up of 1 Dec; 100.00 not charged to Visa •••• 4242: your bank declined the card"
    ]
    assert TopUp.objects.count() == 1
