"""Bank lines, as an import leaves them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.factories.balances import AT
from wallets.accounts.models import User
from wallets.payments.bank_csv import BankRow
from wallets.payments.bank_models import BankLine
from wallets.payments.wire import take_in


def row(**changes: Any) -> BankRow:
    """A line of 50 USD from Acme GmbH that says nothing."""
    terms = {"booked": AT.date(), "amount": Decimal(50), "currency": "USD", "bank_id": "b_1", "payer": "Acme GmbH", "text": ""}
    return BankRow(**terms | changes)


def bank_line(*, by: User, at: datetime = AT, **changes: Any) -> BankLine:
    """A line that was taken in."""
    (taken,) = take_in([row(**changes)], by=by, at=at)
    assert taken.line is not None
    return BankLine.objects.get(pk=BankLine.objects.get(public_id=taken.line.public_id).pk)
