"""Money back, through the verbs; and what the books say of it."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.contrib.auth.models import Group
from django.db.models import Sum

from tests.cast import PASSWORD, Company
from tests.factories.balances import spend
from tests.factories.payments import AT
from wallets.accounts.models import User
from wallets.balances.models import Wallet
from wallets.ledger.models import Posting
from wallets.refunds.models import Withdrawal
from wallets.refunds.proofs import PROOFS
from wallets.refunds.refund import Why
from wallets.refunds.withdraw import request_withdrawal

LATER: Final[datetime] = AT + timedelta(days=1)
WHY: Final = Why("requested_by_customer", actor="backend")


def used(wallet: Wallet, amount: str, *, at: datetime = AT) -> None:
    """Usage is charged to the wallet."""
    spend(wallet, amount, at=at)


def books() -> dict[str, Decimal]:
    """What stands on each account of the chart, credits positive; those at zero left out."""
    rows = Posting.objects.values("ledger_account__kind", "ledger_account__qualifier").annotate(total=Sum("amount"))
    sums = {
        ":".join(filter(None, [row["ledger_account__kind"].lower(), row["ledger_account__qualifier"]])): row["total"]
        for row in rows.order_by()
    }
    return {code: total for code, total in sorted(sums.items()) if total}


def withdrawal_of(company: Company, amount: str, *, at: datetime = LATER) -> Withdrawal:
    """The owner of a company asks for unused credit."""
    return request_withdrawal(wallet=company.wallet, amount=Decimal(amount), user=company.owner, password=PASSWORD, at=at)


def finance_of(user: User) -> Group:
    """The role of a person, made for them."""
    role, _ = Group.objects.get_or_create(name="finance of the tests")
    user.groups.add(role)
    return role


def assert_money_back_is_proved() -> None:
    """The proofs of refunds and disputes hold."""
    offenders = [offender for prover in PROOFS for offender in prover().offenders]
    assert not offenders, offenders[:5]
