"""The plan page: what is included and left."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse

from pricing.plans.subscribe import subscribe
from tests.factories.plans import plan_of, use_units
from tests.factories.shop import NOW, Shop, text_of
from wallets.credit.grant import grant_credit

pytestmark = pytest.mark.django_db

PLAN = reverse("portal:plan")


def test_without_a_plan_it_says_so(shop: Shop, customer: Client) -> None:
    page = text_of(customer.get(PLAN))
    assert "No plan. You pay for what you use" in page


def test_a_plan_shows_what_is_left_of_it(shop: Shop, customer: Client, django_assert_num_queries: object) -> None:
    grant_credit(wallet_id=shop.acme.wallet.pk, amount=D(50), kind="paid", at=NOW)
    subscribe(account=shop.acme.account, plan=plan_of("pro", calls="1000", at=NOW), at=NOW)
    use_units(shop.acme.wallet, "250", at=NOW)
    page = text_of(customer.get(PLAN))
    assert "Pro active 30.00 USD a month." in page
    assert "calls 750 1,000" in page
