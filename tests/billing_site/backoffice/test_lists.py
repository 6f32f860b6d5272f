"""Every list and every record page of the back office opens, in a number of queries that does not grow with its rows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.contrib import admin  # noqa: TID251 - what is registered is what is tested
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse

from billing_site.proving import prove_and_keep
from metering.caps.models import SpendCap
from metering.caps.set_cap import CapTerms, set_cap
from metering.ingest.models import DeadLetter
from metering.usage.close_periods import close_periods
from metering.usage.models import HourlyUsage, UsageEvent
from notifications.alerts.models import Delivery, HeldAlert, Recipient
from notifications.channels.email.kept import KeptMail
from notifications.channels.webhook.models import WebhookEndpoint
from notifications.rules.models import RuleAct, ThresholdRule
from pricing.books.models import Assignment, PriceBook, PriceVersion, VersionPin
from pricing.commitments.models import Commitment
from pricing.credit_products.models import CreditProduct, CreditUnitRate, VoucherAttempt, VoucherBatch
from pricing.credit_products.redeem import VoucherUnknown, redeem_voucher
from pricing.meters.models import Meter
from pricing.plans.models import Plan, Subscription
from tests.factories.adjustments import adjusted, may_alone
from tests.factories.approvals import asked
from tests.factories.bank_lines import bank_line
from tests.factories.credit_notes import credited
from tests.factories.events import send
from tests.factories.holds import hold_on
from tests.factories.mirror import noted
from tests.factories.money_in import paid_in
from tests.factories.plans import sold_to
from tests.factories.reviews import reviewed
from tests.factories.shop import NOW, Shop
from wallets.accounts.models import Account, User
from wallets.adjustments.models import Adjustment, ReasonCode
from wallets.api_keys.models import ApiKey
from wallets.approvals.models import Approval, ApprovalLimit
from wallets.audit.models import AuditEvent
from wallets.audit.record import record_change
from wallets.balances.models import Wallet
from wallets.brand.models import Brand
from wallets.credit.models import CreditLot
from wallets.holds.models import Hold
from wallets.ledger.models import JournalEntry, LedgerAccount
from wallets.ledger.proof_models import ProofRun
from wallets.mirror.models import MirrorDrift, MirrorItem
from wallets.payments.bank_models import BankLine
from wallets.payments.event_models import PaymentException, ProviderEvent
from wallets.payments.models import PaymentMethod, Receipt, TopUp
from wallets.payments.offer_models import RefundPolicy, TaxRate, TopUpTerms
from wallets.refunds.models import Dispute, Refund, Withdrawal
from wallets.reports.models import AccountCode
from wallets.risk.models import ReviewItem, TrustTier, VelocityRule
from wallets.statements.credit_note_models import CreditNote
from wallets.statements.models import Statement

pytestmark = pytest.mark.django_db

# Session and person, the badge of waiting events, and the list itself with what it names.
LISTS = {
    Account: 7, Wallet: 4, CreditLot: 4, UsageEvent: 6, HourlyUsage: 4, DeadLetter: 6, PriceBook: 6, PriceVersion: 6,
    Assignment: 6, Meter: 6, JournalEntry: 4, LedgerAccount: 6, ApiKey: 6, Plan: 8, Subscription: 5, Commitment: 4,
    CreditProduct: 6, VoucherBatch: 6, VoucherAttempt: 4, Hold: 4, SpendCap: 4,
    Approval: 4, Adjustment: 4, AuditEvent: 4,
    MirrorItem: 4, MirrorDrift: 5, ProofRun: 4,
    ReviewItem: 4, TopUp: 4, Receipt: 4, PaymentMethod: 4, ProviderEvent: 4, PaymentException: 4, BankLine: 4, Statement: 4,
    CreditNote: 4,
}  # fmt: skip
PAGES = {
    Account: 11, Wallet: 15, CreditLot: 5, UsageEvent: 7, PriceBook: 9, PriceVersion: 7, JournalEntry: 9, ApiKey: 4,
    Plan: 8, Subscription: 12, Commitment: 6, VoucherBatch: 7, Hold: 4, SpendCap: 8, Statement: 6,
    Approval: 4, Adjustment: 5, ReviewItem: 6, TopUp: 9, Receipt: 4, PaymentMethod: 6, ProviderEvent: 5, PaymentException: 5,
    BankLine: 5, CreditNote: 5,
}  # fmt: skip
RULES = [
    AccountCode,
    ApprovalLimit,
    Brand,
    ReasonCode,
    RefundPolicy,
    TaxRate,
    TopUpTerms,
    TrustTier,
    VelocityRule,
]  # edited by hand, by administrators
DEALS = [CreditUnitRate, VersionPin]  # made in test_deals.py
AT_THRESHOLDS = [HeldAlert, RuleAct, ThresholdRule]  # opened in tests of the rules
TOLD = [Delivery, KeptMail, Recipient, WebhookEndpoint]  # opened in test_told.py, test_finance_recipients.py
MONEY_BACK = [Dispute, Refund, Withdrawal]  # opened in test_refunds.py, with money to give back
UNCOUNTED = [
    MirrorItem,
    Approval,
    Adjustment,
    ReviewItem,
    TopUp,
    Receipt,
    Statement,
    CreditNote,
    PaymentMethod,
    ProviderEvent,
    PaymentException,
    BankLine,
    Subscription,
    Commitment,
    VoucherAttempt,
    Wallet,
    CreditLot,
    Hold,
    SpendCap,
    UsageEvent,
    HourlyUsage,
    DeadLetter,
    JournalEntry,
]


@pytest.fixture
def shop(shop: Shop, fiona: User) -> Shop:
    """The shop, with one of each thing that is sold, and a code that somebody guessed."""
    sold_to(shop.acme, at=NOW)
    hold_on(shop.acme.wallet, "0.01", at=NOW)
    set_cap(account=shop.acme.account, terms=CapTerms("user", "day", D(5), currency="USD"), at=NOW)
    asked(by=fiona, account=shop.acme.account)
    reviewed(shop.acme.wallet, at=NOW)
    paid_in(shop.acme, at=NOW)
    bank_line(by=fiona, at=NOW)
    adjusted(shop.acme.wallet, "5", by=may_alone(fiona, "100"), at=NOW)
    noted(shop.acme.account, at=NOW)
    record_change(
        actor=fiona, action="Test", subject_kind="wallets.wallet", subject="wal_1", before={}, after={}, reason="", at=NOW
    )
    close_periods(at=NOW + timedelta(days=15))
    credited(Statement.objects.order_by("pk")[0], by=fiona, at=NOW + timedelta(days=15))
    prove_and_keep(at=NOW, provers=())
    with pytest.raises(VoucherUnknown):
        redeem_voucher(wallet=shop.acme.wallet, code="GUESSED", at=NOW)
    return shop


def list_of(model: Any) -> str:
    """The list's address."""
    return reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")


