"""Lots as pages show them."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest

from tests.factories.balances import AT, spend, wallet_of
from wallets.credit.burn_down import Lot, burn_order
from wallets.credit.grant import grant_credit
from wallets.credit.lot_rows import credit_by_kind, finished_lots, lots_in_burn_order
from wallets.credit.models import CreditLot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def test_lots_are_listed_as_they_are_drawn() -> None:
    wallet = wallet_of("acme")
    for name, kind, priority, days in (
        ("paid, never", "paid", 50, None),
        ("promotional, never", "promotional", 50, None),
        ("paid, soon", "paid", 50, 5),
        ("first", "paid", 1, 300),
        ("paid, later", "paid", 50, 60),
    ):
        expires_at = None if days is None else AT + timedelta(days=days)
        grant_credit(
            wallet_id=wallet.pk, amount=Decimal(1), kind=kind, at=AT, priority=priority, expires_at=expires_at, reason=name
        )
    rows = lots_in_burn_order(wallet_id=wallet.pk, at=AT, limit=10)
    assert [row.reason for row in rows] == ["first", "paid, soon", "paid, later", "promotional, never", "paid, never"]
    drawn = burn_order(
        [
            Lot(lot.pk, lot.kind, lot.priority, lot.effective_at, lot.expires_at, lot.remaining)
            for lot in CreditLot.objects.order_by("id")
        ]
    )
    assert [row.pk for row in rows] == [lot.id for lot in drawn]
    assert [row.soon for row in rows] == [False, True, False, False, False]


def test_a_lot_says_what_share_is_left() -> None:
    wallet = wallet_of("acme", credit="8")
    spend(wallet, "2")
    (row,) = lots_in_burn_order(wallet_id=wallet.pk, at=AT, limit=10)
    assert (row.remaining, row.left) == (Decimal(6), Decimal(75))


def test_scheduled_lots_wait_at_the_end_and_finished_ones_are_apart() -> None:
    wallet = wallet_of("acme", credit="1")
    spend(wallet, "1")
    grant_credit(wallet_id=wallet.pk, amount=Decimal(5), kind="trial", at=AT, effective_at=AT + timedelta(1), priority=1)
    grant_credit(wallet_id=wallet.pk, amount=Decimal(3), kind="paid", at=AT)
    assert [row.state for row in lots_in_burn_order(wallet_id=wallet.pk, at=AT, limit=10)] == ["OPEN", "SCHEDULED"]
    assert [row.state for row in finished_lots(wallet_id=wallet.pk, at=AT, limit=10)] == ["EXHAUSTED"]


def test_credit_by_kind_adds_up_to_the_balance() -> None:
    wallet = wallet_of("acme", credit="8")
    grant_credit(wallet_id=wallet.pk, amount=Decimal(2), kind="promotional", at=AT)
    grant_credit(wallet_id=wallet.pk, amount=Decimal(1), kind="paid", at=AT)
    kinds = credit_by_kind(wallet_id=wallet.pk)
    assert [(one.kind, one.remaining, one.lots) for one in kinds] == [("paid", Decimal(9), 2), ("promotional", Decimal(2), 1)]
    wallet.refresh_from_db()
    assert sum(one.remaining for one in kinds) == wallet.balance
