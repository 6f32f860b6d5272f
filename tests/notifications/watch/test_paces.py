"""Who runs out soon and who burns twice as fast: told once, and again only after it was over."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from metering.usage.models import HourlyUsage
from notifications.alerts.models import Alert, Recipient
from notifications.watch.pace import days_left, in_words, watch_doubled, watch_run_out
from notifications.watch.tell_paces import tell_paces
from pricing.meters.define import define_meter
from pricing.meters.models import Meter
from tests.factories.balances import AT, wallet_of
from tests.factories.recharge import TERMS
from wallets.balances.models import Wallet
from wallets.recharge.configure import set_auto_recharge
from wallets.recharge.decide import decide

HOUR = timedelta(hours=1)
amounts = st.decimals(0, 1_000, places=2)


def burn(wallet: Wallet, amount: str, *, days_ago: int) -> None:
    """What was charged an hour before AT, so many days ago."""
    meter = Meter.objects.filter(code="calls").first() or define_meter(
        code="calls", event_type="call", aggregation="count", at=AT
    )
    HourlyUsage.objects.create(
        bucket=wallet.bucket, account_id=wallet.account_id, meter=meter, hour=AT - HOUR - timedelta(days=days_ago),
        currency=wallet.currency, dimensions={}, events=1, quantity=D(1), amount=D(amount), cost=D(0),
    )  # fmt: skip


def told() -> list[tuple[str, str]]:
    return list(Alert.objects.order_by("id").values_list("topic", "audience"))


@pytest.mark.django_db
def test_a_wallet_that_runs_out_within_three_days_is_told_once_until_it_was_over() -> None:
    wallet, other = wallet_of("acme", credit="30"), wallet_of("globex", credit="3000")
    burn(wallet, "12", days_ago=0)
    burn(other, "12", days_ago=0)
    assert tell_paces(at=AT) == 1
    alert = Alert.objects.get()
    assert (alert.topic, alert.wallet, alert.facts["days"], alert.facts["per_day"]) == (
        "run_out_forecast", wallet, "3", "12.000000000000",
    )  # fmt: skip
    assert tell_paces(at=AT + HOUR) == 0
    assert tell_paces(at=AT + timedelta(days=2)) == 0  # nothing used since: over
    alert.refresh_from_db()
    assert alert.resolved_at is not None
    burn(wallet, "20", days_ago=-2)
    assert tell_paces(at=AT + timedelta(days=2)) == 1


@pytest.mark.django_db
def test_a_wallet_that_recharges_itself_does_not_run_out_unless_that_has_stopped() -> None:
    wallet = wallet_of("acme", credit="30")
    burn(wallet, "12", days_ago=0)
    set_auto_recharge(wallet_id=wallet.pk, terms=TERMS, at=AT)
    assert tell_paces(at=AT) == 0
    decide(wallet_id=wallet.pk, at=AT, below=wallet.balance + 30)  # there is no card
    assert tell_paces(at=AT) == 1


@pytest.mark.django_db
def test_twice_the_week_before_is_told_to_the_customer_and_to_finance() -> None:
    wallet = wallet_of("acme", credit="1000")
    Recipient.objects.create(account=None, email="finance@vendor.example", created_at=AT)
    for day in range(1, 8):
        burn(wallet, "10", days_ago=day)
    assert tell_paces(at=AT) == 0
    burn(wallet, "20", days_ago=0)
    assert tell_paces(at=AT) == 2
    assert told() == [("burn_rate_doubled", "customer"), ("burn_rate_page", "finance")]
    page = Alert.objects.get(topic="burn_rate_page")
    assert (page.facts["per_day"], D(page.facts["before"]), page.severity) == ("20.000000000000", D(10), "critical")
    assert [one.address for one in page.deliveries.all()] == ["finance@vendor.example"]
    assert tell_paces(at=AT + HOUR) == 0


@given(available=st.decimals(-10, 1_000, places=2), days=st.lists(amounts, max_size=20))
def test_a_forecast_is_told_on_the_edge_only(available: D, days: list[D]) -> None:
    told = False
    for per_day in days:
        left = days_left(available=available, per_day=per_day)
        tell, now = watch_run_out(left=left, told=told)
        assert not (tell and told)
        assert not tell or (left is not None and left <= 3)
        assert not now or (left is not None and left < 6)
        assert left is None or in_words(left) >= left
        told = now


@given(day=amounts, week=amounts, used=st.integers(0, 7), reference=amounts)
def test_a_burn_is_doubled_only_against_a_week_of_use(day: D, week: D, used: int, reference: D) -> None:
    for told in (False, True):
        tell, now = watch_doubled(day=day, week=week, days_used=used, reference=reference, told=told)
        assert not tell or (not told and used >= 3 and day * 7 >= 2 * week)
        assert now or not tell
