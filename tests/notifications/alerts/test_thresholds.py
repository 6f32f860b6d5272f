"""What a customer hears of a balance that falls: each threshold once, the lowest of several, and what is used up always."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from billing_site.outbox_readers import READERS
from notifications.alerts.models import Alert
from tests.factories.balances import AT, spend, wallet_of
from wallets.balances.models import Wallet
from wallets.balances.thresholds import ARMED, PERCENTS, crossed_percent
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.outbox.deliver import deliver_news
from wallets.outbox.models import News
from wallets.recharge.configure import RechargeTerms, set_auto_recharge

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet() -> Wallet:
    return wallet_of("acme", credit="100")


def heard(wallet: Wallet) -> list[str]:
    """Hand the news out; what its account was told, oldest first."""
    deliver_news(readers=READERS, at=AT)
    told = Alert.objects.filter(
        account_id=wallet.account_id, topic__in=["threshold_crossed", "wallet_exhausted", "lot_expired"]
    )
    return [alert.facts.get("percent", alert.topic) for alert in told.order_by("id")]


def test_from_60_to_3_percent_at_once_is_one_alert_and_one_recharge(wallet: Wallet) -> None:
    terms = RechargeTerms(threshold=D(10), amount=D(20), monthly_cap=D(200))
    set_auto_recharge(wallet_id=wallet.pk, terms=terms, at=AT)
    spend(wallet, "40")
    assert heard(wallet) == []
    spend(wallet, "57")
    assert heard(wallet) == ["5"]
    assert heard(wallet) == ["5"]
    assert News.objects.filter(topic="recharge_due").count() == 1


def test_a_balance_that_hovers_is_told_once_and_credit_arms_again(wallet: Wallet) -> None:
    spend(wallet, "79.99")
    for _ in range(50):
        spend(wallet, "0.01")
    assert heard(wallet) == ["50", "20"]
    grant_credit(wallet_id=wallet.pk, amount=D(80), kind="paid", at=AT)
    spend(wallet, "80")
    assert heard(wallet)[2:] == ["20"]


def test_what_is_used_up_is_told_as_that_once(wallet: Wallet) -> None:
    spend(wallet, "100")
    spend(wallet, "5")
    heard(wallet)
    (alert,) = Alert.objects.filter(wallet=wallet)
    assert (alert.topic, alert.mandatory, alert.severity) == ("wallet_exhausted", True, "critical")


def test_what_a_plan_gave_ends_in_silence_other_credit_does_not(wallet: Wallet) -> None:
    for kind in ("plan", "promotional"):
        grant_credit(wallet_id=wallet.pk, amount=D(1), kind=kind, at=AT, expires_at=AT + timedelta(hours=1))
    expire_lots(at=AT + timedelta(hours=2))
    assert heard(wallet) == ["lot_expired"]


@given(
    reference=st.decimals(0, 1000, places=2),
    balances=st.lists(st.decimals(-100, 1000, places=2), max_size=30),
)
def test_each_threshold_is_crossed_at_most_once_and_the_lowest_is_told(reference: D, balances: list[D]) -> None:
    armed = ARMED
    told: list[int] = []
    seen: set[int] = set()
    for after in balances:
        crossed = crossed_percent(reference=reference, after=after, armed=armed)
        reached = [percent for percent in PERCENTS if after <= reference * percent / 100]
        fresh = [percent for percent in reached if all(percent < other for other in seen)]
        assert crossed == (min(fresh) if fresh else None)
        if crossed is not None:
            armed = crossed
            seen.add(crossed)
            told.append(crossed)
    assert told == sorted(set(told), reverse=True)
