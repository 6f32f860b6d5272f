"""Auto-recharge over HTTP: the rule, the schedule, the log."""

from __future__ import annotations

from typing import Any

import pytest

from tests.cast import Company
from tests.factories.payments import AT
from tests.fakes.faulty_provider import FaultyProvider
from wallets import clock
from wallets.payments.models import PaymentMethod
from wallets.recharge.sweep import sweep_recharges

pytestmark = pytest.mark.django_db
RULE = {"threshold": "5", "amount": "50", "monthly_cap": "200"}


def path(acme: Company, what: str) -> str:
    return f"/wallets/{acme.wallet.public_id}/{what}"


def test_a_rule_is_set_read_and_replaced(acme: Company, card: PaymentMethod) -> None:
    none = acme.api.get(path(acme, "auto-recharge")).json()
    assert (none["is_on"], none["threshold"], none["amount"]) == (False, None, None)
    answer = acme.api.put(path(acme, "auto-recharge"), RULE)
    assert answer.status_code == 200, answer.content
    rule = answer.json()
    assert (rule["is_on"], rule["threshold"], rule["amount"], rule["monthly_cap"]) == (True, "5.00", "50.00", "200.00")
    assert rule == acme.api.get(path(acme, "auto-recharge")).json()
    changed = acme.api.put(
        path(acme, "auto-recharge"), {"threshold": "5", "target": "60", "monthly_cap": "200", "is_on": False}
    )
    assert (changed.json()["is_on"], changed.json()["amount"], changed.json()["target"]) == (False, None, "60.00")


@pytest.mark.parametrize(
    ("changes", "field"),
    [({"amount": "1"}, "amount"), ({"monthly_cap": "49"}, "monthly_cap"), ({"target": "60"}, "amount"), ({"sum": "1"}, "sum")],
)
def test_a_rule_that_cannot_work_names_the_field(
    acme: Company, card: PaymentMethod, changes: dict[str, Any], field: str
) -> None:
    answer = acme.api.put(path(acme, "auto-recharge"), RULE | changes)
    assert (answer.status_code, list(answer.json()["errors"])) == (422, [field])


def test_the_log_says_what_was_decided(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    provider.declines[card.provider_id] = "insufficient_funds"
    with clock.set_to(AT):
        acme.api.put(path(acme, "auto-recharge"), RULE)
    sweep_recharges(at=AT)
    sweep_recharges(at=AT)
    said = acme.api.get(path(acme, "recharge-decisions")).json()["data"]
    assert [one["text"] for one in said] == [
        "balance 0.00 below 5.00; not recharged: Visa •••• 4242 was declined, next possible 2 Nov 01:00",
        "balance 0.00 below 5.00; 50.00 not charged to Visa •••• 4242: there is not enough money on the card",
    ]
    assert [(one["status"], one["reason"], one["next_at"]) for one in said] == [
        ("not_done", "card_declined", "2026-11-02T01:00:00Z"),
        ("failed", "", None),
    ]
    assert (said[0]["top_up"], said[1]["top_up"][:4]) == (None, "top_")


def test_a_schedule_is_set_and_read(acme: Company, card: PaymentMethod) -> None:
    assert acme.api.get(path(acme, "scheduled-top-up")).json()["is_on"] is False
    with clock.set_to(AT):
        answer = acme.api.put(path(acme, "scheduled-top-up"), {"amount": "100", "day": 31})
    assert (answer.status_code, answer.json()["next_at"], answer.json()["day"]) == (200, "2026-11-30T00:00:00Z", 31)
    assert acme.api.put(path(acme, "scheduled-top-up"), {"amount": "100", "day": 32}).status_code == 422
