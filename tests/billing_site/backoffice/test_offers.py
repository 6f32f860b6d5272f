"""Plans, subscriptions and vouchers in the back office: every action is looked at in figures first, and has a reason."""

from __future__ import annotations

import re
from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse

from pricing.credit_products.models import VoucherBatch
from pricing.credit_products.redeem import redeem_voucher
from pricing.plans.models import Plan, Subscription, SubscriptionChange
from pricing.plans.subscribe import subscribe
from tests.cast import Company
from tests.factories.plans import plan_of
from tests.factories.shop import NOW, Shop, text_of
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit

pytestmark = pytest.mark.django_db

PLAN = {
    "code": "pro", "name": "Pro", "currency": "USD", "fee": "30", "interval": "month", "trial_days": "0", "trial_credit": "0",
    "quantity_1": "1000", "roll_over_1": "full", "on_exhaustion_1": "overage", "reason": "New this year",
}  # fmt: skip


def url(name: str, *args: int) -> str:
    """An action's address."""
    return reverse(f"admin:pricing_{name}", args=args)


def review(browser: Client, address: str, **answers: str) -> str:
    """What the page says will happen."""
    return text_of(browser.post(address, {"reason": "Asked", **answers, "step": "review", "token": "t"}))


def confirm(browser: Client, address: str, **answers: str) -> str:
    """Do it; what the page after it says."""
    response = browser.post(address, {"reason": "Asked", **answers, "step": "confirm", "token": "t"}, follow=True)
    return text_of(response)


@pytest.fixture
def subscription(shop: Shop) -> Subscription:
    """acme on a plan of 30 dollars with 1,000 calls, begun now."""
    grant_credit(wallet_id=shop.acme.wallet.pk, amount=D(200), kind="paid", at=NOW)
    return subscribe(account=shop.acme.account, plan=plan_of("pro", calls="1000", at=NOW), at=NOW)


def balance(company: Company) -> D:
    return Wallet.objects.get(pk=company.wallet.pk).balance


def test_a_plan_is_defined_by_a_form_and_has_a_next_version(shop: Shop, finance: Client) -> None:
    plan_of("other", calls="1", at=NOW)
    meter = Plan.objects.get().allowances.get().meter_id
    answers = PLAN | {"meter_1": str(meter)}
    assert "Plan Pro is on sale." in confirm(finance, url("plan_define"), **answers)
    plan = Plan.objects.get(code="pro")
    page = text_of(finance.get(url("plan_change", plan.pk)))
    assert "a month, taken from the wallet. 0 subscribers." in page
    assert "calls 1,000 rolls over the plan's price" in page
    again = finance.post(url("plan_define"), {**answers, "step": "confirm", "token": "u"})
    assert (again.status_code, "There is a plan pro already." in text_of(again)) == (422, True)
    dearer = answers | {"fee": "35"}
    assert re.search(r"Fee \S*30\.00\D* \S*35\.00", review(finance, url("plan_revise", plan.pk), **dearer))
    finance.post(url("plan_revise", plan.pk), {**dearer, "step": "confirm", "token": "v"})
    assert list(Plan.objects.filter(code="pro").order_by("version").values_list("version", "fee")) == [(1, 30), (2, 35)]


def test_a_plan_is_closed_and_somebody_subscribed(shop: Shop, finance: Client) -> None:
    plan = plan_of("pro", fee="5", at=NOW)
    assert "acme" in confirm(finance, url("plan_subscribe", plan.pk), account="acme").lower()
    assert Subscription.objects.get().account == shop.acme.account
    finance.post(url("plan_close", plan.pk), {"reason": "Old", "step": "confirm", "token": "u"})
    plan.refresh_from_db()
    assert plan.closed_at == NOW


def test_a_subscription_shows_what_is_left_and_is_paused_and_resumed(
    shop: Shop, subscription: Subscription, finance: Client
) -> None:
    page = text_of(finance.get(url("subscription_change", subscription.pk)))
    assert "calls" in page
    assert "1,000 1,000" in page
    assert "Subscribed to Pro" in page
    assert "ACTIVE PAUSED" in review(finance, url("subscription_pause", subscription.pk))
    assert "The subscription is paused." in confirm(finance, url("subscription_pause", subscription.pk))
    finance.post(url("subscription_resume", subscription.pk), {"reason": "Back", "step": "confirm", "token": "u"})
    line = SubscriptionChange.objects.order_by("id").last()
    assert line is not None
    assert (line.what, line.reason, line.actor) == ("Resumed", "Back", "fiona@vendor.example")


def test_a_plan_is_changed_after_a_look_at_what_it_costs(shop: Shop, subscription: Subscription, finance: Client) -> None:
    team = plan_of("team", fee="90", at=NOW)
    address = url("subscription_change_plan", subscription.pk)
    before = balance(shop.acme)
    assert f"{before - 60:,.2f}" in review(finance, address, plan=str(team.pk))
    confirm(finance, address, plan=str(team.pk))
    assert balance(shop.acme) == before - 60
    assert text_of(finance.get(url("subscription_change", subscription.pk))).count("Changed from Pro to Team") == 1


def test_a_subscription_is_cancelled_now_with_its_fee_given_back(
    shop: Shop, subscription: Subscription, finance: Client
) -> None:
    address = url("subscription_cancel", subscription.pk)
    answers = {"now": "on", "refund": "on"}
    before = balance(shop.acme)
    assert f"{before + 30:,.2f}" in review(finance, address, **answers)
    assert "It is cancelled." in confirm(finance, address, **answers)
    assert balance(shop.acme) == before + 30


def test_vouchers_are_issued_shown_once_redeemed_and_stopped(shop: Shop, finance: Client) -> None:
    answers = {
        "name": "Spring", "currency": "USD", "amount": "25", "kind": "promotional", "count": "2", "uses": "1",
        "per_account": "1",
    }  # fmt: skip
    assert "50.00" in review(finance, url("voucherbatch_issue"), **answers)
    response = finance.post(url("voucherbatch_issue"), {**answers, "reason": "Fair", "step": "confirm", "token": "t"})
    assert "no-store" in response["Cache-Control"]
    codes = response.context["codes"]
    assert all(code in text_of(response) for code in codes)
    batch = VoucherBatch.objects.get()
    assert not any(code in text_of(finance.get(url("voucherbatch_change", batch.pk))) for code in codes)
    redeem_voucher(wallet=shop.acme.wallet, code=codes[0], at=NOW)
    assert "redeemed 1 of 2 times" in text_of(finance.get(url("voucherbatch_change", batch.pk)))
    assert "redeemed" in text_of(finance.get(reverse("admin:pricing_voucherattempt_changelist")))
    finance.post(url("voucherbatch_stop", batch.pk), {"reason": "Leaked", "step": "confirm", "token": "u"})
    batch.refresh_from_db()
    assert batch.stopped_at == NOW


def test_support_looks_and_does_not_touch(shop: Shop, subscription: Subscription, support: Client) -> None:
    assert support.get(url("subscription_change", subscription.pk)).status_code == 200
    plan = subscription.plan_id
    for address in (
        url("plan_define"), url("plan_close", plan), url("plan_revise", plan), url("plan_subscribe", plan),
        url("subscription_pause", subscription.pk), url("subscription_cancel", subscription.pk),
        url("subscription_change_plan", subscription.pk), url("voucherbatch_issue"),
    ):  # fmt: skip
        assert support.get(address).status_code == 403, address
