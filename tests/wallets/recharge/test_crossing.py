"""A wallet that falls below its rule's threshold is due for a recharge: told in the debit's own transaction, once each time,
whatever takes the balance there."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from billing_site.outbox_readers import READERS
from tests.factories.balances import AT, spend, wallet_of
from wallets.balances.models import Wallet
from wallets.credit.expire import expire_lots
from wallets.credit.grant import grant_credit
from wallets.outbox.deliver import deliver_news
from wallets.outbox.models import News
from wallets.recharge.configure import RechargeTerms, set_auto_recharge, switch_auto_recharge
from wallets.recharge.models import RechargeDecision

pytestmark = pytest.mark.django_db

TERMS = RechargeTerms(threshold=D(10), amount=D(20), monthly_cap=D(200))


@pytest.fixture
def wallet() -> Wallet:
    """12.00, to be recharged below 10.00."""
    wallet = wallet_of("acme", credit="12")
    set_auto_recharge(wallet_id=wallet.pk, terms=TERMS, at=AT)
    return wallet


def told() -> list[str]:
    return [news.payload["balance"] for news in News.objects.filter(topic="recharge_due").order_by("id")]


def test_falling_below_is_told_once_until_credit_brings_it_back(wallet: Wallet) -> None:
    spend(wallet, "2")  # 10.00 is not below 10.00
    assert told() == []
    for _ in range(3):
        spend(wallet, "1")
    assert told() == ["9.000000000000"]
    grant_credit(wallet_id=wallet.pk, amount=D(1), kind="paid", at=AT)  # 8.00: still below
    spend(wallet, "1")
    assert len(told()) == 1
    grant_credit(wallet_id=wallet.pk, amount=D(3), kind="paid", at=AT)  # 10.00: back
    spend(wallet, "0.5")
    assert told() == ["9.000000000000", "9.500000000000"]


def test_expiry_takes_it_there_too(wallet: Wallet) -> None:
    spend(wallet, "3")
    grant_credit(wallet_id=wallet.pk, amount=D(5), kind="promotional", at=AT, expires_at=AT + timedelta(hours=1))
    expire_lots(at=AT + timedelta(hours=2))
    assert told() == ["9.000000000000", "9.000000000000"]


def test_a_rule_that_is_off_or_changed_watches_as_it_says(wallet: Wallet) -> None:
    switch_auto_recharge(wallet_id=wallet.pk, on=False, at=AT)
    spend(wallet, "4")
    assert told() == []
    switch_auto_recharge(wallet_id=wallet.pk, on=True, at=AT)  # below already: looked at now, and not told as a crossing
    spend(wallet, "1")
    assert told() == []
    set_auto_recharge(wallet_id=wallet.pk, terms=RechargeTerms(threshold=D(5), amount=D(20), monthly_cap=D(200)), at=AT)
    spend(wallet, "3")
    assert told() == ["4.000000000000"]


def test_the_reader_decides(wallet: Wallet) -> None:
    spend(wallet, "3")
    deliver_news(readers=READERS, at=AT)
    (decision,) = RechargeDecision.objects.all()
    assert (decision.balance, decision.threshold) == (D(9), D(10))
