"""Adjustments by hand: at once within a role's limit, else after another person's approval; booked as a controller names it."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from metering.usage.void import void_event
from tests.cast import Company
from tests.factories.adjustments import adjusted, may_alone, reason
from tests.factories.approvals import asked
from tests.factories.balances import AT, spend
from tests.factories.events import event_pk, send
from tests.factories.journal import figures, last_entry
from tests.factories.prices import llm_prices
from tests.threads import at_once
from wallets.accounts.models import User
from wallets.adjustments.adjust import AdjustmentEnded, ReasonUnknown, adjust_balance, drop_adjustment, post_approved
from wallets.adjustments.models import Adjustment
from wallets.approvals.decide import approve, decline
from wallets.approvals.models import Approval
from wallets.credit.adjust import NothingOwed
from wallets.credit.fee import CreditExhausted
from wallets.credit.grant import grant_credit
from wallets.errors import InvalidInput
from wallets.holds.place import place_hold

pytestmark = pytest.mark.usefixtures("books_hold")
LATER = AT + timedelta(hours=1)


@pytest.fixture
def clerk(fiona: User) -> User:
    """Fiona may move 100 USD alone."""
    return may_alone(fiona, "100")


def test_goodwill_costs_promotion(acme: Company, clerk: User) -> None:
    adjustment = adjusted(acme.wallet, "20", by=clerk, expires_at=AT + timedelta(days=90))
    assert adjustment.state == "POSTED"
    assert last_entry(acme.wallet) == (
        "GRANT", ["promotional_cost -20.00", "promotional_liability @ compensation 20.00"],
    )  # fmt: skip
    lot = acme.wallet.lots.get()  # type: ignore[attr-defined]
    assert lot.expires_at == AT + timedelta(days=90)
    assert lot.reason.endswith(": Ticket 7")


def test_a_correction_up_is_credit_that_was_owed(acme: Company, clerk: User) -> None:
    spend(acme.wallet, "5")
    adjusted(acme.wallet, "20", by=clerk, kind="CREDIT", code="billing_error")
    assert last_entry(acme.wallet) == (
        "GRANT",
        [
            "adjustments:billing_error -20.00", "prepaid_liability @ paid 20.00", "prepaid_liability @ paid -5.00",
            "overdraft_receivable 5.00",
        ],
    )  # fmt: skip
    assert figures(acme.wallet) == (D(15), D(0))


def test_a_correction_down_takes_credit_as_usage_would(acme: Company, clerk: User) -> None:
    grant_credit(wallet_id=acme.wallet.pk, amount=D(10), kind="paid", at=AT)
    grant_credit(wallet_id=acme.wallet.pk, amount=D(5), kind="promotional", at=AT, priority=10)
    adjusted(acme.wallet, "8", by=clerk, kind="DEBIT", code="fraud")
    assert last_entry(acme.wallet) == (
        "ADJUSTMENT",
        [
            "promotional_liability @ promotional -5.00", "prepaid_liability @ paid -3.00", "promotional_cost 5.00",
            "adjustments:fraud 3.00",
        ],
    )  # fmt: skip
    assert figures(acme.wallet) == (D(7), D(0))


def test_nothing_is_taken_that_is_not_there_or_is_held(acme: Company, clerk: User) -> None:
    grant_credit(wallet_id=acme.wallet.pk, amount=D(10), kind="paid", at=AT)
    grant_credit(wallet_id=acme.wallet.pk, amount=D(50), kind="promotional", at=AT, meters=["llm.input_tokens"])
    place_hold(wallet_id=acme.wallet.pk, amount=D(4), ttl_seconds=600, at=AT)
    with pytest.raises(CreditExhausted, match=r"6\.00 USD can be taken"):
        adjusted(acme.wallet, "6.01", by=clerk, kind="DEBIT")
    adjusted(acme.wallet, "6", by=clerk, kind="DEBIT")


def test_what_is_owed_is_written_off_as_bad_debt(acme: Company, clerk: User) -> None:
    spend(acme.wallet, "30")
    with pytest.raises(NothingOwed, match=r"owes 30\.00 USD"):
        adjusted(acme.wallet, "30.01", by=clerk, kind="WRITE_OFF")
    adjusted(acme.wallet, "30", by=clerk, kind="WRITE_OFF", code="uncollectible")
    assert last_entry(acme.wallet) == (
        "ADJUSTMENT",
        [
            "bad_debt:uncollectible -30.00", "promotional_liability @ compensation 30.00",
            "promotional_liability @ compensation -30.00", "overdraft_receivable 30.00",
        ],
    )  # fmt: skip
    assert figures(acme.wallet) == (D(0), D(0))


def test_usage_that_was_written_off_and_is_taken_back_returns_to_bad_debt(acme: Company, clerk: User) -> None:
    llm_prices(input_tokens="0.01", output_tokens="1")
    send(acme.wallet, ("req_1", {"input_tokens": 3000}))
    adjusted(acme.wallet, "30", by=clerk, kind="WRITE_OFF", code="uncollectible")
    void_event(event_pk=event_pk("req_1"), at=LATER, reason="Sent twice", actor="fiona@vendor.example")
    assert figures(acme.wallet) == (D(0), D(0))
    assert "bad_debt:uncollectible 30.00" in last_entry(acme.wallet)[1]


def test_above_the_limit_it_waits_for_another_person(acme: Company, clerk: User, apollo: User) -> None:
    adjustment = adjusted(acme.wallet, "100.01", by=clerk)
    assert (adjustment.state, figures(acme.wallet)) == ("WAITING", (D(0), D(0)))
    waiting = Approval.objects.get()
    assert (waiting.kind, waiting.subject, waiting.amount) == ("goodwill", adjustment.public_id, D("100.01"))
    approval = approve(approval_id=waiting.public_id, by=apollo, at=LATER)
    post_approved(approval=approval, at=LATER)
    assert figures(acme.wallet) == (D("100.01"), D(0))
    with pytest.raises(AdjustmentEnded):
        post_approved(approval=approval, at=LATER)
    assert figures(acme.wallet) == (D("100.01"), D(0))


def test_a_sum_in_small_pieces_is_a_sum(acme: Company, clerk: User) -> None:
    for _ in range(4):
        assert adjusted(acme.wallet, "25", by=clerk).state == "POSTED"
    assert adjusted(acme.wallet, "0.01", by=clerk).state == "WAITING"
    assert adjusted(acme.wallet, "25", by=clerk, at=AT + timedelta(hours=24, seconds=1)).state == "POSTED"


def test_declined_moves_nothing(acme: Company, clerk: User, apollo: User) -> None:
    adjustment = adjusted(acme.wallet, "500", by=clerk)
    waiting = Approval.objects.get()
    decline(approval_id=waiting.public_id, by=apollo, at=LATER, answer="No ticket")
    drop_adjustment(approval=waiting, at=LATER)
    adjustment.refresh_from_db()
    assert (adjustment.state, adjustment.ended_at, figures(acme.wallet)) == ("DECLINED", LATER, (D(0), D(0)))


def test_bad_input_is_refused_by_name(acme: Company, clerk: User) -> None:
    reason()
    terms: dict[str, Any] = {"wallet": acme.wallet, "kind": "GOODWILL", "amount": D(1), "reason_code": "outage", "note": "x"}
    for wrong in (
        {"amount": D(0)},
        {"amount": D("NaN")},
        {"kind": "GIFT"},
        {"kind": "DEBIT", "expires_at": LATER},
        {"note": ""},
    ):
        with pytest.raises(InvalidInput):
            adjust_balance(**terms | wrong, by=clerk, at=AT)
    with pytest.raises(ReasonUnknown):
        adjust_balance(**terms | {"reason_code": "because"}, by=clerk, at=AT)
    assert not Adjustment.objects.exists()


def test_the_database_guards_what_waits(acme: Company, clerk: User, apollo: User) -> None:
    adjustment = adjusted(acme.wallet, "500", by=clerk)
    row = Adjustment.objects.filter(pk=adjustment.pk)
    with pytest.raises(IntegrityError, match="is not approved"), transaction.atomic():
        row.update(state="POSTED", entry_id=1, ended_at=AT)
    other = asked(by=clerk, subject="thing_9")
    approve(approval_id=other.public_id, by=apollo, at=AT)
    for change in ({"approval": other}, {"approval": None}, {"amount": D(1)}, {"asked_by": apollo}):
        with pytest.raises(ProgrammingError, match="Cannot update"), transaction.atomic():
            row.update(**change)
    with pytest.raises(ProgrammingError, match="Cannot delete"), transaction.atomic():
        row.delete()


@pytest.mark.django_db(transaction=True)
def test_two_halves_posted_at_once_are_seen_as_the_whole(acme: Company, globex: Company, fiona: User) -> None:
    clerk = may_alone(fiona, "100")
    reason()
    answers = at_once([lambda: adjusted(acme.wallet, "60", by=clerk), lambda: adjusted(globex.wallet, "60", by=clerk)])
    assert sorted(one.state for one in answers if isinstance(one, Adjustment)) == ["POSTED", "WAITING"]
