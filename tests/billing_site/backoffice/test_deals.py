"""Pins, negotiated prices, commitments, credit products and rates of credit units are made in the back office."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from pricing.books.models import PriceVersion, VersionPin
from pricing.commitments.models import Commitment
from pricing.credit_products.models import CreditProduct, CreditUnitRate
from tests.factories.events import send
from tests.factories.shop import NOW, Shop, text_of
from wallets.audit.models import AuditEvent

pytestmark = pytest.mark.django_db
LATER = (NOW + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M:%S")


def done(browser: Client, name: str, answers: dict[str, Any], *args: int) -> Any:
    """Asked, looked at, confirmed."""
    url = reverse(f"admin:pricing_{name}", args=args)
    token = re.search(r'name="token" value="(\w+)"', browser.get(url).content.decode())
    assert token is not None
    said = answers | {"token": token[1]}
    review = browser.post(url, said | {"step": "review"})
    assert review.status_code == 200, text_of(review)
    return browser.post(url, said | {"step": "confirm"})


def charged(shop: Shop, event_id: str) -> D:
    before = shop.acme.wallet.balance
    send(shop.acme.wallet, (event_id, {"input_tokens": 1000}), at=NOW + timedelta(seconds=1))
    shop.acme.wallet.refresh_from_db()
    return before - shop.acme.wallet.balance


def test_an_account_is_pinned_and_goes_back(shop: Shop, finance: Client) -> None:
    version = PriceVersion.objects.get()
    answers = {"account": "acme", "version": version.public_id, "until": LATER, "reason": "Contract 7"}
    assert done(finance, "versionpin_pin", answers).status_code == 302
    pin = VersionPin.objects.get()
    assert (pin.account, pin.version, pin.reason, pin.actor) == (
        shop.acme.account,
        version,
        "Contract 7",
        "fiona@vendor.example",
    )
    change = reverse("admin:pricing_versionpin_change", args=[pin.pk])
    end = reverse("admin:pricing_versionpin_end", args=[pin.pk])
    assert end in finance.get(change).content.decode()
    assert done(finance, "versionpin_end", {"reason": "Over"}, pin.pk).status_code == 302
    pin.refresh_from_db()
    assert pin.until == NOW
    assert end not in finance.get(change).content.decode()
    wrong = finance.post(reverse("admin:pricing_versionpin_pin"), answers | {"account": "nobody", "version": "prv_x"})
    assert wrong.status_code == 422
    assert "There is no account nobody." in text_of(wrong)
    assert "There is no price version prv_x." in text_of(wrong)


def test_prices_are_negotiated_for_one_account(shop: Shop, finance: Client) -> None:
    shop.acme.wallet.refresh_from_db()
    answers = {"account": "acme", "percent_off": "50", "reason": "Contract 8", "until": LATER}
    assert done(finance, "assignment_negotiate", answers).status_code == 302
    assert charged(shop, "cheap") == D("0.005")
    event = AuditEvent.objects.get()
    assert (event.action, event.account, event.reason) == ("Negotiate prices", shop.acme.account, "Contract 8")
    half = finance.post(reverse("admin:pricing_assignment_negotiate"), answers | {"meter": "llm.input_tokens"})
    assert "Give the meter and its price, or neither." in text_of(half)


def test_a_customer_commits_to_an_amount(shop: Shop, finance: Client) -> None:
    answers = {
        "account": "acme", "name": "Steady", "amount": "5", "interval": "month", "periods": "12", "discount_percent": "10",
        "meters": ["llm.input_tokens"], "reason": "Contract 9",
    }  # fmt: skip
    assert done(finance, "commitment_make", answers).status_code == 302
    made = Commitment.objects.get()
    assert (made.amount, made.periods, made.discount_percent, made.meters) == (5, 12, 10, ["llm.input_tokens"])


def test_products_are_put_on_sale_and_taken_off_and_units_have_rates(shop: Shop, finance: Client, support: Client) -> None:
    answers = {"code": "start", "name": "Start", "currency": "usd", "amount": "100", "price": "90", "bonus": "5"}
    assert done(finance, "creditproduct_define", answers).status_code == 302
    product = CreditProduct.objects.get()
    archive = reverse("admin:pricing_creditproduct_archive", args=[product.pk])
    assert archive in finance.get(reverse("admin:pricing_creditproduct_change", args=[product.pk])).content.decode()
    assert (product.amount, product.price, product.bonus, product.currency) == (100, 90, 5, "USD")
    again = finance.post(reverse("admin:pricing_creditproduct_define"), answers | {"step": "confirm", "token": "u"})
    assert again.status_code == 422
    assert done(finance, "creditproduct_archive", {"reason": "Old"}, product.pk).status_code == 302
    product.refresh_from_db()
    assert product.archived_at == NOW
    assert done(finance, "creditunitrate_set", {"unit": "CREDITS", "currency": "USD", "units": "100"}).status_code == 302
    assert CreditUnitRate.objects.get().units == 100
    for name in ("versionpin_pin", "assignment_negotiate", "commitment_make", "creditproduct_define", "creditunitrate_set"):
        assert support.get(reverse(f"admin:pricing_{name}")).status_code == 403, name
    lists = ("versionpin", "assignment", "commitment", "creditproduct", "creditunitrate")
    assert all(finance.get(reverse(f"admin:pricing_{name}_changelist")).status_code == 200 for name in lists)
