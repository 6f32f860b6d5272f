"""A customer asks for unused credit, follows the link, and changes their mind."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import PASSWORD, Company
from tests.factories.alerts import newest_mail
from tests.factories.browsers import code_of, with_app
from tests.factories.payments import topped_up
from tests.factories.shop import browser_of, text_of
from tests.fakes.faulty_provider import FaultyProvider
from wallets.payments.models import PaymentMethod
from wallets.refunds.models import Withdrawal

pytestmark = pytest.mark.django_db
PAGE = reverse("portal:withdraw", args=["acme"])


def test_the_journey_of_a_withdrawal(acme: Company, globex: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    topped_up(acme.wallet, "50")
    browser: Client = browser_of(acme.owner)
    assert "50.00" in text_of(browser.get(PAGE))
    wrong = browser.post(PAGE, {"amount": "20", "password": "guess"})
    assert wrong.status_code == 422
    assert "not your password" in text_of(wrong)
    assert browser.post(PAGE, {"amount": "x", "password": PASSWORD}).status_code == 422
    assert browser.post(PAGE, {"amount": "20", "password": PASSWORD}).status_code == 302
    withdrawal = Withdrawal.objects.get()
    text = newest_mail("withdrawal_requested", at=withdrawal.created_at)[1].text
    link = re.search(r"https?://[^/]+(/withdraw/confirm/\S+)", text)
    assert link
    assert browser_of(globex.owner).get(link[1]).status_code == 404
    assert "Withdraw 20.00" in text_of(browser.get(link[1]))
    withdrawal.refresh_from_db()
    assert withdrawal.state == "REQUESTED"  # looking confirms nothing
    assert browser.post(link[1]).status_code == 302
    assert "used before" in text_of(browser.get(link[1]))
    assert "waits for our approval" in text_of(browser.get(PAGE))
    assert browser.post(PAGE, {"what": "cancel", "withdrawal": withdrawal.public_id}).status_code == 302
    withdrawal.refresh_from_db()
    assert withdrawal.state == "CANCELLED"
    assert "50.00" in text_of(browser.get(PAGE))


@pytest.mark.usefixtures("redis_server")
def test_who_has_an_authenticator_app_gives_its_code_too(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    secret = with_app(acme.owner)
    browser = browser_of(acme.owner)
    topped_up(acme.wallet, "50")
    assert "Code of your second factor" in text_of(browser.get(PAGE))
    asked = {"amount": "5", "password": PASSWORD}
    for code in ({}, {"code": "000000"}):
        answer = browser.post(PAGE, asked | code)
        assert answer.status_code == 422
        assert "The code is wrong or has expired" in text_of(answer)
    assert not Withdrawal.objects.exists()
    assert browser.post(PAGE, asked | {"code": code_of(secret)}).status_code == 302
    assert Withdrawal.objects.get().second_factor
