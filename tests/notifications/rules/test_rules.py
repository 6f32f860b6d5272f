"""Rules at thresholds: what is done besides telling, once for a crossing, and undone when the balance is back."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pytest_django.fixtures import Settings

from billing_site.outbox_readers import READERS
from notifications.alerts.models import Alert, Recipient
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from notifications.rules.act import act_on, lift_of_rules_switched_off
from notifications.rules.match import Crossed, Terms, fits, is_back
from notifications.rules.models import RuleAct, ThresholdRule
from tests.cast import Company
from tests.factories.balances import spend
from tests.factories.payments import AT, provider_in_memory, saved_card
from tests.factories.recharge import recharging, set_rule
from tests.fakes.faulty_provider import FaultyProvider
from wallets.balances.models import Wallet
from wallets.balances.set_thresholds import set_thresholds
from wallets.credit.grant import grant_credit
from wallets.outbox.deliver import deliver_news
from wallets.outbox.models import News
from wallets.outbox.topics import ThresholdCrossed

Then = ThresholdRule.Then
percents = st.integers(0, 99)
amounts = st.decimals(1, 100, places=2)


@pytest.fixture
def provider(settings: Settings) -> Iterator[FaultyProvider]:
    """In memory; these debits have no events."""
    with provider_in_memory(settings) as made:
        yield made


@pytest.fixture
def wallet(acme: Company, provider: FaultyProvider) -> Wallet:
    """acme's, with 100."""
    grant_credit(wallet_id=acme.wallet.pk, amount=D(100), kind="promotional", at=AT)
    return acme.wallet


def rule(then: str, **terms: Any) -> ThresholdRule:
    return ThresholdRule.objects.create(name=f"{then} them", then=then, **({"percent": 20} | terms))


def read_news() -> None:
    deliver_news(readers=READERS, at=AT)


def let_through(wallet: Wallet) -> str:
    wallet.refresh_from_db()
    return wallet.let_through


def test_block_and_throttle_hold_until_the_balance_is_back_or_the_rule_is_off(
    wallet: Wallet, acme: Company, globex: Company, redis_server: object
) -> None:
    rule(Then.THROTTLE)
    strict = rule(Then.BLOCK, percent=5)
    rule(Then.BLOCK, account=globex.account)
    spend(wallet, "85", at=AT)
    read_news()
    assert let_through(wallet) == "slowly"
    spend(wallet, "11", at=AT)
    read_news()
    assert let_through(wallet) == "none"
    assert acme.api.post("/authorize", {"account": "acme", "amount": "1"}).json()["reason"] == "wallet_frozen"
    assert acme.api.post("/holds", {"account": "acme", "amount": "1"}).json()["code"] == "wallet_frozen"
    strict.is_on = False
    strict.save(update_fields=["is_on"])
    assert (lift_of_rules_switched_off(at=AT), lift_of_rules_switched_off(at=AT)) == (1, 0)
    assert let_through(wallet) == "slowly"
    grant_credit(wallet_id=wallet.pk, amount=D(80), kind="paid", at=AT)
    read_news()
    assert let_through(wallet) == "all"
    assert RuleAct.objects.filter(lifted_at__isnull=True).count() == 0


def test_a_rule_acts_once_for_a_crossing_however_often_it_is_read(wallet: Wallet) -> None:
    Recipient.objects.create(account=None, email="finance@vendor.example", created_at=AT)
    rule(Then.NOTIFY)
    rule(Then.NOTIFY, percent=None, amount=D(30), currency="USD", audience="customer")
    rule(Then.NOTIFY, percent=15)  # not watched: acts at 5
    set_thresholds(wallet_id=wallet.pk, percents=None, amounts=[D(30)])
    spend(wallet, "81", at=AT)
    read_news()
    crossed = ThresholdCrossed(**News.objects.get(topic="threshold_crossed").payload)
    assert act_on(crossed, at=AT) == 0
    told = Alert.objects.filter(topic="rule_matched").order_by("id")
    assert [(one.audience, one.facts.get("percent"), one.deliveries.get().address) for one in told] == [
        ("finance", "20", "finance@vendor.example"),
        ("customer", None, "billing@acme.example"),
    ]
    spend(wallet, "15", at=AT)
    read_news()
    assert told.last().facts["percent"] == "15"


def test_a_rule_calls_a_webhook_of_ours_and_no_other(wallet: Wallet) -> None:
    ours = make_endpoint(account=None, terms=EndpointTerms(url="https://vendor.example/hook", event_types=["test"]), at=AT)
    make_endpoint(account=None, terms=EndpointTerms(url="https://vendor.example/all"), at=AT)
    rule(Then.WEBHOOK, endpoint=ours)
    spend(wallet, "85", at=AT)
    read_news()
    alert = Alert.objects.get(topic="rule_matched")
    assert [one.address for one in alert.deliveries.all()] == ["https://vendor.example/hook"]


def test_a_rule_recharges_earlier_than_the_wallet_would(acme: Company, wallet: Wallet, provider: FaultyProvider) -> None:
    rule(Then.RECHARGE)
    spend(wallet, "80", at=AT)
    read_news()
    assert (RuleAct.objects.get().done, provider.charged) == (False, [])
    grant_credit(wallet_id=wallet.pk, amount=D(80), kind="paid", at=AT)
    saved_card(acme.account)
    set_rule(wallet)  # below 5
    spend(wallet, "80", at=AT)
    recharging(at=AT)
    recharging(at=AT)
    assert provider.charged == [D(50)]
    assert [act.done for act in RuleAct.objects.order_by("id")] == [False, True]


@given(before=percents | st.just(100), now=percents, percent=percents)
def test_a_rule_fits_what_was_passed_and_comes_back_with_it(before: int, now: int, percent: int) -> None:
    terms = Terms(None, "", percent, None)
    crossed = Crossed(1, "USD", before, now, None, None)
    assert fits(terms, crossed) == (now <= percent < before)
    assert not fits(Terms(2, "", percent, None), crossed)
    assert not fits(Terms(None, "EUR", percent, None), crossed)
    assert not (fits(terms, crossed) and is_back(terms, percent_now=now, amount_now=None))


@given(
    before=st.none() | st.decimals(1, 100, places=2), now=st.decimals(1, 100, places=2), amount=st.decimals(1, 100, places=2)
)
def test_a_rule_at_an_amount_likewise(before: D | None, now: D, amount: D) -> None:
    terms = Terms(None, "USD", None, amount)
    assert fits(terms, Crossed(1, "USD", 100, 100, before, now)) == (now <= amount and (before is None or amount < before))
    assert not fits(terms, Crossed(1, "USD", 100, 0, before, None))
    assert is_back(terms, percent_now=0, amount_now=None)
