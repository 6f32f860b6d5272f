"""A wallet that falls below its threshold is recharged once, within its limits; and it is written down why, or why not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal as D

import pytest

from tests.cast import Company
from tests.factories.payments import AT, saved_card
from tests.factories.recharge import TERMS, lines, recharging, set_rule
from tests.fakes.faulty_provider import FaultyProvider
from wallets.accounts.open import open_account
from wallets.balances.freeze import freeze_wallet, thaw_wallet
from wallets.balances.open import open_wallet
from wallets.credit.grant import grant_credit
from wallets.errors import InvalidInput
from wallets.outbox.models import News
from wallets.payments.cards import begin_card, choose_card, keep_card, remove_card
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.offer_models import TaxRate
from wallets.payments.providers.contract import ProviderCard
from wallets.payments.reconcile import look_again
from wallets.payments.terms import CurrencyNotCharged
from wallets.recharge.configure import set_auto_recharge, switch_auto_recharge
from wallets.recharge.decide import decide
from wallets.recharge.models import AutoRecharge, RechargeDecision
from wallets.recharge.start import start_recharge
from wallets.recharge.sweep import sweep_recharges

pytestmark = pytest.mark.django_db
HOUR = timedelta(hours=1)
STOPPED = "Visa •••• 4242 was declined 3 times or for good; choose another card, or turn auto-recharge on again"


def backup_of(acme: Company, provider: FaultyProvider) -> PaymentMethod:
    """A second card of acme's, as backup."""
    set_up = begin_card(account=acme.account, at=AT)
    provider.cards["pm_second"] = ProviderCard("pm_second", "mastercard", "5556", 12, 2030, "fp_second", set_up.customer_id)
    provider.next_set_up_saves = "pm_second"
    card = keep_card(account=acme.account, set_up_id=set_up.id, at=AT)
    return choose_card(account=acme.account, card_id=card.public_id, backup=True)


