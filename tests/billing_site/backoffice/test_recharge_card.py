"""Support reads the rule and every decision on the wallet page, in the customer's words."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Company
from tests.factories.payments import AT
from tests.factories.recharge import set_rule
from tests.factories.shop import text_of
from tests.fakes.faulty_provider import FaultyProvider
from wallets.accounts.models import User
from wallets.payments.models import PaymentMethod
from wallets.recharge.sweep import sweep_recharges

pytestmark = pytest.mark.django_db


def test_support_reads_why(acme: Company, card: PaymentMethod, provider: FaultyProvider, sam: User) -> None:
    client = Client()
    client.force_login(sam)
    address = reverse("admin:wallets_wallet_change", args=[acme.wallet.pk])
    assert "Auto-recharge no rule" in text_of(client.get(address))
    provider.declines[card.provider_id] = "expired_card"
    set_rule(acme.wallet)
    sweep_recharges(at=AT)
    sweep_recharges(at=AT)
    page = text_of(client.get(address))
    assert "Below 5.00 USD , buy 50.00 USD , at most 500.00 USD a month charged." in page.replace("USD,", "USD ,")
    assert "balance 0.00 below 5.00; 50.00 not charged to Visa •••• 4242: the card has expired top_" in page
    assert "not recharged: Visa •••• 4242 was declined 3 times or for good; choose another card" in page
