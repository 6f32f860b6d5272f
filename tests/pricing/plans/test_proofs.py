"""The proofs over subscriptions and vouchers find what was altered behind the application's back."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest
from django.db import connection

from pricing.credit_products import proofs as vouchers
from pricing.credit_products.issue import VoucherTerms, issue_vouchers
from pricing.credit_products.redeem import redeem_voucher
from pricing.plans import proofs as plans
from pricing.plans.cancel import cancel_subscription
from pricing.plans.subscribe import subscribe
from tests.factories.balances import AT
from tests.factories.plans import customer, plan_of
from wallets.ledger.proof import Proof

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _business() -> None:
    """A subscription ended in the middle, and a voucher redeemed."""
    wallet = customer("acme", at=AT)
    subscription = subscribe(account=wallet.account, plan=plan_of("pro", calls="100", at=AT), at=AT)
    cancel_subscription(subscription=subscription, now=True, at=AT + timedelta(days=10))
    issued = issue_vouchers(terms=VoucherTerms(name="Spring", currency="USD", amount=D(25)), at=AT)
    redeem_voucher(wallet=wallet, code=issued.codes[0], at=AT)


def proofs() -> dict[str, Proof]:
    return {prover.__name__: prover() for prover in (*plans.PROOFS, *vouchers.PROOFS)}


def test_they_hold_and_looked_at_something() -> None:
    assert [(name, proof.faults, proof.checked > 0) for name, proof in proofs().items()] == [
        (name, 0, True) for name in proofs()
    ]


@pytest.mark.parametrize(
    ("sql", "finds"),
    [
        ("UPDATE pricing_periodfee SET amount = amount + 1", "fees_are_posted"),
        ("UPDATE pricing_periodfee SET refunded = refunded - 1", "refunds_are_posted"),
        ("UPDATE pricing_periodallowance SET quantity = 101", "allowances_are_lots"),
        ("UPDATE pricing_vouchercode SET used = 0", "vouchers_are_redeemed_as_counted"),
    ],
)
def test_they_find_what_was_altered(sql: str, finds: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"SET session_replication_role = replica; {sql}; SET session_replication_role = DEFAULT")
    assert [name for name, proof in proofs().items() if proof.faults] == [finds]