def test_a_recharge_charges_once_and_says_so(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    set_rule(acme.wallet)
    decision = start_recharge(wallet_id=acme.wallet.pk, at=AT)
    assert decision is not None
    acme.wallet.refresh_from_db()
    assert (provider.charged, acme.wallet.balance) == ([D(50)], D(50))
    assert lines(acme.wallet) == ["balance 0.00 below 5.00; recharged 50.00 with Visa •••• 4242"]
    assert TopUp.objects.get().origin == "recharge"
    # Asked again, by a look or by another crossing, nothing is charged.
    sweep_recharges(at=AT)
    assert start_recharge(wallet_id=acme.wallet.pk, at=AT) is not None
    assert lines(acme.wallet)[0] == "balance 50.00 not below 5.00; not recharged: no need any more"
    assert provider.charged == [D(50)]


def test_up_to_a_target_with_tax_under_the_cap(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    acme.account.country = "DE"
    acme.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=D(19), effective_at=AT - HOUR)
    grant_credit(wallet_id=acme.wallet.pk, amount=D("4.101"), kind="promotional", at=AT)
    set_rule(acme.wallet, amount=None, target=D(60), monthly_cap=D(100))
    start_recharge(wallet_id=acme.wallet.pk, at=AT)
    assert provider.charged == [D("66.52")]
    assert lines(acme.wallet) == ["balance 4.10 below 5.00; recharged 55.90 with Visa •••• 4242 (66.52 charged)"]


def test_the_cap_is_in_money_and_of_a_month_of_the_account(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    acme.account.time_zone = "Europe/Berlin"
    acme.account.save()
    set_rule(acme.wallet, threshold=D(1000), monthly_cap=D(130), cool_down_seconds=0)
    for _ in range(4):
        sweep_recharges(at=AT)
    assert provider.charged == [D(50), D(50)]
    assert lines(acme.wallet)[0] == (
        "balance 100.00 below 1,000.00; not recharged: monthly cap 130.00 leaves 30.00 of the 50.00 it takes, "
        "next possible 1 Dec"
    )
    assert RechargeDecision.objects.count() == 3, "said once, not at every look"
    next_month = datetime(2026, 11, 30, 23, tzinfo=UTC)  # midnight in Berlin
    sweep_recharges(at=next_month - timedelta(seconds=1))
    assert len(provider.charged) == 2
    sweep_recharges(at=next_month)
    assert len(provider.charged) == 3
    told = News.objects.get(topic="recharge_not_done")
    assert (told.payload["reason"], told.payload["next_at"]) == ("cap_reached", "2026-12-01T00:00:00+01:00")


def test_a_cap_that_is_used_up_is_reached(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    set_rule(acme.wallet, threshold=D(1000), monthly_cap=D(50), cool_down_seconds=0)
    sweep_recharges(at=AT)
    sweep_recharges(at=AT)
    assert lines(acme.wallet)[0] == (
        "balance 50.00 below 1,000.00; not recharged: monthly cap 50.00 reached, next possible 1 Dec"
    )


def test_a_cool_down_ends_by_itself(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    set_rule(acme.wallet, threshold=D(75), cool_down_seconds=600)
    sweep_recharges(at=AT)
    sweep_recharges(at=AT + timedelta(minutes=1))
    sweep_recharges(at=AT + timedelta(minutes=9))
    assert provider.charged == [D(50)]
    assert lines(acme.wallet)[0] == (
        "balance 50.00 below 75.00; not recharged: the last one was just before, next possible 2 Nov 00:10"
    )
    sweep_recharges(at=AT + timedelta(minutes=10))
    assert provider.charged == [D(50), D(50)]


def test_a_declined_card_waits_longer_each_time_and_then_stops(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    provider.declines[card.provider_id] = "insufficient_funds"
    set_rule(acme.wallet)
    tried_at = []
    for hours in (0, 1, 2, 24, 25, 26, 48, 49, 95):
        before = len([call for call in provider.calls if call == "confirm_payment"])
        sweep_recharges(at=AT + hours * HOUR)
        sweep_recharges(at=AT + hours * HOUR)
        if len([call for call in provider.calls if call == "confirm_payment"]) > before:
            tried_at.append(hours)
    assert tried_at == [0, 1, 25]
    assert (provider.charged, TopUp.objects.filter(state="FAILED").count()) == ([], 3)
    assert lines(acme.wallet)[:2] == [
        f"balance 0.00 below 5.00; not recharged: {STOPPED}",
        "balance 0.00 below 5.00; 50.00 not charged to Visa •••• 4242: there is not enough money on the card",
    ]
    assert News.objects.filter(topic="recharge_breaker_opened").count() == 1

    # Saved anew it is the same card; the customer's word starts over.
    remove_card(account=acme.account, card_id=card.public_id, at=AT)
    provider.cards["pm_again"] = replace(provider.keep_card("pm_cus_acme", customer_id="cus_acme"), id="pm_again")
    provider.next_set_up_saves = "pm_again"
    saved_card(acme.account)
    later = AT + 200 * HOUR
    sweep_recharges(at=later)
    assert provider.charged == []
    switch_auto_recharge(wallet_id=acme.wallet.pk, on=True, at=later)
    sweep_recharges(at=later)
    assert provider.charged == [D(50)]


def test_a_card_that_is_gone_for_good_is_tried_once(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    provider.declines[card.provider_id] = "stolen_card"
    set_rule(acme.wallet)
    for hours in (0, 1, 2, 26, 47):
        sweep_recharges(at=AT + hours * HOUR)
    assert TopUp.objects.count() == 1
    assert News.objects.filter(topic="recharge_breaker_opened").count() == 1


def test_the_backup_card_pays_at_once(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    backup_of(acme, provider)
    provider.declines[card.provider_id] = "do_not_honor"
    set_rule(acme.wallet)
    sweep_recharges(at=AT)
    sweep_recharges(at=AT)
    assert lines(acme.wallet) == [
        "balance 0.00 below 5.00; recharged 50.00 with Mastercard •••• 5556",
        "balance 0.00 below 5.00; 50.00 not charged to Visa •••• 4242: your bank declined the card",
    ]


def test_a_bank_that_asks_has_the_customer_confirm_and_is_given_up_after_a_day(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    provider.asks.add(card.provider_id)
    set_rule(acme.wallet)
    sweep_recharges(at=AT)
    top_up = TopUp.objects.get()
    assert lines(acme.wallet) == ["balance 0.00 below 5.00; waiting for you to confirm 50.00 with Visa •••• 4242"]
    told = News.objects.get(topic="recharge_needs_authentication")
    assert told.payload["top_up"] == top_up.public_id
    for hours in (1, 2, 12, 23):
        sweep_recharges(at=AT + hours * HOUR)
    start_recharge(wallet_id=acme.wallet.pk, at=AT + HOUR)
    assert lines(acme.wallet)[0] == "balance 0.00 below 5.00; not recharged: one is under way"
    assert TopUp.objects.count() == 1

    assert top_up.payment_id is not None
    provider.take(top_up.payment_id)  # on the page of the top-up
    look_again(top_up=top_up, at=AT + 23 * HOUR)
    recharging(at=AT + 23 * HOUR)
    assert "balance 0.00 below 5.00; recharged 50.00 with Visa •••• 4242" in lines(acme.wallet)

    # Another, which nobody confirms.
    set_rule(acme.wallet, threshold=D(60), at=AT + 24 * HOUR)
    sweep_recharges(at=AT + 24 * HOUR)
    assert TopUp.objects.filter(state="REQUIRES_ACTION").count() == 1
    sweep_recharges(at=AT + 48 * HOUR)
    assert sorted(TopUp.objects.values_list("state", flat=True)) == ["EXPIRED", "SUCCEEDED"]
    assert News.objects.filter(topic="recharge_needs_authentication").count() == 2


@pytest.mark.parametrize("call", ["create_customer", "create_payment", "confirm_payment"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_provider_that_breaks_off_is_asked_again_and_charges_once(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, call: str, when: str
) -> None:
    set_rule(acme.wallet)
    provider.faults.append((call, when))  # type: ignore[arg-type]
    for minutes in range(4):
        sweep_recharges(at=AT + timedelta(minutes=minutes))
    acme.wallet.refresh_from_db()
    assert (provider.charged, acme.wallet.balance) == ([D(50)], D(50))
    assert RechargeDecision.objects.get().state == "SUCCEEDED"


def test_a_stuck_attempt_is_given_up_and_another_made(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    set_rule(acme.wallet)
    provider.down = True
    for minutes in (0, 1, 2, 10, 58):
        sweep_recharges(at=AT + timedelta(minutes=minutes))
    assert lines(acme.wallet) == ["balance 0.00 below 5.00; charging 50.00 to Visa •••• 4242"]
    sweep_recharges(at=AT + timedelta(minutes=75))
    assert lines(acme.wallet) == [
        "balance 0.00 below 5.00; 50.00 not charged to Visa •••• 4242: the payment was given up before any money moved"
    ]
    provider.down = False
    sweep_recharges(at=AT + timedelta(minutes=76))
    assert lines(acme.wallet)[0] == "balance 0.00 below 5.00; recharged 50.00 with Visa •••• 4242"
    assert provider.charged == [D(50)]


def test_what_stands_in_the_way_is_said_once_and_looked_at_again(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    freeze_wallet(wallet_id=acme.wallet.pk, at=AT)
    set_rule(acme.wallet)
    for minutes in range(0, 60, 10):
        sweep_recharges(at=AT + timedelta(minutes=minutes))
    assert lines(acme.wallet) == ["balance 0.00 below 5.00; not recharged: the wallet is frozen"]
    thaw_wallet(wallet_id=acme.wallet.pk, at=AT)
    remove_card(account=acme.account, card_id=card.public_id, at=AT)
    sweep_recharges(at=AT + HOUR)
    assert lines(acme.wallet)[0] == "balance 0.00 below 5.00; not recharged: there is no card to charge; save one"
    assert TopUp.objects.count() == 0


def test_a_cost_that_changed_since_the_decision_charges_nothing(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    set_rule(acme.wallet)
    decide(wallet_id=acme.wallet.pk, at=AT)
    acme.account.country = "DE"
    acme.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=D(19), effective_at=AT - HOUR)
    sweep_recharges(at=AT)
    assert lines(acme.wallet) == [
        "balance 0.00 below 5.00; 50.00 not charged to Visa •••• 4242: what it costs has changed since it was decided"
    ]
    sweep_recharges(at=AT)
    assert provider.charged == []
    sweep_recharges(at=AT + timedelta(minutes=1))
    assert provider.charged == [D("59.50")]


def test_a_top_up_that_is_refused_waits_an_hour(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    set_rule(acme.wallet)
    decide(wallet_id=acme.wallet.pk, at=AT)
    remove_card(account=acme.account, card_id=card.public_id, at=AT)
    provider.cards["pm_again"] = ProviderCard("pm_again", "visa", "4242", 12, 2030, "fp", "cus_acme")
    provider.next_set_up_saves = "pm_again"
    saved_card(acme.account)
    for minutes in (0, 1, 10, 59):
        sweep_recharges(at=AT + timedelta(minutes=minutes))
    (line,) = lines(acme.wallet)
    assert line == "balance 0.00 below 5.00; 50.00 not charged to Visa •••• 4242: the card was removed meanwhile"
    sweep_recharges(at=AT + HOUR)
    assert provider.charged == [D(50)]


def test_a_rule_that_cannot_work_is_refused(acme: Company, card: PaymentMethod) -> None:
    for changes, field in (
        ({"threshold": D(0)}, "threshold"),
        ({"amount": D(1)}, "amount"),
        ({"amount": D("10.001")}, "amount"),
        ({"amount": D(10), "target": D(20)}, "amount"),
        ({"amount": None}, "amount"),
        ({"amount": None, "target": D(5)}, "target"),
        ({"monthly_cap": D("49.99")}, "monthly_cap"),
        ({"cool_down_seconds": -1}, "cool_down_seconds"),
    ):
        with pytest.raises(InvalidInput) as refused:
            set_auto_recharge(wallet_id=acme.wallet.pk, terms=replace(TERMS, **changes), at=AT)  # type: ignore[arg-type]
        assert list(refused.value.fields) == [field]
    units = open_wallet(account=open_account(key="u", name="U", at=AT), currency="CREDITS", at=AT)
    with pytest.raises(CurrencyNotCharged):
        set_auto_recharge(wallet_id=units.pk, terms=TERMS, at=AT)
    assert not AutoRecharge.objects.exists()


def test_a_rule_that_is_off_charges_nothing(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    set_rule(acme.wallet)
    switch_auto_recharge(wallet_id=acme.wallet.pk, on=False, at=AT)
    sweep_recharges(at=AT)
    assert start_recharge(wallet_id=acme.wallet.pk, at=AT) is None
    assert (provider.calls.count("create_payment"), lines(acme.wallet)) == (0, [])
