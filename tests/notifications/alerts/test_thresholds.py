"""What a customer hears of a balance that falls: each threshold once, the lowest of several, and what is used up always."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from billing_site.outbox_readers import READERS
from notifications.alerts.models import Alert
from tests.factories.balances import AT, spend, wallet_of
from wallets.balances.models import Wallet
from wallets.balances.set_thresholds import set_account_thresholds, set_thresholds
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
        account_id=wallet.account_id,
        topic__in=["threshold_crossed", "wallet_exhausted", "balance_recovered", "wallet_resumed", "lot_expired"],
    )
    return [_said(alert) for alert in told.order_by("id")]


def _said(alert: Alert) -> str:
    threshold = alert.facts.get("threshold") or alert.facts.get("percent")
    return threshold if alert.topic == "threshold_crossed" and threshold else alert.topic


def test_from_60_to_3_percent_at_once_is_one_alert_and_one_recharge(wallet: Wallet) -> None:
    terms = RechargeTerms(threshold=D(10), amount=D(20), monthly_cap=D(200))
    set_auto_recharge(wallet_id=wallet.pk, terms=terms, at=AT)
    spend(wallet, "40")
    assert heard(wallet) == []
    spend(wallet, "57")
    assert heard(wallet) == ["5"]
    assert heard(wallet) == ["5"]
    assert News.objects.filter(topic="recharge_due").count() == 1


def test_a_balance_that_hovers_for_1000_debits_is_told_once_and_a_top_up_arms_again(wallet: Wallet) -> None:
    spend(wallet, "79.90")
    for number in range(1_000):
        spend(wallet, "0.02")
        if number % 20 == 19:
            grant_credit(wallet_id=wallet.pk, amount=D("0.40"), kind="promotional", at=AT)
    assert heard(wallet) == ["50", "20"]
    grant_credit(wallet_id=wallet.pk, amount=D(80), kind="paid", at=AT)
    assert heard(wallet)[2:] == ["balance_recovered"]
    spend(wallet, "81")
    assert heard(wallet)[3:] == ["20"]


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


def test_a_grant_that_does_not_reach_zero_tells_nothing_again_and_one_that_does_says_so(wallet: Wallet) -> None:
    spend(wallet, "130")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT)
    spend(wallet, "5")
    assert heard(wallet) == ["wallet_exhausted"]
    grant_credit(wallet_id=wallet.pk, amount=D(50), kind="paid", at=AT)
    assert heard(wallet) == ["wallet_exhausted", "wallet_resumed"]
    assert not Alert.objects.filter(topic="wallet_exhausted", resolved_at__isnull=True).exists()
    spend(wallet, "25")
    assert heard(wallet)[2:] == ["wallet_exhausted"]


def test_percentages_amounts_and_reference_of_its_own(wallet: Wallet) -> None:
    set_account_thresholds(account_id=wallet.account_id, percents=[80])
    set_thresholds(wallet_id=wallet.pk, percents=None, amounts=[D(30)])
    spend(wallet, "20")
    spend(wallet, "50")
    assert heard(wallet) == ["80", "30.000000000000"]
    set_thresholds(wallet_id=wallet.pk, percents=[10, 2], reference=D(1000))
    spend(wallet, "5")  # 25 of 1,000: below 10 % when that was set
    assert heard(wallet)[2:] == []
    spend(wallet, "5")
    assert heard(wallet)[2:] == ["2"]
    grant_credit(wallet_id=wallet.pk, amount=D(200), kind="paid", at=AT)
    spend(wallet, "120")
    assert heard(wallet)[3:] == ["balance_recovered", "10"]
