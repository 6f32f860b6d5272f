"""Adjustments, through the verb."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.contrib.auth.models import Group

from tests.factories.balances import AT
from wallets.accounts.models import User
from wallets.adjustments.adjust import adjust_balance
from wallets.adjustments.models import Adjustment, ReasonCode
from wallets.approvals.models import ApprovalLimit
from wallets.balances.models import Wallet


def reason(code: str = "outage") -> str:
    """A reason code that exists."""
    ReasonCode.objects.get_or_create(code=code, defaults={"title": code.capitalize()})
    return code


def may_alone(user: User, amount: str, *, currency: str = "USD", kind: str = "") -> User:
    """This person needs nobody else up to this amount."""
    role, _ = Group.objects.get_or_create(name=f"up to {amount}")
    ApprovalLimit.objects.get_or_create(role=role, kind=kind, currency=currency, amount=Decimal(amount))
    user.groups.add(role)
    return user


def adjusted(wallet: Wallet, amount: str, *, by: User, kind: str = "GOODWILL", at: datetime = AT, **terms: Any) -> Adjustment:
    """An adjustment that was asked for."""
    code = reason(terms.pop("code", "outage"))
    return adjust_balance(
        wallet=wallet, kind=kind, amount=Decimal(amount), reason_code=code, note="Ticket 7", by=by, at=at, **terms
    )
