"""Lots as pages show them: those that can be drawn, in the order in which they are, and those that are finished."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

from django.db.models import Case, Count, F, IntegerField, Min, QuerySet, Sum, Value, When

from wallets.credit.models import CreditLot
from wallets.money import ZERO

State = CreditLot.State

SOON: Final = timedelta(days=14)
LABELS: Final[dict[str, str]] = {
    CreditLot.Kind.PAID: "Paid",
    CreditLot.Kind.PROMOTIONAL: "Promotional",
    CreditLot.Kind.TRIAL: "Trial",
    CreditLot.Kind.COMPENSATION: "Compensation",
    CreditLot.Kind.PLAN: "Plan",
}


@dataclass(frozen=True, slots=True)
class LotRow:
    """One lot, in units of `unit_meter` if it is an allowance. `left`: the share that is left, 0 to 100; `soon`: it expires
    within a fortnight."""

    pk: int
    public_id: str
    kind: str
    label: str
    state: str
    unit_meter: str
    amount: Decimal
    remaining: Decimal
    left: Decimal
    price_paid: Decimal
    priority: int
    effective_at: datetime
    expires_at: datetime | None
    soon: bool
    meters: tuple[str, ...]
    reason: str
    source: str


@dataclass(frozen=True, slots=True)
class KindTotal:
    """What a wallet's open lots of one kind hold, and how many they are."""

    kind: str
    label: str
    remaining: Decimal
    lots: int


@dataclass(frozen=True, slots=True)
class EndsSoon:
    """Money that ends within a fortnight: how much, in how many lots, and when the first of them does."""

    amount: Decimal
    lots: int
    first: datetime | None


def lots_in_burn_order(*, wallet_id: int, at: datetime, limit: int, skip: int = 0) -> list[LotRow]:
    """Open and scheduled lots, as a charge would draw them (scheduled ones last); at most `limit`, after the first `skip`."""
    waits = Case(When(state=State.SCHEDULED, then=Value(1)), default=Value(0), output_field=IntegerField())
    paid_last = Case(When(kind=CreditLot.Kind.PAID, then=Value(1)), default=Value(0), output_field=IntegerField())
    lots = _of_wallet(wallet_id).filter(state__in=[State.OPEN, State.SCHEDULED])
    return _rows(
        lots.order_by(waits, "priority", F("expires_at").asc(nulls_last=True), paid_last, "effective_at", "id")[
            skip : skip + limit
        ],
        at,
    )


def finished_lots(*, wallet_id: int, at: datetime, limit: int, skip: int = 0) -> list[LotRow]:
    """Lots that are used up, expired or voided, latest first; at most `limit`, after the first `skip`."""
    finished = [State.EXHAUSTED, State.EXPIRED, State.VOIDED]
    return _rows(_of_wallet(wallet_id).filter(state__in=finished).order_by("-created_at", "-id")[skip : skip + limit], at)


def ends_soon(*, wallet_id: int, at: datetime) -> EndsSoon:
    """What of the wallet's money ends within a fortnight of `at`."""
    found = (
        _of_wallet(wallet_id)
        .filter(state=State.OPEN, unit_meter="", expires_at__isnull=False, expires_at__lte=at + SOON)
        .aggregate(amount=Sum("remaining"), lots=Count("id"), first=Min("expires_at"))
    )
    return EndsSoon(found["amount"] or ZERO, found["lots"], found["first"])


def lot_row(lot: CreditLot, *, at: datetime) -> LotRow:
    """One lot."""
    return _rows([lot], at)[0]


def credit_by_kind(*, wallet_id: int) -> list[KindTotal]:
    """What the wallet holds in money, by kind of credit: paid first, then as drawn. Kinds it does not hold are left out."""
    rows = (
        _of_wallet(wallet_id)
        .filter(state=State.OPEN, unit_meter="")
        .values("kind")
        .annotate(held=Sum("remaining"), lots=Count("id"))
        .order_by("kind")
    )
    order = list(LABELS)
    totals = [KindTotal(row["kind"], LABELS[row["kind"]], row["held"], row["lots"]) for row in rows]
    return sorted(totals, key=lambda total: order.index(total.kind))


def _of_wallet(wallet_id: int) -> QuerySet[CreditLot]:
    return CreditLot.objects.filter(wallet_id=wallet_id)


def _rows(lots: Iterable[CreditLot], at: datetime) -> list[LotRow]:
    return [
        LotRow(
            pk=lot.pk,
            public_id=lot.public_id,
            kind=lot.kind,
            label=LABELS[lot.kind],
            state=lot.state,
            unit_meter=lot.unit_meter,
            amount=lot.amount,
            remaining=lot.remaining,
            left=lot.remaining * 100 / lot.amount if lot.amount else ZERO,
            price_paid=lot.price_paid,
            priority=lot.priority,
            effective_at=lot.effective_at,
            expires_at=lot.expires_at,
            soon=lot.state == State.OPEN and lot.expires_at is not None and lot.expires_at - at <= SOON,
            meters=tuple(lot.meters),
            reason=lot.reason,
            source=lot.source,
        )
        for lot in lots
    ]