def page_of(row: Any) -> str:
    """A record's address."""
    return reverse(f"admin:{row._meta.app_label}_{row._meta.model_name}_change", args=[row.pk])


# One shop for all of them: setting it up takes longer than looking at it.


def test_lists_take_as_many_queries_however_long_and_large_tables_are_not_counted(
    shop: Shop, finance: Client, django_assert_num_queries: Any, subtests: Any
) -> None:
    send(shop.acme.wallet, *[(f"more_{number}", {"input_tokens": number}) for number in range(1, 30)])
    for model, count in LISTS.items():
        with subtests.test(model.__name__):
            finance.get(list_of(model))  # what a process reads once is not counted, whichever test ran before
            with django_assert_num_queries(count) as queries:
                assert finance.get(list_of(model)).status_code == 200
            counts = [one["sql"] for one in queries.captured_queries if "COUNT(*)" in one["sql"]]
            assert model not in UNCOUNTED or all("replayed_at" in sql for sql in counts), counts


def test_pages_take_as_many_queries_whatever_they_hold(
    shop: Shop, finance: Client, django_assert_num_queries: Any, subtests: Any
) -> None:
    for model, count in PAGES.items():
        with subtests.test(model.__name__):
            row = shop.acme.wallet if model is Wallet else model.objects.order_by("pk").last()
            finance.get(page_of(row))  # as above
            with django_assert_num_queries(count):
                assert finance.get(page_of(row)).status_code == 200
            for path in ("abc", "0", "99999999999999999999999", "-1"):
                assert finance.get(f"{list_of(model)}{path}/change/").status_code == 404, path


