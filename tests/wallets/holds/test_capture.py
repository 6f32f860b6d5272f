"""Charging what a hold was for: below, equal, above, late, twice; and what stands behind the promise."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from tests.factories.balances import AT, spend, wallet_of
from tests.factories.holds import figures, hold_on, later
from wallets.accounts.models import Account
from wallets.balances.freeze import freeze_wallet
from wallets.balances.models import Wallet
from wallets.balances.policy import set_policy
from wallets.credit.expire import expire_lots
from wallets.credit.fee import CreditExhausted, charge_fee
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.transfer import NotEnoughCredit, transfer_credit
from wallets.credit.void import CreditHeld, void_lot
from wallets.holds.capture import Captured, capture_amount
from wallets.holds.lapse import lapse_holds
from wallets.holds.models import Hold
from wallets.holds.place import release_hold
from wallets.holds.refusals import CaptureAboveHold, HoldEnded, HoldLapsed, HoldRefused

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]

State = Hold.State


def capture(hold: Hold, amount: str, *, seconds: int = 1, above: str | None = None) -> Captured:
    return capture_amount(hold_public_id=hold.public_id, amount=D(amount), at=later(seconds), above=above)


@pytest.mark.parametrize("amount", ["0", "0.000000000001", "3.5", "4"])
def test_up_to_the_hold_is_charged_and_the_rest_is_back(amount: str) -> None:
    acme = wallet_of("acme", credit="10")
    captured = capture(hold_on(acme, "4"), amount)
    assert (captured.hold.state, captured.charged, captured.hold.captured) == (State.CAPTURED, D(amount), D(amount))
    left = f"{(10 - D(amount)).normalize():f}"
    assert figures(acme) == (left, "0", left)


def test_a_hold_is_a_promise_it_is_charged_even_when_usage_without_holds_took_everything() -> None:
    acme = wallet_of("acme", credit="5")
    hold = hold_on(acme, "5")
    spend(acme, "5")  # usage that did happen is charged, whatever is held
    assert capture(hold, "5").charged == D(5)
    assert figures(acme) == ("-5", "0", "-5")


def test_the_same_capture_again_is_told_of_the_first() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "4")
    first, again = capture(hold, "3"), capture(hold, "3.00", seconds=2)
    assert (first.is_replay, again.is_replay) == (False, True)
    assert (again.charged, again.hold.ended_at) == (D(3), later(1))
    assert figures(acme) == ("7", "0", "7")


def test_another_capture_of_the_same_hold_is_refused() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "4")
    capture(hold, "3")
    with pytest.raises(HoldEnded):
        capture(hold, "1")
    assert figures(acme) == ("7", "0", "7")


def test_above_the_hold_the_excess_is_taken_from_what_is_available() -> None:
    acme = wallet_of("acme", credit="10")
    other = hold_on(acme, "4")
    capture(hold_on(acme, "1"), "6")
    assert figures(acme) == ("4", "4", "0")
    capture(other, "4")
    assert figures(acme) == ("0", "0", "0")


def test_above_the_hold_nothing_is_taken_that_other_holds_have() -> None:
    acme = wallet_of("acme", credit="10")
    hold_on(acme, "4")
    hold = hold_on(acme, "1")
    with pytest.raises(HoldRefused) as refused:
        capture(hold, "6.01")
    assert refused.value.extra["needed"] == "6.01"
    assert refused.value.extra["available"] == "6.00"
    assert figures(acme) == ("10", "5", "5")
    assert Hold.objects.get(pk=hold.pk).state == State.OPEN


def test_above_the_hold_grace_is_the_end() -> None:
    acme = wallet_of("acme", credit="1")
    set_policy(wallet_id=acme.pk, on_empty="grace", grace_limit=D(2), at=AT)
    hold = hold_on(acme, "1")
    with pytest.raises(HoldRefused):
        capture(hold, "3.01")
    capture(hold, "3")
    assert figures(acme) == ("-2", "0", "-2")


def test_above_the_hold_by_policy_nothing_is_charged_and_the_hold_stays() -> None:
    acme = wallet_of("acme", credit="10")
    Account.objects.filter(pk=acme.account_id).update(capture_above="refuse")
    hold = hold_on(acme, "4")
    with pytest.raises(CaptureAboveHold):
        capture(hold, "4.000000000001")
    assert figures(acme) == ("10", "4", "6")
    capture(hold, "4")
    assert figures(acme) == ("6", "0", "6")


def test_above_the_hold_by_policy_the_vendor_bears_the_rest() -> None:
    acme = wallet_of("acme", credit="4")
    captured = capture(hold_on(acme, "4"), "5.5", above="cap")
    assert (captured.charged, captured.forgiven, captured.hold.captured) == (D(4), D("1.5"), D(4))
    assert figures(acme) == ("0", "0", "0")
    compensation = CreditLot.objects.get(kind="compensation")
    assert (compensation.amount, compensation.remaining, compensation.source) == (D("1.5"), D(0), captured.hold.public_id)


def test_what_is_forgiven_does_not_raise_what_alerts_measure_against() -> None:
    acme = wallet_of("acme", credit="100")
    capture(hold_on(acme, "60"), "61", above="cap")
    now = Wallet.objects.get(pk=acme.pk)
    assert (now.balance, now.reference_balance, now.crossing_number) == (D(40), D(100), 1)


def test_a_lapsed_hold_is_charged_while_credit_lasts() -> None:
    acme = wallet_of("acme", credit="10")
    first, second, third = (hold_on(acme, "2", ttl=10) for _ in range(3))
    lapse_holds(at=later(10))
    capture(first, "2", seconds=11)
    hold_on(acme, "7", at=later(11))
    capture(third, "1", seconds=12)
    assert figures(acme) == ("7", "7", "0")
    with pytest.raises(HoldLapsed) as refused:
        capture(second, "0.01", seconds=13)
    assert refused.value.extra == {"needed": "0.01", "available": "0.00"}
    assert Hold.objects.get(pk=second.pk).state == State.LAPSED


def test_a_hold_lapses_at_its_end_not_when_it_is_swept() -> None:
    acme = wallet_of("acme", credit="1")
    hold = hold_on(acme, "1", ttl=10)
    hold_on(acme, "1", at=later(10))
    with pytest.raises(HoldLapsed):
        capture(hold, "1", seconds=10)


def test_a_frozen_wallet_is_charged_for_work_that_was_done() -> None:
    acme = wallet_of("acme", credit="10")
    hold = hold_on(acme, "4")
    freeze_wallet(wallet_id=acme.pk, at=AT)
    assert capture(hold, "4").charged == D(4)


def test_held_credit_can_be_neither_voided_nor_moved() -> None:
    acme = wallet_of("acme", credit="5")
    lot = grant_credit(wallet_id=acme.pk, amount=D(5), kind="paid", at=AT)
    other = wallet_of("acme")
    hold = hold_on(acme, "6", ttl=10)
    with pytest.raises(CreditHeld):
        void_lot(lot_public_id=lot.public_id, at=later(9), reason="")
    with pytest.raises(NotEnoughCredit):
        transfer_credit(from_wallet_id=acme.pk, to_wallet_id=other.pk, amount=D("4.01"), at=later(9))
    transfer_credit(from_wallet_id=acme.pk, to_wallet_id=other.pk, amount=D(4), at=later(9))
    assert void_lot(lot_public_id=lot.public_id, at=later(10), reason="").state == CreditLot.State.VOIDED
    assert Hold.objects.get(pk=hold.pk).state == State.LAPSED


def test_credit_without_a_scope_that_backs_a_hold_stays_where_other_credit_cannot() -> None:
    acme, other = wallet_of("acme", credit="5"), wallet_of("acme")
    lot = CreditLot.objects.get(wallet=acme)
    grant_credit(wallet_id=acme.pk, amount=D(5), kind="trial", at=AT, meters=["tokens"])
    hold_on(acme, "5")
    with pytest.raises(NotEnoughCredit):
        transfer_credit(from_wallet_id=acme.pk, to_wallet_id=other.pk, amount=D("0.01"), at=AT)
    with pytest.raises(CreditExhausted):
        charge_fee(wallet_id=acme.pk, amount=D("0.01"), code="plan", at=AT, reference="sub_1", reason="")
    with pytest.raises(CreditHeld):
        void_lot(lot_public_id=lot.public_id, at=AT, reason="")


def test_credit_that_ends_stays_as_far_as_holds_depend_on_it() -> None:
    acme = wallet_of("acme", credit="5")
    trial = grant_credit(wallet_id=acme.pk, amount=D(5), kind="trial", at=AT, expires_at=later(60))
    hold = hold_on(acme, "8")
    assert expire_lots(at=later(60)) == 0
    assert figures(acme) == ("8", "8", "0")
    assert CreditLot.objects.get(pk=trial.pk).remaining == D(3)
    with pytest.raises(HoldRefused):
        hold_on(acme, "0.01", at=later(61))
    captured = capture(hold, "7", seconds=100)
    assert captured.charged == D(7)
    assert figures(acme) == ("1", "0", "1")
    assert expire_lots(at=later(101)) == 1
    now = Wallet.objects.get(pk=acme.pk)
    assert (now.balance, now.overdraft) == (D(0), D(0))


def test_credit_that_stayed_for_a_hold_leaves_when_it_is_released() -> None:
    acme = wallet_of("acme")
    grant_credit(wallet_id=acme.pk, amount=D(5), kind="trial", at=AT, expires_at=later(60))
    hold = hold_on(acme, "5")
    expire_lots(at=later(60))
    release_hold(hold_public_id=hold.public_id, at=later(61))
    with pytest.raises(HoldRefused):
        hold_on(acme, "0.01", at=later(61))
    expire_lots(at=later(61))
    assert figures(acme) == ("0", "0", "0")


def test_credit_that_came_a_moment_after_the_time_of_the_usage_pays_for_its_hold() -> None:
    """Clocks differ, and whoever waits for the wallet says when it began to wait."""
    acme = wallet_of("acme", credit="1", at=later(10))
    hold = hold_on(acme, "1", at=later(11))
    assert capture(hold, "1", seconds=9).charged == D(1)
    now = Wallet.objects.get(pk=acme.pk)
    assert (now.balance, now.overdraft) == (D(0), D(0))


def test_credit_that_has_ended_cannot_be_held_before_it_is_swept() -> None:
    acme = wallet_of("acme")
    grant_credit(wallet_id=acme.pk, amount=D(5), kind="trial", at=AT, expires_at=later(60))
    with pytest.raises(HoldRefused):
        hold_on(acme, "5", at=later(60))


def test_credit_for_some_meters_backs_only_what_it_may_be_used_for() -> None:
    acme = wallet_of("acme", credit="1")
    grant_credit(wallet_id=acme.pk, amount=D(5), kind="trial", at=AT, meters=["tokens", "calls"])
    for meters in ((), ("images",), ("tokens", "images")):
        with pytest.raises(HoldRefused):
            hold_on(acme, "1.01", meters=meters)
    hold_on(acme, "4", meters=("tokens",))
    with pytest.raises(HoldRefused):
        hold_on(acme, "0.01", meters=("images",))  # captured first, the tokens might take what the images need
    hold_on(acme, "2", meters=("calls", "tokens"))
    assert figures(acme) == ("6", "6", "0")
