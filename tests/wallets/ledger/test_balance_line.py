"""Balances at many moments in one query are those of the journal read one by one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories.balances import AT, spend, wallet_of
from wallets.balances.models import Wallet
from wallets.ledger.as_of import balance_as_of
from wallets.ledger.balance_line import balances_at

pytestmark = pytest.mark.django_db


@given(moments=st.lists(st.integers(-60, 400), max_size=30))
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_they_are_what_the_wallet_held(moments: list[int], entries: Wallet) -> None:
    asked = [AT + timedelta(seconds=second) for second in moments]
    one_by_one = [balance_as_of(wallet_id=entries.pk, at=moment).balance for moment in asked]
    assert balances_at(wallet=entries, moments=asked) == one_by_one


@pytest.fixture
def entries(db: None) -> Wallet:
    """A wallet with 12 entries, two of them at one instant; another wallet beside it."""
    wallet, other = wallet_of("acme", credit="100"), wallet_of("globex", credit="7")
    for number in range(11):
        spend(wallet, str(number + 1), at=AT + timedelta(seconds=30 * (number - number // 10)))
        spend(other, "0.1", at=AT + timedelta(seconds=number))
    return Wallet.objects.get(pk=wallet.pk)


def test_a_wallet_that_never_moved_held_nothing(django_assert_num_queries) -> None:
    wallet = Wallet.objects.get(pk=wallet_of("acme").pk)
    with django_assert_num_queries(1):
        assert balances_at(wallet=wallet, moments=[AT, AT]) == [Decimal(0), Decimal(0)]