def test_nobody_adds_changes_or_deletes_a_record_by_hand(shop: Shop, finance: Client, subtests: Any) -> None:
    for model in LISTS:
        with subtests.test(model.__name__):
            name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
            assert finance.get(reverse(f"{name}_add")).status_code == 403
            row = model.objects.order_by("pk").first()
            assert row is not None or model is Assignment, f"the shop has no {model.__name__}"
            if row is not None:
                before = model.objects.filter(pk=row.pk).values().get()
                assert finance.get(reverse(f"{name}_delete", args=[row.pk])).status_code == 403
                finance.post(reverse(f"{name}_change", args=[row.pk]), {"reason": "x", "name": "x", "amount": "1"})
                assert model.objects.filter(pk=row.pk).values().get() == before


def test_every_registered_model_is_read_only_a_rule_or_about_people() -> None:
    assert set(admin.site._registry) == {*LISTS, *MONEY_BACK, *AT_THRESHOLDS, *TOLD, *DEALS, *RULES, User, Group}


SEARCHES = (
    (Account, "acme", "Acme"),
    (Wallet, "acme", "Acme"),
    (CreditLot, "acme", "Acme"),
    (Hold, "acme", "hold_"),
    (Approval, "acme", "Complaint"),
    (Adjustment, "acme", "Goodwill"),
    (ReviewItem, "acme", "the rule"),
    (TopUp, "acme", "top_"),
    (Receipt, "acme", "MAIN-2026-000001"),
    (Statement, "acme", "MAIN-ST-"),
    (CreditNote, "acme", "MAIN-CN-2026-000001"),
    (Statement, "MAIN-ST-2026-000001", "MAIN-ST-2026-000001"),
    (Receipt, "MAIN-2026-000001", "MAIN-2026-000001"),
    (PaymentMethod, "4242", "Visa"),
    (ProviderEvent, "pi_1", "payment_intent.succeeded"),
    (BankLine, "Acme GmbH", "Acme GmbH"),
    (PaymentException, "pi_1", "Amount Differs"),
    (UsageEvent, "req_2", "req_2"),
    (UsageEvent, "acme", "req_2"),
    (HourlyUsage, "acme", "llm.input_tokens"),
    (JournalEntry, "acme", "Credit granted"),
    (DeadLetter, "req_parked", "req_parked"),
    (Meter, "input", "llm.input_tokens"),
    (PriceBook, "List", "List USD"),
    (ApiKey, "acme", "acme itself"),
    (Plan, "pro", "Pro"),
    (Subscription, "acme", "Acme"),
    (Commitment, "acme", "Steady"),
    (CreditProduct, "start", "start"),
    (VoucherBatch, "Spring", "Spring"),
    (VoucherAttempt, "acme", "voucher unknown"),
)


def test_search_finds_by_what_people_have_at_hand(shop: Shop, finance: Client, subtests: Any) -> None:
    for model, term, found in SEARCHES:
        with subtests.test(f"{model.__name__} {term}"):
            assert found in finance.get(list_of(model), {"q": term}).content.decode()
            nothing = finance.get(list_of(model), {"q": "nobody-has-this"}).content.decode()
            assert "req_2" not in nothing
            assert "acme itself" not in nothing


def test_search_finds_a_wallet_a_lot_and_an_entry_by_id(shop: Shop, finance: Client) -> None:
    wallet, lot, entry = shop.acme.wallet, CreditLot.objects.first(), JournalEntry.objects.order_by("pk").last()
    assert lot is not None
    assert entry is not None
    assert page_of(wallet) in finance.get(list_of(Wallet), {"q": wallet.public_id}).content.decode()
    assert page_of(lot) in finance.get(list_of(CreditLot), {"q": lot.public_id}).content.decode()
    assert page_of(entry) in finance.get(list_of(JournalEntry), {"q": f"ent_{entry.pk}"}).content.decode()
    assert page_of(entry) in finance.get(list_of(JournalEntry), {"q": wallet.public_id}).content.decode()


def test_a_customer_does_not_get_in(shop: Shop) -> None:
    browser = Client()
    browser.force_login(shop.acme.owner)
    for model in LISTS:
        response = browser.get(list_of(model))
        assert response.status_code == 302
        assert response["Location"].startswith(reverse("admin:login"))
