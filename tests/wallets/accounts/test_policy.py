"""How an account's work is let through."""

from __future__ import annotations

from decimal import Decimal as D
from typing import Any

import pytest

from tests.factories.balances import AT, wallet_of
from wallets.accounts.models import Account
from wallets.accounts.policy import AccountPolicy, set_account_policy
from wallets.errors import InvalidInput
from wallets.outbox.models import News

pytestmark = pytest.mark.django_db


def test_what_is_named_changes_the_rest_stays_and_the_gate_is_told() -> None:
    account = wallet_of("acme").account
    News.objects.all().delete()
    policy = AccountPolicy(on_outage="open", offline_allowance=D("2.5"), final_unit_meters=["calls"])
    set_account_policy(account=account, policy=policy, at=AT)
    now = Account.objects.get(pk=account.pk)
    assert (now.on_outage, now.offline_allowance, now.final_unit_meters) == ("open", D("2.5"), ["calls"])
    assert (now.capture_above, now.final_unit_action, now.final_unit_url) == ("excess", "terminate", "")
    assert News.objects.get().payload == {"account_ids": [account.pk]}


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({}, "policy"), ({"on_outage": "ajar"}, "policy.on_outage"), ({"offline_allowance": D(-1)}, "policy.offline_allowance"),
        ({"capture_above": "never"}, "policy.capture_above"), ({"final_unit_action": "sulk"}, "policy.final_unit_action"),
        ({"final_unit_url": "javascript:alert(1)"}, "policy.final_unit_url"),
        ({"final_unit_meters": ["a", "a"]}, "policy.final_unit_meters"),
    ],
)  # fmt: skip
def test_nonsense_is_named(wrong: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        set_account_policy(account=wallet_of("acme").account, policy=AccountPolicy(**wrong), at=AT)
    assert list(refused.value.fields) == [field]
