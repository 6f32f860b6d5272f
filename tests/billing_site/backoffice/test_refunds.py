"""Refunding in the back office: figures before and after, the second person, the lists."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.test import Client
from django.urls import reverse

from tests.cast import Company
from tests.factories.payments import AT, topped_up
from tests.factories.refunds import finance_of, withdrawal_of
from tests.factories.shop import browser_of, text_of
from tests.fakes.faulty_provider import FaultyProvider
from wallets.accounts.models import User
from wallets.approvals.models import Approval, ApprovalLimit
from wallets.payments.manual import record_payment
from wallets.payments.models import PaymentMethod
from wallets.refunds.handle_event import look_at_payment
from wallets.refunds.models import Dispute, Refund, Withdrawal
from wallets.refunds.withdraw import confirm_withdrawal, confirmation_link

pytestmark = pytest.mark.django_db
FORM = {"reason": "duplicate", "note": "Ticket 7", "token": "t"}


def test_finance_refunds_within_the_limit_and_asks_above_it(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, fiona: User, apollo: User, sam: User
) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    ApprovalLimit.objects.create(role=finance_of(fiona), currency="USD", amount=D(10))
    finance: Client = browser_of(fiona)
    url = reverse("admin:wallets_refund_make", args=[top_up.pk])
    assert url in finance.get(reverse("admin:wallets_topup_change", args=[top_up.pk])).content.decode()
    assert browser_of(sam).get(url).status_code == 403
    assert "Unused are 50.00" in text_of(finance.get(url))
    review = text_of(finance.post(url, FORM | {"amount": "10", "step": "review"}))
    assert "at once" in review
    assert finance.post(url, FORM | {"amount": "10", "step": "confirm"}).status_code == 302
    assert finance.post(url, FORM | {"amount": "10", "step": "confirm"}).status_code == 422  # the same confirmation
    assert "another person" in text_of(finance.post(url, FORM | {"amount": "40", "step": "review"}))
    finance.post(url, FORM | {"amount": "40", "step": "confirm", "token": "u"})
    assert sorted(Refund.objects.values_list("state", "credit")) == [("CREATED", D(10)), ("WAITING", D(40))]
    approval = Approval.objects.get()
    approve = reverse("admin:wallets_approval_approve", args=[approval.pk])
    assert browser_of(apollo).post(approve, {"step": "confirm", "token": "v"}).status_code == 302
    assert set(Refund.objects.values_list("state", flat=True)) == {"CREATED"}
    page = text_of(finance.get(reverse("admin:wallets_refund_change", args=[Refund.objects.latest("id").pk])))
    assert "40.00" in page
    assert "Ticket 7" in page
    assert acme.account.name in text_of(finance.get(reverse("admin:wallets_refund_changelist")))


def test_a_wire_is_sent_back_by_hand(acme: Company, provider: FaultyProvider, fiona: User) -> None:
    top_up = record_payment(wallet=acme.wallet, amount=D(80), means="wire", reference="W-1", at=AT, actor="fiona")
    ApprovalLimit.objects.create(role=finance_of(fiona), currency="USD", amount=D(100))
    finance = browser_of(fiona)
    make = reverse("admin:wallets_refund_make", args=[top_up.pk])
    finance.post(make, FORM | {"amount": "80", "step": "confirm"})
    refund = Refund.objects.get()
    sent = reverse("admin:wallets_refund_sent", args=[refund.pk])
    assert sent in finance.get(reverse("admin:wallets_refund_change", args=[refund.pk])).content.decode()
    finance.post(sent, {"reference": "OUT-7", "step": "confirm", "token": "s"})
    refund.refresh_from_db()
    assert (refund.state, refund.provider_ref) == ("SUCCEEDED", "wire:OUT-7")


def test_disputes_and_withdrawals_are_seen_and_decided(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, fiona: User
) -> None:
    for amount in ("50", "70"):
        topped_up(acme.wallet, amount)
    provider.dispute("pi_1", D(50), "USD")
    look_at_payment(provider, "pi_1", at=AT)
    finance = browser_of(fiona)
    assert "fraudulent" in text_of(finance.get(reverse("admin:wallets_dispute_changelist")))
    dispute = reverse("admin:wallets_dispute_change", args=[Dispute.objects.get().pk])
    assert "Credit frozen" in text_of(finance.get(dispute))
    asked = withdrawal_of(acme, "70", at=AT)
    token = confirmation_link(asked).rstrip("/").rpartition("/")[2]
    confirm_withdrawal(token=token, user=acme.owner, at=AT)
    approve = reverse("admin:wallets_approval_approve", args=[Approval.objects.get().pk])
    finance.post(approve, {"step": "confirm", "token": "w"})
    assert Withdrawal.objects.get().state == "APPROVED"
    assert "approved" in text_of(finance.get(reverse("admin:wallets_withdrawal_change", args=[asked.pk])))
    finance.post(
        reverse("admin:wallets_withdrawal_cancel", args=[asked.pk]), {"reason": "Fraud", "step": "confirm", "token": "x"}
    )
    assert Withdrawal.objects.get().state == "CANCELLED"
