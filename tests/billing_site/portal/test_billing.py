"""The page of the billing details, and the same by the API and in the back office."""

from __future__ import annotations

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from notifications.alerts.models import Delivery
from notifications.alerts.raise_alert import raise_alert
from tests.cast import Api
from tests.factories.balances import AT
from tests.factories.shop import Shop, browser_of, text_of
from wallets.accounts.billing_details import shown_details
from wallets.accounts.models import Account, Member, User
from wallets.audit.models import AuditEvent
from wallets.balances.models import Wallet
from wallets.payments.manual import record_payment
from wallets.payments.models import Receipt

pytestmark = pytest.mark.django_db
SAID = {
    "legal_name": "Acme GmbH", "address": "Am Kai 1\r\n20457 Hamburg", "country": "DE", "tax_id": "DE 136695976",
    "po_number": "PO-77", "invoice_emails": "books@acme.example; cfo@acme.example",
}  # fmt: skip


def test_what_is_said_stands_on_the_next_receipt_and_not_on_the_last(shop: Shop, customer: Client) -> None:
    page = reverse("portal:billing", args=["acme"])
    wallet = Wallet.objects.select_related("account").get(pk=shop.acme.wallet.pk)
    record_payment(wallet=wallet, amount=Decimal(5), means="wire", reference="1", at=AT, actor="fiona")
    assert "Who you are on paper" in text_of(customer.get(page))
    wrong = customer.post(page, SAID | {"tax_id": "DE1"})
    assert wrong.status_code == 422
    assert "such as DE136695976" in text_of(wrong)
    assert 'value="PO-77"' in wrong.content.decode()
    assert not AuditEvent.objects.filter(action="Change billing details").exists()
    assert customer.post(page, SAID)["Location"] == f"{page}?saved"
    said = text_of(customer.get(f"{page}?saved"))
    assert "Saved." in said
    assert "Tax id: DE136695976" in said
    event = AuditEvent.objects.get(action="Change billing details")
    assert (event.before["tax_id"], event.after["tax_id"]) == ("", "DE136695976")
    wallet = Wallet.objects.select_related("account").get(pk=wallet.pk)
    record_payment(wallet=wallet, amount=Decimal(6), means="wire", reference="2", at=AT, actor="fiona")
    first, second = Receipt.objects.order_by("id")
    assert "Acme GmbH" not in first.buyer
    assert "20457 Hamburg" in second.buyer
    raise_alert(topic="statement_issued", key="s1", account_id=wallet.account_id, wallet_id=wallet.pk, facts={}, at=AT)
    raise_alert(topic="card_expiring", key="c1", account_id=wallet.account_id, wallet_id=wallet.pk, facts={}, at=AT)
    told = Delivery.objects.filter(address__in=["books@acme.example", "cfo@acme.example"])
    assert sorted({one.alert.topic for one in told}) == ["statement_issued"]
    assert told.count() == 2


def test_a_developer_reads_them_and_changes_nothing(shop: Shop) -> None:
    person = User.objects.create_user("dev@acme.example")
    Member.objects.create(account=shop.acme.account, user=person, role="DEVELOPER", created_at=AT)
    page = reverse("portal:billing", args=["acme"])
    assert '<form method="post" class="body' not in browser_of(person).get(page).content.decode()
    assert browser_of(person).post(page, SAID).status_code == 403


def test_programs_and_staff_change_them_too(shop: Shop, vendor: Api, fiona: User) -> None:
    asked = {"billing_details": {"country": "AT", "tax_id": "ATU13585627", "invoice_emails": ["books@acme.example"]}}
    answer = vendor.send("PATCH", "/accounts/acme", asked)
    assert answer.status_code == 200
    assert answer.json()["billing_details"]["tax_id"] == "ATU13585627"
    assert answer.json()["country"] == "AT"
    refused = vendor.send("PATCH", "/accounts/acme", {"billing_details": {"tax_id": "ATU1"}})
    assert refused.status_code == 422
    assert "such as ATU13585627" in str(refused.json()["errors"])
    staff = browser_of(fiona)
    page = reverse("admin:wallets_account_billing", args=[shop.acme.account.pk])
    form = SAID | {"invoice_emails": "a@acme.example, b@acme.example", "reason": "asked by phone", "step": "confirm"}
    assert staff.post(page, form | {"token": "t1"}).status_code == 302
    account = Account.objects.get(pk=shop.acme.account.pk)
    assert shown_details(account)["invoice_emails"] == ["a@acme.example", "b@acme.example"]
    assert account.country == "DE"
