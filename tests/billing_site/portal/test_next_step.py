"""The one thing to do next: the most pressing that this person can do something about."""

from __future__ import annotations

from dataclasses import fields, replace
from itertools import product
from typing import Any

import pytest

from billing_site.portal.next_step import LEADS_TO, Standing, next_step
from billing_site.portal.urls import urlpatterns

FINE = Standing(
    stopped=False, fresh=False, empty=False, days_left=60, can_pay=True, can_make_keys=True, can_set_alerts=True, has_key=True,
    has_card=True, recharges=True, recharge_asks=False, recharge_failed=False, somebody_is_told=True, ends_soon=False,
)  # fmt: skip


@pytest.mark.parametrize(
    ("otherwise", "step"),
    [
        ({}, ""),
        ({"recharges": False}, "recharge"),
        ({"recharges": False, "has_card": False}, ""),
        ({"recharges": False, "has_card": False, "days_left": 3}, "top_up_soon"),
        ({"recharges": False, "days_left": 7}, "recharge"),
        ({"days_left": 3}, ""),  # it recharges
        ({"days_left": None}, ""),
        ({"fresh": True, "empty": True, "has_key": False}, "first_credit"),
        ({"fresh": True, "empty": True, "has_key": False, "can_pay": False}, "first_key"),
        ({"empty": True, "has_key": False}, "top_up"),
        ({"empty": True, "recharge_failed": True}, "other_card"),
        ({"empty": True, "recharge_asks": True, "recharge_failed": True}, "confirm"),
        ({"has_key": False, "ends_soon": True}, "first_key"),
        ({"ends_soon": True, "somebody_is_told": False}, "use_credit"),
        ({"somebody_is_told": False}, "be_told"),
        ({"somebody_is_told": False, "can_set_alerts": False}, ""),
        ({"stopped": True, "empty": True, "has_key": False}, ""),
    ],
)
def test_what_is_next(otherwise: dict[str, Any], step: str) -> None:
    assert next_step(replace(FINE, **otherwise)) == step


NEEDS = {
    "payments": "can_pay", "top_up": "can_pay", "cards": "can_pay", "auto_recharge": "can_pay", "developers": "can_make_keys",
    "alerts": "can_set_alerts",
}  # fmt: skip


def test_nobody_is_sent_where_they_may_not_go_and_every_step_has_its_page() -> None:
    flags = [field.name for field in fields(Standing) if field.name != "days_left"]
    seen = set()
    for values in product([True, False], repeat=len(flags)):
        standing = Standing(**dict(zip(flags, values, strict=True)), days_left=5)
        step = next_step(standing)
        seen.add(step)
        assert not step or LEADS_TO[step] == "credit" or getattr(standing, NEEDS[LEADS_TO[step]])
    assert seen == {"", *LEADS_TO}
    assert set(LEADS_TO.values()) <= {str(pattern.name) for pattern in urlpatterns}
