"""The page of auto-recharge: the offer, the rule as a sentence, every decision below it."""

from __future__ import annotations

import html
import re

import pytest
from django.test import Client

from tests.cast import PASSWORD, Company
from tests.factories.payments import AT
from tests.fakes.faulty_provider import FaultyProvider
from wallets import clock
from wallets.accounts.models import Member, User
from wallets.payments.models import PaymentMethod
from wallets.recharge.models import AutoRecharge, ScheduledTopUp
from wallets.recharge.sweep import sweep_recharges

pytestmark = pytest.mark.django_db
PAGE = "/auto-recharge/acme"
RULE = {"what": "set", "how": "amount", "threshold": "5", "amount": "50", "monthly_cap": "60"}


def words(response: object) -> str:
    """The text of a page, as it is read."""
    text = re.sub(r"</?(?:span|data|strong)\b[^>]*>", "", response.content.decode())  # type: ignore[attr-defined]
    text = re.sub(r"<[^>]+>", " ", text)
    return re.sub(r"\s+", " ", html.unescape(text))


@pytest.fixture
def customer(acme: Company) -> Client:
    client = Client()
    client.force_login(acme.owner)
    return client


def test_whoever_saves_a_card_is_offered_the_rule_and_turns_it_on(acme: Company, card: PaymentMethod, customer: Client) -> None:
    offered = customer.get("/cards/acme")
    offer = "below 10.00 USD, charge Visa •••• 4242 for credit of 50.00 USD, at most 500.00 USD a month."
    assert offer in words(offered)
    form = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]+)">', offered.content.decode()))
    assert customer.post(PAGE, form).status_code == 302
    rule = AutoRecharge.objects.get()
    assert (rule.is_on, rule.threshold, rule.amount, rule.monthly_cap, rule.changed_by) == (True, 10, 50, 500, acme.owner.email)
    assert "Never run out" not in words(customer.get("/cards/acme"))


def test_the_log_says_what_was_decided_and_why_not(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, customer: Client
) -> None:
    with clock.set_to(AT):
        customer.post(PAGE, RULE | {"threshold": "80"})
        sweep_recharges(at=AT)
        sweep_recharges(at=AT)
        page = words(customer.get(PAGE))
    assert "balance 0.00 below 80.00; recharged 50.00 with Visa •••• 4242 Receipt" in page
    assert "balance 50.00 below 80.00; not recharged: monthly cap 60.00 leaves 10.00 of the 50.00 it takes, next" in page


def test_a_bank_that_asks_is_a_link_to_confirm(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, customer: Client
) -> None:
    provider.asks.add(card.provider_id)
    with clock.set_to(AT):
        customer.post(PAGE, RULE)
        sweep_recharges(at=AT)
        asked = customer.get(PAGE)
    (link,) = re.findall(r'<a href="(/top-ups/\w+/)">Confirm it', asked.content.decode())
    assert "Your bank wants you to confirm this payment" in words(customer.get(link))


def test_what_cannot_work_is_said_and_kept(acme: Company, card: PaymentMethod, customer: Client) -> None:
    answer = customer.post(PAGE, RULE | {"monthly_cap": "20", "amount": "5o"})
    assert answer.status_code == 422
    assert "Amount: a decimal number." in words(answer)
    assert 'value="5o"' in answer.content.decode()
    assert customer.post(PAGE, {"what": "steal"}).status_code == 404
    assert not AutoRecharge.objects.exists()


def test_off_and_on_and_every_month(acme: Company, card: PaymentMethod, customer: Client) -> None:
    customer.post(PAGE, RULE)
    customer.post(PAGE, {"what": "off"})
    assert not AutoRecharge.objects.get().is_on
    customer.post(PAGE, RULE)
    assert AutoRecharge.objects.get().is_on
    assert customer.post(PAGE, {"what": "schedule", "day": "31", "amount": "100"}).status_code == 302
    assert (ScheduledTopUp.objects.get().day, ScheduledTopUp.objects.get().is_on) == (31, True)
    assert customer.post(PAGE, {"what": "schedule", "day": "first", "amount": "100"}).status_code == 422
    customer.post(PAGE, {"what": "unschedule", "day": "31", "amount": "100"})
    assert not ScheduledTopUp.objects.get().is_on


def test_a_member_who_may_not_pay_reads_and_changes_nothing(acme: Company, card: PaymentMethod) -> None:
    viewer = User.objects.create_user("viewer@acme.example", PASSWORD)
    Member.objects.create(account=acme.account, user=viewer, role=Member.Role.VIEWER, created_at=AT)
    client = Client()
    client.force_login(viewer)
    assert "Who may pay for the account sets the rule." in words(client.get(PAGE))
    assert client.post(PAGE, RULE).status_code == 403
    assert not AutoRecharge.objects.exists()
