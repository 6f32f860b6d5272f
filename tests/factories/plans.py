"""Plans and their subscribers, made through the verbs; figures as short texts."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import transaction

from pricing.books.open_customer import open_customer
from pricing.commitments.make import make_commitment
from pricing.credit_products.define import ProductTerms, define_product
from pricing.credit_products.issue import VoucherTerms, issue_vouchers
from pricing.meters.define import define_meter
from pricing.meters.models import Meter
from pricing.plans.define import AllowanceTerms, PlanTerms, define_plan
from pricing.plans.models import PeriodAllowance, Plan, Subscription
from pricing.plans.subscribe import subscribe
from tests.cast import Company
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.credit.allowances import allowances_of
from wallets.credit.debit import WalletDebit, debit_wallets
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot

TEN: Final = Decimal(10)


def meter(code: str, *, at: datetime) -> Meter:
    """A meter that counts events of its own type."""
    found = Meter.objects.filter(code=code).first()
    return found or define_meter(code=code, event_type=code, aggregation="count", at=at)


def plan_of(code: str, *, at: datetime, fee: str = "30", calls: str = "", name: str = "", **terms: Any) -> Plan:
    """A plan in USD that includes this many calls each period; `roll_over…` and `on_exhaustion` go to its allowance."""
    meter("calls", at=at)
    rule = {key: terms.pop(key) for key in list(terms) if key.startswith(("roll_over", "on_exhaustion"))}
    allowances = [AllowanceTerms(meter="calls", quantity=Decimal(calls), **rule)] if calls else []
    given = PlanTerms(name=name or code.title(), currency="USD", fee=Decimal(fee), allowances=allowances, **terms)
    return define_plan(code=code, terms=given, at=at)


def customer(key: str, *, at: datetime, zone: str = "UTC", credit: str = "1000") -> Wallet:
    """The wallet of a new account in this time zone."""
    wallet = open_customer(key=key, name=key.title(), at=at, time_zone=zone).wallet
    if Decimal(credit):
        grant_credit(wallet_id=wallet.pk, amount=Decimal(credit), kind="paid", at=at)
    return wallet


def use_units(wallet: Wallet, quantity: str, *, at: datetime, code: str = "calls") -> Decimal:
    """Use units of a meter, without an event; how many of them allowances covered."""
    if not Decimal(quantity):
        return Decimal(0)
    with transaction.atomic():
        locked = lock_wallet(wallet.pk)
        allowances = allowances_of({locked.id: locked}, bucket=locked.bucket, at=at)[locked.id]
        covered, _ = allowances.take(code, Decimal(quantity), at)
        if covered:
            debit_wallets([WalletDebit(locked, [], units=allowances.draws)], at=at)
    return covered


def units(wallet: Wallet, code: str = "calls") -> list[Decimal]:
    """What each open allowance of a meter holds, oldest first."""
    lots = CreditLot.objects.filter(wallet=wallet, unit_meter=code, state=CreditLot.State.OPEN).order_by("id")
    return list(lots.values_list("remaining", flat=True))


def granted(subscription: Subscription) -> list[tuple[int, int, Decimal]]:
    """(period, origin, units) of everything the subscription's periods got, in order."""
    rows = PeriodAllowance.objects.filter(period__subscription=subscription).order_by("id")
    return list(rows.values_list("period__index", "origin", "quantity"))


def balance(wallet: Wallet) -> Decimal:
    """What the wallet holds in money."""
    wallet.refresh_from_db()
    return wallet.balance


def sold_to(company: Company, *, at: datetime) -> dict[str, str]:
    """One of each thing that is sold, to this company; their ids as the paths of the API name them. Needs the meter `calls`
    and some credit."""
    plan = plan_of("pro", fee="1", calls="10", at=at)
    subscription = subscribe(account=company.account, plan=plan, at=at)
    offer = define_product(code="start", terms=ProductTerms(name="S", currency="USD", amount=TEN, price=TEN), at=at)
    vouchers = issue_vouchers(terms=VoucherTerms(name="Spring", currency="USD", amount=TEN), at=at)
    commitment = make_commitment(
        account=company.account, name="Steady", amount=TEN, interval="month", periods=2, discount_percent=TEN, meters=["calls"],
        starts_at=at + timedelta(days=9), at=at,
    )  # fmt: skip
    return {
        "plan_id": plan.public_id,
        "subscription_id": subscription.public_id,
        "product_id": offer.public_id,
        "batch_id": vouchers.batch.public_id,
        "commitment_id": commitment.public_id,
    }
