"""Tax by the table or by Stripe Tax (in its documented shapes): on top of credit, never credit, known before anybody pays."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client
from pytest_django.fixtures import Settings

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT, new_top_up, topped_up
from tests.fakes.faulty_provider import FaultyProvider
from tests.fakes.recorded_stripe import RecordedStripe, error, recorded_stripe
from wallets.balances.models import Wallet
from wallets.payments.manual import record_payment
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.offer_models import AccountTax, TaxRate, TopUpTerms
from wallets.payments.providers.contract import ProviderUnavailable
from wallets.payments.taxes import TaxUnknown, refresh_taxes
from wallets.payments.terms import quote_top_up

pytestmark = pytest.mark.django_db
CALCULATE = "POST /v1/tax/calculations"


def part(amount: int, percent: str, kind: str = "vat", reason: str = "standard_rated") -> dict[str, Any]:
    """A line of a calculation's breakdown."""
    return {
        "amount": amount,
        "inclusive": False,
        "tax_rate_details": {
            "country": "DE", "flat_amount": None, "percentage_decimal": percent, "rate_type": "percentage", "state": None,
            "tax_type": kind,
        },
        "taxability_reason": reason,
        "taxable_amount": 100000,
    }  # fmt: skip


def calculation(*parts: dict[str, Any]) -> dict[str, Any]:
    """A calculation over 1,000.00, as docs.stripe.com/api/tax/calculations/object shows one."""
    tax = sum(one["amount"] for one in parts)
    return {
        "id": "taxcalc_1", "object": "tax.calculation", "amount_total": 100000 + tax, "currency": "usd",
        "tax_amount_exclusive": tax, "tax_amount_inclusive": 0, "tax_breakdown": list(parts), "tax_date": 1793577600,
    }  # fmt: skip


@pytest.fixture
def stripe_tax(settings: Settings, acme: Company, card: PaymentMethod) -> Iterator[RecordedStripe]:
    """Cards go to the provider in memory, tax to recorded answers."""
    acme.account.country = "DE"
    acme.account.save()
    with recorded_stripe() as recorded:
        settings.STRIPE_TAX, settings.STRIPE_API_URL = True, recorded.url
        yield recorded


@pytest.mark.parametrize(
    ("parts", "name", "tax"),
    [
        ([part(19000, "19.0")], "VAT", D("9.50")),
        ([part(4000, "4.0", "sales_tax"), part(4500, "4.5", "sales_tax")], "Sales tax", D("4.25")),
        ([part(5000, "5.0", "gst"), part(9975, "9.975", "qst")], "GST and QST", D("7.49")),
        ([part(0, "0.0", reason="reverse_charge")], "Reverse charge", D(0)),
        ([part(0, "0.0", reason="not_collecting")], "", D(0)),
        ([], "", D(0)),
    ],
    ids=["vat", "state and county", "two taxes", "reverse charge", "not registered there", "none"],
)
def test_stripe_tax_goes_on_top_and_never_becomes_credit(
    acme: Company, stripe_tax: RecordedStripe, provider: FaultyProvider, parts: list[dict[str, Any]], name: str, tax: D
) -> None:
    stripe_tax.answers(CALCULATE, calculation(*parts))
    top_up = topped_up(acme.wallet).top_up
    assert (top_up.tax_name, top_up.tax, top_up.total) == (name, tax, 50 + tax)
    assert provider.charged == [50 + tax]
    acme.wallet.refresh_from_db()
    assert acme.wallet.balance == 50
    (asked,) = stripe_tax.of(CALCULATE)
    assert asked.form == {
        "currency": "usd",
        "tax_date": str(int(AT.timestamp())),
        "line_items[0][amount]": "100000",
        "line_items[0][reference]": "credit",
        "line_items[0][tax_behavior]": "exclusive",
        "line_items[0][tax_code]": "txcd_10000000",
        "customer": "cus_acme",
    }


