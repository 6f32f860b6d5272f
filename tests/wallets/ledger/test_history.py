"""A wallet's history: what each entry did to the balance, and on what."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.factories.balances import AT, spend, wallet_of
from wallets.credit.grant import grant_credit
from wallets.ledger.history import balance_steps, history_of, history_of_lot

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def test_each_line_says_what_changed_and_what_was_left() -> None:
    wallet = wallet_of("acme", credit="10")
    spend(wallet, "2.5")
    grant_credit(wallet_id=wallet.pk, amount=Decimal(1), kind="promotional", at=AT, reason="Sorry", actor="fiona")
    lines = history_of(wallet_id=wallet.pk, limit=10)
    assert [(line.label, line.change, line.balance_after, line.meters) for line in lines] == [
        ("Credit granted", Decimal(1), Decimal("8.5"), ()),
        ("Usage", Decimal("-2.5"), Decimal("7.5"), (("calls", Decimal("2.5")),)),
        ("Credit granted", Decimal(10), Decimal(10), ()),
    ]
    assert (lines[0].reason, lines[0].actor) == ("Sorry", "fiona")


def test_a_part_of_the_history_knows_what_came_before_it() -> None:
    wallet = wallet_of("acme", credit="10")
    for amount in ("1", "2", "3"):
        spend(wallet, amount)
    first = history_of(wallet_id=wallet.pk, limit=2)
    rest = history_of(wallet_id=wallet.pk, limit=2, before_version=first[-1].wallet_version)
    assert [line.change for line in first + rest] == [Decimal(-3), Decimal(-2), Decimal(-1), Decimal(10)]


def test_a_wallet_that_never_moved_has_no_history() -> None:
    assert history_of(wallet_id=wallet_of("acme").pk, limit=5) == []


def test_a_history_takes_two_queries(django_assert_num_queries: Any) -> None:
    wallet = wallet_of("acme", credit="10")
    for amount in ("1", "2", "3"):
        spend(wallet, amount)
    with django_assert_num_queries(2):
        history_of(wallet_id=wallet.pk, limit=25)


def test_the_steps_of_the_balance_come_oldest_first() -> None:
    wallet = wallet_of("acme", credit="10")
    spend(wallet, "4")
    spend(wallet, "7")
    assert [level for _, level in balance_steps(wallet_id=wallet.pk, limit=2)] == [Decimal(6), Decimal(-1)]


def test_a_lot_lists_what_moved_it() -> None:
    wallet = wallet_of("acme", credit="10")
    spend(wallet, "4")
    lot = wallet.lots.get()
    assert [(line.label, line.change) for line in history_of_lot(lot_pk=lot.pk, limit=5)] == [
        ("Usage", Decimal(-4)),
        ("Credit granted", Decimal(10)),
    ]
