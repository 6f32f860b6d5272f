"""What a customer hears of a balance that falls: each threshold once, the lowest of several, and what is used up always."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from decimal import Decimal as D

import pytest
from pytest_django.fixtures import Settings

from billing_site.outbox_readers import READERS
from notifications.alerts.hold_back import hold_back, settle_all_held
from notifications.alerts.models import Alert, Delivery, HeldAlert, Recipient
from tests.cast import Company
from tests.factories.balances import AT, spend, wallet_of
from tests.factories.payments import AT as PAID_AT
from tests.factories.payments import provider_in_memory, saved_card
from tests.factories.recharge import set_rule
from tests.fakes.faulty_provider import FaultyProvider
from wallets.balances.lock import LockBusy
from wallets.balances.models import Wallet
from wallets.balances.set_thresholds import set_account_thresholds, set_thresholds
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.outbox.deliver import Reader, deliver_news
from wallets.outbox.models import News
from wallets.outbox.topics import RechargeDue
from wallets.recharge.configure import RechargeTerms, set_auto_recharge
from wallets.recharge.sweep import sweep_recharges

pytestmark = pytest.mark.django_db


@pytest.fixture
def wallet() -> Wallet:
    return wallet_of("acme", credit="100")


@pytest.fixture
def provider(settings: Settings) -> Iterator[FaultyProvider]:
    """In memory; these debits have no events."""
    with provider_in_memory(settings) as made:
        yield made


def heard(wallet: Wallet, *, at: datetime = AT) -> list[str]:
    """Hand the news out; what its account was told, oldest first."""
    deliver_news(readers=READERS, at=at)
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


def test_that_the_balance_is_back_is_mailed_to_who_asks_for_it(wallet: Wallet) -> None:
    Recipient.objects.create(account_id=wallet.account_id, email="all@acme.example", created_at=AT)
    Recipient.objects.create(
        account_id=wallet.account_id, email="asks@acme.example", topics=["balance_recovered"], created_at=AT
    )
    spend(wallet, "81")
    grant_credit(wallet_id=wallet.pk, amount=D(90), kind="paid", at=AT)
    assert heard(wallet) == ["20", "balance_recovered"]
    assert [one.address for one in Delivery.objects.order_by("id")] == ["all@acme.example", "asks@acme.example"]
    assert Delivery.objects.get(alert__topic="balance_recovered").address == "asks@acme.example"


def test_credit_that_ends_when_the_next_has_come_is_no_fall() -> None:
    wallet = wallet_of("globex")
    month = AT + timedelta(days=30)
    grant_credit(wallet_id=wallet.pk, amount=D(100), kind="plan", at=AT, expires_at=month)
    spend(wallet, "10")
    grant_credit(wallet_id=wallet.pk, amount=D(100), kind="plan", at=month, expires_at=month + timedelta(days=30))
    expire_lots(at=month)
    wallet.refresh_from_db()
    assert (heard(wallet, at=month), wallet.balance, wallet.reference_balance) == ([], 100, 100)
    spend(wallet, "50", at=month)
    assert heard(wallet, at=month) == ["50"]


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


def test_a_recharge_on_its_way_holds_the_alert_back_and_its_failure_tells_it(acme: Company, provider: FaultyProvider) -> None:
    """Recharged: never told. Declined: told with the news of it. Too little to make it false: told at once."""
    wallet, card = acme.wallet, saved_card(acme.account)
    grant_credit(wallet_id=wallet.pk, amount=D(100), kind="promotional", at=PAID_AT)
    set_rule(wallet, threshold=D(10), amount=D(50), monthly_cap=D(100))
    spend(wallet, "94", at=PAID_AT)
    assert heard(wallet, at=PAID_AT) == []
    sweep_recharges(at=PAID_AT)
    assert heard(wallet, at=PAID_AT) == ["balance_recovered"]
    assert HeldAlert.objects.get().state == "OVERTAKEN"
    later = PAID_AT + timedelta(hours=1)
    spend(wallet, "47", at=later)  # 9 of 56
    provider.declines[card.provider_id] = "insufficient_funds"
    assert heard(wallet, at=later)[1:] == []
    sweep_recharges(at=later)
    assert heard(wallet, at=later)[1:] == ["20"]
    assert [one.state for one in HeldAlert.objects.order_by("id")] == ["OVERTAKEN", "TOLD"]
    assert not hold_back(
        wallet_id=wallet.pk, topic="threshold_crossed", key="k", level=D(20), facts={}, severity="warning", at=later
    )


def test_what_no_news_ends_is_told_by_the_sweep(wallet: Wallet) -> None:
    set_auto_recharge(wallet_id=wallet.pk, terms=RechargeTerms(threshold=D(10), amount=D(50), monthly_cap=D(200)), at=AT)
    spend(wallet, "94")
    alerts = {topic: [one for one in of_topic if one.name == "alerts"] for topic, of_topic in READERS.items()}
    deliver_news(readers=alerts | {RechargeDue: [Reader("recharge", _busy)]}, at=AT)
    assert settle_all_held(at=AT) == 0
    assert HeldAlert.objects.get().state == "HELD"
    deliver_news(readers={RechargeDue: READERS[RechargeDue]}, at=AT + timedelta(minutes=1))  # no card: nothing is on its way
    assert settle_all_held(at=AT) == 1
    assert settle_all_held(at=AT) == 0
    assert Alert.objects.get(topic="threshold_crossed").facts["percent"] == "20"


def _busy(piece: object, *, at: object) -> None:
    raise LockBusy("somebody has it")
