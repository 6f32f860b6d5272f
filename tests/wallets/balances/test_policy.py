"""What happens when a wallet is empty."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from tests.cast import Company, days_after_opening
from wallets.balances.policy import set_policy
from wallets.errors import InvalidInput

AT = days_after_opening(1)


def test_parts_that_are_left_out_stay(acme: Company) -> None:
    set_policy(wallet_id=acme.wallet.pk, at=AT, on_empty="grace", grace_limit=D("5"))
    wallet = set_policy(wallet_id=acme.wallet.pk, at=AT, throttle_per_minute=3)
    assert (wallet.on_empty, wallet.grace_limit, wallet.throttle_per_minute) == ("grace", D("5"), 3)


@pytest.mark.parametrize(
    ("part", "value"),
    [
        ("on_empty", "explode"),
        ("grace_limit", D("-0.01")),
        ("grace_limit", D("NaN")),
        ("grace_limit", D("1e30")),
        ("grace_limit", D("0.0000000000001")),
        ("throttle_per_minute", 0),
        ("throttle_per_minute", 10**9),
    ],
)
def test_what_is_not_acceptable_is_refused_by_name(acme: Company, part: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_policy(wallet_id=acme.wallet.pk, at=AT, **{part: value})
    assert list(refused.value.fields) == [f"policy.{part}"]


def test_a_policy_without_any_part_is_refused(acme: Company) -> None:
    with pytest.raises(InvalidInput):
        set_policy(wallet_id=acme.wallet.pk, at=AT)
