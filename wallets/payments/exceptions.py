"""Differences between the provider and the books: opened by the machine, closed by a person who says what was done."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal

from django.db import transaction

from wallets.accounts.models import User
from wallets.errors import Conflict
from wallets.input import Input
from wallets.payments.event_models import PaymentException
from wallets.payments.models import TopUp


class ExceptionClosed(Conflict):
    """Somebody has closed it already."""

    code = "payment_exception_closed"


def open_exception(  # noqa: PLR0913 - a row
    *,
    kind: str,
    provider: str,
    reference: str,
    currency: str,
    expected: Decimal,
    found: Decimal,
    at: datetime,
    top_up: TopUp | None = None,
    detail: str = "",
) -> bool:
    """Open an exception about `reference` unless there is one, closed ones too; whether it is new. Amounts in `currency`."""
    with transaction.atomic():
        if PaymentException.objects.filter(kind=kind, provider=provider, reference=reference).exists():
            return False
        PaymentException.objects.bulk_create(
            [
                PaymentException(
                    kind=kind,
                    provider=provider,
                    reference=reference,
                    top_up=top_up,
                    currency=currency,
                    expected=expected,
                    found=found,
                    detail=detail,
                    opened_at=at,
                )
            ],
            ignore_conflicts=True,
        )
    return True


def take_exception(*, pk: int, by: User) -> None:
    """Say who looks at it; the last one to take it has it. Raises ExceptionClosed."""
    if not PaymentException.objects.filter(pk=pk, closed_at__isnull=True).update(owner=by):
        raise ExceptionClosed("This has been closed already.")


def close_exception(*, pk: int, note: str, actor: str, at: datetime) -> None:
    """Close an exception, saying what was done about it. Raises ExceptionClosed, InvalidInput."""
    check = Input()
    note = check.text("note", note, longest=500, required=True)
    check.refuse()
    closed = PaymentException.objects.filter(pk=pk, closed_at__isnull=True).update(closed_at=at, closed_by=actor, note=note)
    if not closed:
        raise ExceptionClosed("This has been closed already.")
