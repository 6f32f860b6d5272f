"""The four patterns sold, all in one wallet: prepaid quotas, a base fee with overage, prepaid credits, credit that is bought
again when it runs low; through ingest, with everything proved."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from metering.ingest.batch import ingest_batch
from metering.ingest.decode import usage_input
from metering.usage.void import void_event
from pricing.books.draft import create_price_book, draft_version
from pricing.books.publish import publish_version
from pricing.books.validate import PriceTerms
from pricing.commitments.make import make_commitment
from pricing.credit_products.buy import buy_credit
from pricing.credit_products.define import ProductTerms, define_product
from pricing.plans.renew import renew_due
from pricing.plans.subscribe import subscribe
from tests.factories.balances import AT
from tests.factories.events import event_pk
from tests.factories.plans import balance, customer, meter, plan_of, units
from wallets.balances.models import ThresholdCrossing, Wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

NEXT = AT.replace(month=12)


@pytest.fixture
def wallet() -> Wallet:
    """Pro: 30 a month with 100 calls, then 0.10 a call at the plan's prices; beside it 10 of promotional credit for calls only,
    and the rest of 100 of paid credit."""
    meter("calls", at=AT)
    book = create_price_book(name="Pro prices", currency="USD", at=AT)
    version = draft_version(book=book, prices=[PriceTerms(meter="calls", unit_price=D("0.10"))], at=AT)
    publish_version(version=version, effective_at=AT, at=AT)
    wallet = customer("acme", at=AT, credit="100")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="promotional", meters=["calls"], priority=10, at=AT)
    plan = plan_of("pro", calls="100", price_book=book, roll_over="full", at=AT)
    subscribe(account=wallet.account, plan=plan, at=AT)
    return wallet


def call(number: int, *, first: int = 0, at: object = AT) -> None:
    """So many calls, one event each."""
    ingest_batch(
        events=[
            usage_input(event_id=f"e{first + index}", event_type="calls", account="acme", time=at, properties={})  # type: ignore[arg-type]
            for index in range(number)
        ],
        at=at,  # type: ignore[arg-type]
    )


def held(wallet: Wallet) -> list[tuple[str, D]]:
    """(kind, remainder) of the open lots of money, oldest first."""
    lots = CreditLot.objects.filter(wallet=wallet, state="OPEN", unit_meter="").order_by("id")
    return list(lots.values_list("kind", "remaining"))


def test_quota_then_overage_from_promotional_then_paid_credit(wallet: Wallet) -> None:
    assert (units(wallet), held(wallet)) == ([100], [("paid", 70), ("promotional", 10)])
    call(90)
    assert (units(wallet), held(wallet)) == ([10], [("paid", 70), ("promotional", 10)])
    call(130, first=90)
    # 10 more from the quota; 120 at 0.10: 10.00 of promotional credit, 2.00 of paid credit.
    assert (units(wallet), held(wallet)) == ([], [("paid", 68)])
    void_event(event_pk=event_pk("e219"), at=AT, reason="Twice", actor="fiona")
    assert held(wallet) == [("paid", D("68.1"))]


def test_unused_units_roll_over_and_the_next_fee_is_taken_from_the_same_credit(wallet: Wallet) -> None:
    call(40)
    renew_due(at=NEXT)
    assert (units(wallet), balance(wallet)) == ([60, 100], 100 + 10 - 30 - 30)
    call(170, first=40, at=NEXT)
    assert (units(wallet), held(wallet)) == ([], [("paid", 40), ("promotional", 9)])


def test_a_call_told_after_the_renewal_finds_the_units_of_its_own_period(wallet: Wallet) -> None:
    renew_due(at=NEXT)
    call(30, at=NEXT - timedelta(minutes=5))
    assert units(wallet) == [70, 100]


def test_credit_that_runs_low_is_told_and_bought_again(wallet: Wallet) -> None:
    call(1000)
    assert ThresholdCrossing.objects.filter(wallet=wallet, percent=0).count() == 1
    owed = Wallet.objects.get(pk=wallet.pk).overdraft
    assert owed == 900 * D("0.10") - 80
    offer = define_product(
        code="top-up", terms=ProductTerms(name="110 for 100", currency="USD", amount=D(110), price=D(100)), at=AT
    )
    buy_credit(wallet=wallet, product=offer, payment_reference="pi_1", source="stripe", at=AT)
    assert (balance(wallet), held(wallet)) == (100, [("paid", 100)])


def test_a_commitment_stands_beside_the_plan_in_the_same_wallet(wallet: Wallet) -> None:
    make_commitment(
        account=wallet.account, name="Steady", amount=D(10), interval="hour", periods=1, discount_percent=D(20),
        meters=["calls"], at=AT,
    )  # fmt: skip
    call(100 + 200)
    # The fee of 10 bought 12.50 of calls; of the 20.00 beyond the quota it covers 12.50 and the promotion 7.50.
    assert held(wallet) == [("paid", 60), ("promotional", D("2.5"))]
