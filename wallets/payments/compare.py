"""Compare our account with the provider with the books, every day: each charge there is one top-up with its credit here, each
credit here that came through the provider is one charge there, and the amounts agree. Each difference is an exception item."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from wallets.credit.models import CreditLot
from wallets.payments.event_models import PaymentException
from wallets.payments.exceptions import open_exception
from wallets.payments.models import TopUp
from wallets.payments.providers.contract import MoneyMoved
from wallets.payments.providers.registry import card_provider, takes_cards
from wallets.payments.states import PAID

Kind = PaymentException.Kind
# Looked over again each day, so that a day on which nobody could ask is made up.
WINDOW: Final = timedelta(days=7)
# Money that arrived this moment may still be on its way into the books.
SETTLING: Final = timedelta(minutes=10)
_CHARGES: Final = ("charge", "payment")


def compare_with_provider(*, at: datetime) -> int:
    """Open an exception for each difference of the last WINDOW; how many are new. Raises ProviderUnavailable."""
    if not takes_cards():
        return 0
    provider = card_provider()
    since = at - WINDOW
    lines = [one for one in provider.money_moved(since=since) if one.kind in _CHARGES]
    opened = sum(_compare_line(provider.name, one, at=at) for one in lines if one.at <= at - SETTLING)
    seen = {one.payment_id for one in lines}
    return opened + _credit_without_payment(provider.name, seen, since=since, at=at)


def _compare_line(provider: str, line: MoneyMoved, *, at: datetime) -> int:
    """One charge at the provider."""
    top_up = TopUp.objects.select_related("lot").filter(provider=provider, payment_id=line.payment_id).first()
    if not line.payment_id or top_up is None:
        return _differs(provider, line, Kind.PAYMENT_UNKNOWN, None, Decimal(0), "A charge that no top-up asked for.", at=at)
    if top_up.state not in PAID or top_up.lot is None:
        what = f"The money arrived; top-up {top_up.public_id} has no credit."
        return _differs(provider, line, Kind.MISSING_CREDIT, top_up, top_up.total, what, at=at)
    if top_up.currency != line.currency or top_up.total != line.amount:
        what = f"Top-up {top_up.public_id} is of another amount than was charged."
        return _differs(provider, line, Kind.AMOUNT_DIFFERS, top_up, top_up.total, what, at=at)
    if top_up.lot.amount != top_up.amount or top_up.lot.price_paid != top_up.amount:
        what = f"Lot {top_up.lot.public_id} is of another amount than its top-up."
        return _differs(provider, line, Kind.AMOUNT_DIFFERS, top_up, top_up.amount, what, at=at)
    return 0


def _credit_without_payment(provider: str, seen: set[str], *, since: datetime, at: datetime) -> int:
    """Paid credit in the books that came through the provider, without a charge there."""
    lots = CreditLot.objects.select_related("wallet", "top_up").filter(
        source=provider, kind=CreditLot.Kind.PAID, created_at__gte=since + SETTLING, created_at__lte=at - SETTLING
    )
    opened = 0
    for lot in lots.order_by("id").iterator(chunk_size=1_000):
        top_up = getattr(lot, "top_up", None)
        if top_up is not None and (top_up.payment_id in seen or top_up.created_at < since + SETTLING):
            continue
        opened += open_exception(
            kind=Kind.CREDIT_WITHOUT_PAYMENT,
            provider=provider,
            reference=lot.public_id,
            top_up=top_up,
            currency=lot.wallet.currency,
            expected=lot.price_paid,
            found=Decimal(0),
            detail=f"Credit came in through {provider} in lot {lot.public_id}, and no charge there is behind it.",
            at=at,
        )
    return opened


def _differs(
    provider: str, line: MoneyMoved, kind: str, top_up: TopUp | None, expected: Decimal, what: str, *, at: datetime
) -> int:
    return open_exception(
        kind=kind,
        provider=provider,
        reference=line.payment_id or line.id,
        top_up=top_up,
        currency=line.currency,
        expected=expected,
        found=line.amount,
        detail=what,
        at=at,
    )
