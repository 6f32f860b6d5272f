"""Subscribing: the first fee and its allowances, the trial, the plan's prices."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import DatabaseError, transaction

from pricing.books.draft import create_price_book
from pricing.books.queries import books_used
from pricing.plans.card import NoCardPayments
from pricing.plans.define import AllowanceTerms, PlanClosed, PlanExists, PlanTerms, close_plan, define_plan, revise_plan
from pricing.plans.models import Plan, PlanAllowance, Subscription, SubscriptionChange
from pricing.plans.renew import renew_due
from pricing.plans.subscribe import AlreadySubscribed, PlanPricesClash, subscribe
from tests.factories.balances import AT
from tests.factories.plans import balance, customer, meter, plan_of, units
from wallets.credit.fee import CreditExhausted
from wallets.credit.models import CreditLot
from wallets.errors import InvalidInput
from wallets.outbox.models import News

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

DAY = timedelta(days=1)


def test_subscribing_takes_the_fee_and_grants_what_it_includes() -> None:
    wallet = customer("acme", at=AT, credit="100")
    subscription = subscribe(account=wallet.account, plan=plan_of("pro", calls="1000", at=AT), at=AT, actor="fiona")
    assert (subscription.state, balance(wallet), units(wallet)) == ("ACTIVE", 70, [1000])
    lot = CreditLot.objects.get(unit_meter="calls")
    assert (lot.kind, lot.effective_at, lot.expires_at, lot.source) == (
        "plan", AT, AT.replace(month=12), subscription.public_id,
    )  # fmt: skip
    line = SubscriptionChange.objects.get()
    assert (line.what, line.before, line.after, line.actor) == ("Subscribed to Pro", "", "ACTIVE", "fiona")
    assert News.objects.filter(topic="subscription_changed").count() == 1


def test_a_fee_that_cannot_be_paid_leaves_nothing() -> None:
    wallet = customer("acme", at=AT, credit="29.99")
    with pytest.raises(CreditExhausted):
        subscribe(account=wallet.account, plan=plan_of("pro", calls="1000", at=AT), at=AT)
    assert (balance(wallet), units(wallet), Subscription.objects.count()) == (D("29.99"), [], 0)


def test_a_trial_costs_nothing_until_it_ends_and_is_given_once() -> None:
    wallet = customer("acme", at=AT, credit="100")
    plan = plan_of("pro", calls="1000", trial_days=14, trial_credit=D(5), at=AT)
    subscription = subscribe(account=wallet.account, plan=plan, at=AT)
    assert (subscription.state, balance(wallet), units(wallet)) == ("TRIALING", 105, [])
    assert CreditLot.objects.get(kind="trial").expires_at == AT + 14 * DAY
    assert renew_due(at=AT + 14 * DAY - timedelta(seconds=1)).begun == 0
    assert renew_due(at=AT + 14 * DAY).begun == 1
    assert (balance(wallet), units(wallet)) == (70, [1000])
    subscription.refresh_from_db()
    assert (subscription.state, subscription.period_end) == ("ACTIVE", (AT + 14 * DAY).replace(month=1, year=2027))
    Subscription.objects.filter(pk=subscription.pk).update(state="CANCELLED", ended_at=AT, next_due_at=None)
    again = subscribe(account=wallet.account, plan=plan, at=AT + 15 * DAY)
    assert (again.state, CreditLot.objects.filter(kind="trial").count()) == ("ACTIVE", 1)


def test_the_plans_prices_are_the_accounts_from_then_on() -> None:
    wallet = customer("acme", at=AT)
    book = create_price_book(name="Pro prices", currency="USD", at=AT)
    subscribe(account=wallet.account, plan=plan_of("pro", price_book=book, at=AT), at=AT + DAY)
    used = [books_used(account_ids=[wallet.account_id], at=moment)[wallet.account_id] for moment in (AT, AT + DAY)]
    assert used == [None, book]
    with pytest.raises(PlanPricesClash):
        subscribe(account=wallet.account, plan=plan_of("team", price_book=book, at=AT), at=AT + DAY)


def test_one_live_subscription_of_a_plan() -> None:
    wallet = customer("acme", at=AT)
    plan = plan_of("pro", at=AT)
    first = subscribe(account=wallet.account, plan=plan, at=AT)
    with pytest.raises(AlreadySubscribed) as refused:
        subscribe(account=wallet.account, plan=revise_plan(plan=plan, terms=terms(fee=D(31)), at=AT), at=AT)
    assert refused.value.extra == {"subscription": first.public_id}
    assert balance(wallet) == 970


def test_what_is_not_sold_or_does_not_fit_is_refused() -> None:
    acme, globex = customer("acme", at=AT), customer("globex", at=AT)
    plan = plan_of("pro", at=AT)
    with pytest.raises(InvalidInput) as refused:
        subscribe(account=acme.account, plan=plan, wallet=globex, pay_by="cheque", at=AT)
    assert set(refused.value.fields) == {"wallet", "pay_by"}
    with pytest.raises(NoCardPayments):
        subscribe(account=acme.account, plan=plan, pay_by="card", at=AT)
    close_plan(plan=plan, at=AT)
    with pytest.raises(PlanClosed):
        subscribe(account=acme.account, plan=plan, at=AT)
    assert not Subscription.objects.exists()


def terms(**changes: object) -> PlanTerms:
    return PlanTerms(**{"name": "Pro", "currency": "USD", "fee": D(30)} | changes)  # type: ignore[arg-type]


def test_a_plan_never_changes_but_has_a_next_version() -> None:
    plan = plan_of("pro", calls="1000", at=AT)
    wallet = customer("acme", at=AT)
    subscribe(account=wallet.account, plan=plan, at=AT)
    second = revise_plan(plan=plan, terms=terms(fee=D(40)), at=AT + DAY)
    assert (second.code, second.version, second.fee) == ("pro", 2, 40)
    with pytest.raises(PlanClosed):
        revise_plan(plan=plan, terms=terms(), at=AT + DAY)
    with pytest.raises(DatabaseError), transaction.atomic():
        Plan.objects.filter(pk=plan.pk).update(fee=D(1))
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanAllowance.objects.filter(plan=plan).update(quantity=D(1))
    with pytest.raises(DatabaseError), transaction.atomic():
        PlanAllowance.objects.create(plan=plan, meter=meter("tokens", at=AT), quantity=D(1))
    renew_due(at=AT.replace(month=12))
    assert balance(wallet) == 940  # still at the first version's fee


@pytest.mark.parametrize(
    ("field", "change"),
    [
        ("name", {"name": " "}),
        ("fee", {"fee": D(-1)}),
        ("fee", {"fee": D("0.0000000000001")}),
        ("currency", {"currency": "dollars"}),
        ("interval", {"interval": "week"}),
        ("trial_days", {"trial_days": 1000}),
        ("trial_credit", {"trial_credit": D(-1)}),
        ("allowances.0.meter", {"allowances": [AllowanceTerms(meter="none", quantity=D(1))]}),
        ("allowances.1.meter", {"allowances": [AllowanceTerms(meter="calls", quantity=D(1))] * 2}),
        ("allowances.0.quantity", {"allowances": [AllowanceTerms(meter="calls", quantity=D(0))]}),
        ("allowances.0.roll_over", {"allowances": [AllowanceTerms(meter="calls", quantity=D(1), roll_over="some")]}),
        ("allowances.0.roll_over_cap", {"allowances": [AllowanceTerms(meter="calls", quantity=D(1), roll_over="capped")]}),
        ("allowances.0.roll_over_periods", {"allowances": [AllowanceTerms(meter="calls", quantity=D(1), roll_over_periods=1)]}),
        ("allowances.0.on_exhaustion", {"allowances": [AllowanceTerms(meter="calls", quantity=D(1), on_exhaustion="ask")]}),
    ],
)
def test_a_plan_that_is_not_acceptable_is_refused_by_field(field: str, change: dict[str, object]) -> None:
    meter("calls", at=AT)
    with pytest.raises(InvalidInput) as refused:
        define_plan(code="pro", terms=terms(**change), at=AT)
    assert list(refused.value.fields) == [field]


def test_a_code_is_given_once() -> None:
    plan = plan_of("pro", at=AT)
    with pytest.raises(PlanExists):
        define_plan(code="pro", terms=terms(), at=AT)
    with pytest.raises(InvalidInput, match="revised"):
        revise_plan(plan=plan, terms=terms(currency="EUR"), at=AT)
