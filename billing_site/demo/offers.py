"""What the demo company sells besides usage: a plan with a trial, credit with a bonus, a promo code, a commitment; and who
took it. Amounts are scaled as all money of the demo is."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Final

from django.db import transaction

from pricing.commitments.make import make_commitment
from pricing.credit_products.buy import buy_credit
from pricing.credit_products.define import ProductTerms, define_product
from pricing.credit_products.issue import VoucherTerms, issue_vouchers
from pricing.credit_products.redeem import redeem_voucher
from pricing.credit_products.slabs import Slab
from pricing.plans.define import AllowanceTerms, PlanTerms, define_plan
from pricing.plans.models import Plan
from pricing.plans.subscribe import subscribe
from wallets.accounts.models import Account
from wallets.balances.models import Wallet
from wallets.payments.offer_models import BonusSlab, RefundPolicy, TaxRate, TopUpTerms

PROMO_CODE: Final = "WELCOME10"
STUDIO: Final = "studio"
TEAM: Final = "team"


def sell_offers(*, at: datetime, scale: Decimal) -> None:
    """Put the offers on sale and let a few customers take them, all or nothing; nothing when that was done before."""
    with transaction.atomic():
        if Plan.objects.filter(code=STUDIO).exists():
            return
        _top_ups(at=at)
        _plans(at=at, scale=scale)
        _credit(at=at, scale=scale)
        fjord = Account.objects.get(key="fjord")
        make_commitment(
            account=fjord, name="Steady output", amount=200 * scale, interval="month", periods=12,
            discount_percent=Decimal(15), meters=["llm.output_tokens"], at=at,
        )  # fmt: skip


def _plans(*, at: datetime, scale: Decimal) -> None:
    tokens = AllowanceTerms(
        meter="llm.output_tokens", quantity=Decimal(500_000), roll_over="capped", roll_over_cap=Decimal(250_000),
        roll_over_periods=3,
    )  # fmt: skip
    images = AllowanceTerms(meter="image.images", quantity=Decimal(100), on_exhaustion="block")
    studio = define_plan(
        code=STUDIO,
        terms=PlanTerms(
            name="Studio", currency="USD", fee=19 * scale, allowances=[tokens, images], trial_days=14, trial_credit=5 * scale
        ),
        at=at,
    )
    many = AllowanceTerms(meter="llm.output_tokens", quantity=Decimal(5_000_000), roll_over="full", roll_over_periods=1)
    team = define_plan(code=TEAM, terms=PlanTerms(name="Team", currency="USD", fee=99 * scale, allowances=[many]), at=at)
    subscribe(account=Account.objects.get(key="orbit"), plan=studio, at=at)
    meridian = Account.objects.get(key="meridian")
    offer = define_product(
        code="start",
        terms=ProductTerms(name="550 for 500", currency="USD", amount=550 * scale, price=500 * scale, validity_days=365),
        at=at,
    )
    buy_credit(wallet=_wallet(meridian), product=offer, payment_reference="wire-2026-118", source="wire", at=at)
    subscribe(account=meridian, plan=team, at=at)


def _top_ups(*, at: datetime) -> None:
    """On what terms customers top up: the refund policy, a bonus, tax where the demo company is registered."""
    RefundPolicy.objects.create(
        version=1,
        sentence="Credit you have bought and not used comes back within 30 days.",
        text="Within 30 days of a top-up we return what is left of it to the card it came from, with its share of the tax. "
        "Credit given on top of it ends then. Later, unused credit stays yours until it expires.",
        effective_at=at,
    )
    terms = TopUpTerms.objects.create(
        currency="USD", minimum=Decimal(5), maximum=Decimal(10_000), suggested=[Decimal(one) for one in (10, 50, 100, 500)]
    )
    for least, percent in ((500, 2), (1_000, 5)):
        BonusSlab.objects.create(terms=terms, from_amount=Decimal(least), percent=Decimal(percent))
    for country, name, percent in (
        ("DE", "VAT", 19),
        ("FR", "VAT", 20),
        ("GB", "VAT", 20),
        ("NO", "MVA", 25),
        ("JP", "JCT", 10),
    ):
        TaxRate.objects.create(country=country, name=name, percent=Decimal(percent), effective_at=at)


def _credit(*, at: datetime, scale: Decimal) -> None:
    slabs = [Slab(100 * scale, Decimal(5)), Slab(500 * scale, Decimal(10))]
    terms = ProductTerms(name="As much as you like", currency="USD", least=10 * scale, most=10_000 * scale, slabs=slabs)
    define_product(code="any", terms=terms, at=at)
    welcome = VoucherTerms(name="Welcome", currency="USD", amount=10 * scale, uses=1_000, validity_days=90)
    issue_vouchers(terms=welcome, code=PROMO_CODE, at=at)
    redeem_voucher(wallet=_wallet(Account.objects.get(key="sprout")), code=PROMO_CODE, at=at)


def _wallet(account: Account) -> Wallet:
    return Wallet.objects.get(account=account, currency="USD", is_default=True)
