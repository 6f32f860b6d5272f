"""What a rule measures, of whom, within which time."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from tests.factories.balances import AT
from wallets.risk.velocity import Limit, Try, check_velocity

HOUR = timedelta(hours=1)


def attempt(**changes: Any) -> Try:
    return Try(**{"at": AT, "account": 1, "card": "fp_1", "address": "192.0.2.1", "amount": D(50), "currency": "USD"} | changes)


def rule(measure: str, limit: str, *, per: str = "ACCOUNT", currency: str = "") -> Limit:
    return Limit(1, "a rule", measure, per, HOUR, D(limit), currency, refuses=True)


@pytest.mark.parametrize(
    ("one", "earlier", "hit"),
    [
        (rule("COUNT", "2"), [{}], False),
        (rule("COUNT", "2"), [{}, {}], True),
        (rule("COUNT", "2"), [{}, {"refused": True}], False),
        (rule("COUNT", "2"), [{}, {"account": 2}], False),
        (rule("COUNT", "2"), [{}, {"at": AT - HOUR}], False),
        (rule("COUNT", "2"), [{}, {"at": AT - HOUR + timedelta(microseconds=1)}], True),
        (rule("COUNT", "0"), [], True),
        (rule("COUNT", "2", per="CARD"), [{"account": 2}, {"account": 3}], True),
        (rule("COUNT", "2", per="CARD"), [{"card": "fp_2"}, {"card": "fp_3"}], False),
        (rule("COUNT", "2", per="ADDRESS"), [{"account": 2}, {"account": 3}], True),
        (rule("COUNT", "2", per="ADDRESS"), [{"address": ""}, {"address": "192.0.2.2"}], False),
        (rule("AMOUNT", "100", currency="USD"), [{}], False),
        (rule("AMOUNT", "100", currency="USD"), [{"amount": D("50.01")}], True),
        (rule("AMOUNT", "100", currency="USD"), [{"amount": D(500), "currency": "JPY"}], False),
        (rule("AMOUNT", "10", currency="JPY"), [], False),
        (rule("CARDS", "2"), [{"card": "fp_2"}, {"card": "fp_2"}], False),
        (rule("CARDS", "2"), [{"card": "fp_2"}, {"card": "fp_3", "refused": True}], True),
        (rule("DECLINES", "1"), [{"declined": True}, {}], False),
        (rule("DECLINES", "1"), [{"declined": True}, {"declined": True}], True),
    ],
)
def test_a_rule_is_broken_above_its_limit(one: Limit, earlier: list[dict[str, Any]], hit: Any) -> None:
    assert bool(check_velocity(attempt(), earlier=[attempt(**each) for each in earlier], rules=[one])) is hit


def test_a_rule_per_card_or_address_leaves_those_alone_that_have_none() -> None:
    rules = [rule("COUNT", "0", per="CARD"), rule("COUNT", "0", per="ADDRESS")]
    assert not check_velocity(attempt(card="", address=""), earlier=[], rules=rules)
    assert [(hit.subject, hit.value) for hit in check_velocity(attempt(), earlier=[], rules=rules)] == [
        ("fp_1", D(1)), ("192.0.2.1", D(1)),
    ]  # fmt: skip
