"""Review items, as screening leaves them."""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from django.db import transaction

from tests.factories.balances import AT
from wallets.balances.models import Wallet
from wallets.ids import new_public_id
from wallets.risk.models import ReviewItem, VelocityRule
from wallets.risk.screen import Candidate, screen_top_up


def velocity_rule(measure: str = "COUNT", limit: str = "2", **terms: Any) -> VelocityRule:
    """The only rule there is, by the hour and account."""
    VelocityRule.objects.all().delete()
    terms = {"name": "the rule", "per": "ACCOUNT"} | terms
    return VelocityRule.objects.create(measure=measure, limit=Decimal(limit), **terms)


def reviewed(wallet: Wallet, *, at: datetime = AT, then: str = "REVIEW") -> ReviewItem:
    """A review item about the account of this wallet."""
    velocity_rule(limit="0", then=then)
    top_up = new_public_id("top")
    candidate = Candidate(top_up, wallet.account, wallet, "fp_1", "192.0.2.1", Decimal(50), wallet.currency)
    with transaction.atomic():
        screen_top_up(candidate, at=at)
    return ReviewItem.objects.get(top_up=top_up)
