"""The plan page: what is included and left, and vouchers."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse

from pricing.credit_products.issue import VoucherTerms, issue_vouchers
from pricing.credit_products.models import VoucherAttempt
from pricing.plans.subscribe import subscribe
from tests.factories.plans import plan_of, use_units
from tests.factories.shop import NOW, Shop, text_of
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit

pytestmark = pytest.mark.django_db

PLAN = reverse("portal:plan")


def test_without_a_plan_it_says_so(shop: Shop, customer: Client) -> None:
    page = text_of(customer.get(PLAN))
    assert "No plan. You pay for what you use" in page
    assert "Plan and vouchers" in text_of(customer.get(reverse("portal:balance")))


def test_a_plan_shows_what_is_left_of_it(shop: Shop, customer: Client, django_assert_num_queries: object) -> None:
    grant_credit(wallet_id=shop.acme.wallet.pk, amount=D(50), kind="paid", at=NOW)
    subscribe(account=shop.acme.account, plan=plan_of("pro", calls="1000", at=NOW), at=NOW)
    use_units(shop.acme.wallet, "250", at=NOW)
    page = text_of(customer.get(PLAN))
    assert "Pro active 30.00 USD a month." in page
    assert "calls 750 1,000" in page


def test_a_voucher_is_redeemed_once_and_the_attempts_stay(shop: Shop, customer: Client) -> None:
    code = issue_vouchers(terms=VoucherTerms(name="Spring", currency="USD", amount=D(25)), at=NOW).codes[0]
    before = Wallet.objects.get(pk=shop.acme.wallet.pk).balance
    answers = {"code": code.lower(), "wallet": shop.acme.wallet.public_id}
    done = customer.post(PLAN, answers)
    assert done.status_code == 302
    assert "25.00 USD of credit is yours" in text_of(customer.get(done["Location"]))
    again = customer.post(PLAN, answers)
    assert (again.status_code, "has redeemed as many" in text_of(again)) == (422, True)
    assert Wallet.objects.get(pk=shop.acme.wallet.pk).balance == before + 25
    outcomes = VoucherAttempt.objects.order_by("id").values_list("outcome", "actor")
    assert list(outcomes) == [("redeemed", "owner@acme.example"), ("voucher_limit_reached", "owner@acme.example")]


def test_a_stranger_redeems_nothing_into_anothers_wallet(shop: Shop, stranger: Client) -> None:
    answers = {"code": "GUESSED", "wallet": shop.acme.wallet.public_id}
    assert stranger.post(f"{PLAN}?account=acme", answers).status_code == 404
    assert stranger.post(PLAN, answers).status_code == 404
    lot = shop.acme.wallet.lots.first()
    assert lot is not None
    assert "is yours" not in text_of(stranger.get(f"{PLAN}?redeemed={lot.public_id}"))
    assert not VoucherAttempt.objects.exists()