def test_what_it_said_is_kept_and_asked_again_once_a_day(acme: Company, stripe_tax: RecordedStripe) -> None:
    stripe_tax.answers(CALCULATE, calculation(part(19000, "19.0")))
    new_top_up(acme.wallet)
    new_top_up(acme.wallet)
    assert len(stripe_tax.of(CALCULATE)) == 1
    stripe_tax.forget(CALCULATE)
    stripe_tax.answers(CALCULATE, calculation(part(16000, "16.0")))
    assert (refresh_taxes(at=AT + timedelta(hours=1)), refresh_taxes(at=AT + timedelta(days=1))) == (0, 1)
    wallet = Wallet.objects.select_related("account").get(pk=acme.wallet.pk)
    assert quote_top_up(wallet=wallet, amount=D(50), at=AT).tax == D(8), "as a recharge asks it under the wallet's lock"
    stripe_tax.forget(CALCULATE)
    stripe_tax.answers(CALCULATE, error("api_error"), status=503)
    assert refresh_taxes(at=AT + timedelta(days=3)) == 0
    assert AccountTax.objects.get().percent == 16, "what was known stays"


def test_a_customer_whose_address_stripe_lacks_is_asked_for_by_country(acme: Company, stripe_tax: RecordedStripe) -> None:
    stripe_tax.answers(CALCULATE, error("invalid_request_error", code="customer_tax_location_invalid"), status=400)
    stripe_tax.answers(CALCULATE, calculation(part(19000, "19.0")))
    assert new_top_up(acme.wallet).tax == D("9.50")
    form = stripe_tax.of(CALCULATE)[1].form
    assert (form["customer_details[address][country]"], form["customer_details[address_source]"]) == ("DE", "billing")
    assert "customer" not in form


def test_nothing_is_charged_while_the_tax_is_unknown(acme: Company, stripe_tax: RecordedStripe) -> None:
    stripe_tax.answers(CALCULATE, error("invalid_request_error", code="customer_tax_location_invalid"), status=400)
    with pytest.raises(TaxUnknown):
        new_top_up(acme.wallet)
    stripe_tax.forget(CALCULATE)
    stripe_tax.answers(CALCULATE, error("api_error"), status=503)
    with pytest.raises(ProviderUnavailable):
        new_top_up(acme.wallet)
    assert not TopUp.objects.exists()
    client = Client()
    client.force_login(acme.owner)
    page = client.get("/top-up/acme?amount=50")
    assert "The payment provider has a problem" in page.content.decode()
    assert "Pay 50" not in page.content.decode()


def test_a_wire_is_taxed_without_asking(acme: Company, stripe_tax: RecordedStripe) -> None:
    TaxRate.objects.create(country="DE", name="VAT", percent=D(19), effective_at=OPENED_AT)
    wallet = Wallet.objects.select_related("account").get(pk=acme.wallet.pk)
    entered = {"wallet": wallet, "amount": D(100), "means": "wire", "at": AT, "actor": "fiona@vendor.example"}
    assert record_payment(reference="1", **entered).tax == D(19)  # type: ignore[arg-type] # a table
    stripe_tax.answers(CALCULATE, calculation(part(7000, "7.0")))
    new_top_up(acme.wallet)
    assert record_payment(reference="2", **entered).tax == D(7)  # type: ignore[arg-type] # a table
    assert len(stripe_tax.asked) == 1


@pytest.mark.parametrize(("percent", "fixed", "fee"), [("0", "0", D(0)), ("2.9", "0.30", D("1.75")), ("0", "1", D(1))])
def test_a_fee_is_absorbed_or_added_and_taxed(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, percent: str, fixed: str, fee: D
) -> None:
    TaxRate.objects.create(country="US", name="VAT", percent=D(10), effective_at=OPENED_AT)
    acme.account.country = "US"
    acme.account.save()
    TopUpTerms.objects.create(
        currency="USD", minimum=D(5), maximum=D(1000), suggested=[D(10)], fee_percent=D(percent), fee_fixed=D(fixed)
    )
    top_up = topped_up(acme.wallet).top_up
    assert (top_up.fee, top_up.total) == (fee, 50 + fee + top_up.tax)
    assert top_up.tax == ((50 + fee) / 10).quantize(D("0.01"))
    acme.wallet.refresh_from_db()
    assert (acme.wallet.balance, provider.charged) == (50, [top_up.total])
