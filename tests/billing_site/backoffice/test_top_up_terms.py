"""Terms, tax rates and refund policies are set in the back office, and hold from then on."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.test import Client

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT
from wallets.accounts.models import User
from wallets.balances.models import Wallet
from wallets.payments.offer_models import RefundPolicy, TaxRate
from wallets.payments.terms import policy_in_force, quote_top_up

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(fiona: User) -> Client:
    signed_in = Client()
    signed_in.force_login(fiona)
    return signed_in


def test_what_is_set_is_what_customers_pay(acme: Company, client: Client) -> None:
    acme.account.country = "DE"
    acme.account.save()
    slabs = {
        "slabs-TOTAL_FORMS": "1", "slabs-INITIAL_FORMS": "0", "slabs-0-from_amount": "100", "slabs-0-percent": "5",
    }  # fmt: skip
    terms = {"currency": "USD", "minimum": "20", "maximum": "500", "suggested": "20,100", "fee_percent": "2", "fee_fixed": "0"}
    at = {"effective_at_0": "2026-11-01", "effective_at_1": "00:00:00"}
    for name, form in (
        ("topupterms", terms | slabs),
        ("taxrate", {"country": "DE", "name": "VAT", "percent": "19"} | at),
        ("refundpolicy", {"version": "1", "sentence": "Within 30 days."} | at),
    ):
        assert client.post(f"/admin/wallets/{name}/add/", form).status_code == 302, name
        assert client.get(f"/admin/wallets/{name}/").status_code == 200
    wallet = Wallet.objects.select_related("account").get(pk=acme.wallet.pk)
    quote = quote_top_up(wallet=wallet, amount=D(100), at=AT)
    assert (quote.fee, quote.tax, quote.bonus, quote.total) == (D(2), D("19.38"), D(5), D("121.38"))
    policy = policy_in_force(at=AT)
    assert policy is not None
    assert policy.version == 1
    assert "5 % from 100.00" in client.get("/admin/wallets/topupterms/").content.decode()


def test_what_customers_agreed_to_stays(client: Client) -> None:
    rate = TaxRate.objects.create(country="DE", name="VAT", percent=19, effective_at=OPENED_AT)
    policy = RefundPolicy.objects.create(version=1, sentence="Within 30 days.", effective_at=OPENED_AT)
    for row, name in ((rate, "taxrate"), (policy, "refundpolicy")):
        assert client.post(f"/admin/wallets/{name}/{row.pk}/change/", {"percent": "1"}).status_code == 403
        assert client.post(f"/admin/wallets/{name}/{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_support_sets_no_terms(sam: User) -> None:
    client = Client()
    client.force_login(sam)
    assert client.post("/admin/wallets/taxrate/add/", {"country": "DE"}).status_code == 403
