"""Recharge or why not: by table, and whatever the figures."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal as D

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wallets.months import month_of
from wallets.recharge.rules import (
    DECLINES,
    CardFacts,
    Charge,
    Facts,
    NotNow,
    day_after,
    decide_recharge,
    recharge_amount,
)
from wallets.recharge.states import Reason

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)
MONTH_END = datetime(2026, 12, 1, tzinfo=UTC)
FINE = Facts(
    balance=D("4.10"), threshold=D(5), total=D(50), cap=D(200), charged=D(0), month_ends_at=MONTH_END,
    cool_down=timedelta(minutes=5), cards=(CardFacts(1), CardFacts(2)),
)  # fmt: skip


def declined(card: int, times: int, *, hours_ago: int) -> CardFacts:
    return CardFacts(card, times, AT - timedelta(hours=hours_ago))


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, Charge(1)),
        ({"balance": D(5)}, NotNow(Reason.ENOUGH)),
        ({"balance": D("4.999999999999")}, Charge(1)),
        ({"stopped": Reason.OFF}, NotNow(Reason.OFF)),
        ({"in_flight": True}, NotNow(Reason.IN_FLIGHT)),
        ({"charged": D(150)}, Charge(1)),
        ({"charged": D("150.01")}, NotNow(Reason.CAP_REACHED, MONTH_END)),
        ({"total": D("200.01")}, NotNow(Reason.CAP_TOO_SMALL)),
        ({"last_charged_at": AT - timedelta(minutes=5)}, Charge(1)),
        ({"last_charged_at": AT - timedelta(minutes=4)}, NotNow(Reason.COOLING_DOWN, AT + timedelta(minutes=1))),
        # A cap is said before a cool-down: it lasts longer.
        ({"charged": D(200), "last_charged_at": AT}, NotNow(Reason.CAP_REACHED, MONTH_END)),
        ({"cards": ()}, NotNow(Reason.NO_CARD)),
        ({"cards": (declined(1, 1, hours_ago=0), CardFacts(2))}, Charge(2)),
        ({"cards": (declined(1, 1, hours_ago=1), CardFacts(2))}, Charge(1)),
        ({"cards": (declined(1, 2, hours_ago=23),)}, NotNow(Reason.CARD_DECLINED, AT + timedelta(hours=1), 1)),
        ({"cards": (declined(1, DECLINES, hours_ago=999),)}, NotNow(Reason.CARD_STOPPED, None, 1)),
        ({"cards": (declined(1, DECLINES, hours_ago=999), CardFacts(2))}, Charge(2)),
        (
            {"cards": (declined(1, 2, hours_ago=0), declined(2, 1, hours_ago=0))},
            NotNow(Reason.CARD_DECLINED, AT + timedelta(hours=1), 2),
        ),
    ],
)
def test_decisions(changes: dict[str, object], expected: Charge | NotNow) -> None:
    assert decide_recharge(replace(FINE, **changes), at=AT) == expected  # type: ignore[arg-type]


amounts = st.decimals(min_value=0, max_value=500, places=2)
moments = st.integers(min_value=0, max_value=72 * 60).map(lambda minutes: AT - timedelta(minutes=minutes))
cards = st.builds(CardFacts, st.integers(1, 9), st.integers(0, 4), moments)
all_facts = st.builds(
    Facts,
    balance=amounts, threshold=amounts, total=amounts.filter(bool), cap=amounts, charged=amounts,
    month_ends_at=st.just(MONTH_END), in_flight=st.booleans(),
    last_charged_at=st.none() | moments, cool_down=st.sampled_from([timedelta(0), timedelta(hours=2)]),
    cards=st.lists(cards, max_size=2), stopped=st.none() | st.sampled_from(Reason),
)  # fmt: skip


@given(all_facts)
def test_what_is_charged_keeps_every_limit_and_what_is_not_has_a_time_that_is_true(facts: Facts) -> None:
    verdict = decide_recharge(facts, at=AT)
    if isinstance(verdict, Charge):
        assert facts.charged + facts.total <= facts.cap
        assert facts.balance < facts.threshold
        assert not facts.in_flight
        assert facts.stopped is None
        assert facts.last_charged_at is None or facts.last_charged_at + facts.cool_down <= AT
        assert any(card.id == verdict.card_id and not card.stopped for card in facts.cards)
        return
    if verdict.next_at is None:
        return
    assert verdict.next_at > AT
    just_before = verdict.next_at - timedelta(microseconds=1)
    assert decide_recharge(facts, at=just_before) == verdict, "not possible before"
    then = replace(facts, charged=D(0)) if verdict.reason is Reason.CAP_REACHED else facts
    later = decide_recharge(then, at=verdict.next_at)
    assert isinstance(later, Charge) or later.reason is not verdict.reason, "then this stands in the way no more"


@pytest.mark.parametrize(
    ("balance", "amount", "target", "bought"),
    [
        ("4.10", "50", None, "50"),
        ("4.10", None, "60", "55.90"),
        ("4.101", None, "60", "55.90"),  # upward, in steps a card can be charged in
        ("59.999", None, "60", "5"),  # not less than a top-up may be
        ("-2000", None, "60", "1000"),  # nor more
        ("4.10", "2000", None, "1000"),
    ],
)
def test_how_much_is_bought(balance: str, amount: str | None, target: str | None, bought: str) -> None:
    assert recharge_amount(
        balance=D(balance),
        amount=None if amount is None else D(amount),
        target=None if target is None else D(target),
        least=D(5),
        most=D(1000),
        step=D("0.01"),
    ) == D(bought)


def test_a_month_is_of_the_account_s_time_zone() -> None:
    at = datetime(2026, 11, 1, 2, tzinfo=UTC)
    begins_at, ends_at = month_of(at, "America/New_York")
    assert begins_at == datetime(2026, 10, 1, 4, tzinfo=UTC)
    assert ends_at == datetime(2026, 11, 1, 4, tzinfo=UTC)
    assert month_of(at, "UTC") == (datetime(2026, 11, 1, tzinfo=UTC), datetime(2026, 12, 1, tzinfo=UTC))


@pytest.mark.parametrize(
    ("at", "day", "expected"),
    [
        (datetime(2026, 11, 23, 10, tzinfo=UTC), 23, date(2026, 12, 23)),  # this month's has begun
        (datetime(2026, 11, 23, 10, tzinfo=UTC), 24, date(2026, 11, 24)),
        (datetime(2026, 11, 23, 10, tzinfo=UTC), 31, date(2026, 11, 30)),
        (datetime(2027, 1, 31, 10, tzinfo=UTC), 31, date(2027, 2, 28)),
        (datetime(2026, 12, 31, 10, tzinfo=UTC), 1, date(2027, 1, 1)),
    ],
)
def test_the_next_day_of_a_month(at: datetime, day: int, expected: date) -> None:
    assert day_after(at, "UTC", day=day) == expected
