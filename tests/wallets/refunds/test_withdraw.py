"""A customer gets unused credit back, after everybody has had the chance to say no."""

from __future__ import annotations

import re
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from tests.cast import PASSWORD, Company
from tests.factories.alerts import newest_mail
from tests.factories.payments import AT, topped_up
from tests.factories.refunds import LATER, books, used
from tests.fakes.faulty_provider import FaultyProvider
from wallets.accounts.models import User
from wallets.approvals.decide import approve, decline
from wallets.approvals.models import Approval
from wallets.balances.freeze import WalletFrozen, freeze_wallet
from wallets.outbox.models import News
from wallets.payments.models import PaymentMethod
from wallets.payments.providers.contract import RefundOutcome
from wallets.refunds.models import Refund, Withdrawal
from wallets.refunds.pay_out import pay_out_due, pay_out_withdrawal
from wallets.refunds.reauthenticate import PasswordWrong, SecondFactorWrong
from wallets.refunds.refund import MoreThanUnused, refund_top_up
from wallets.refunds.send import send_due_refunds
from wallets.refunds.withdraw import (
    LinkNotValid,
    NothingToWithdraw,
    WithdrawalEnded,
    WithdrawalUnderWay,
    approve_withdrawal,
    cancel_withdrawal,
    confirm_withdrawal,
    decline_withdrawal,
    lapse_withdrawals,
    request_withdrawal,
)

from tests.factories.refunds import WHY  # isort: skip

pytestmark = pytest.mark.django_db
PAYABLE = LATER + timedelta(hours=72)


def asked(company: Company, amount: str, **terms: Any) -> Withdrawal:
    terms = {"password": PASSWORD, "at": LATER} | terms
    return request_withdrawal(wallet=company.wallet, amount=D(amount), user=company.owner, **terms)


def mailed_token(withdrawal: Withdrawal) -> str:
    assert withdrawal.state == "REQUESTED"
    found = re.search(r"/withdraw/confirm/([^/]+)/", newest_mail("withdrawal_requested", at=LATER)[1].text)
    assert found
    return found[1]


def confirmed(company: Company, amount: str) -> Withdrawal:
    return confirm_withdrawal(token=mailed_token(asked(company, amount)), user=company.owner, at=LATER)


def approved(company: Company, amount: str, by: User) -> Withdrawal:
    withdrawal = confirmed(company, amount)
    assert withdrawal.approval is not None
    decided = approve(approval_id=withdrawal.approval.public_id, by=by, at=LATER)
    return approve_withdrawal(approval=decided, at=LATER)


def available(company: Company) -> D:
    company.wallet.refresh_from_db()
    return company.wallet.available


@pytest.fixture
def three_top_ups(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> FaultyProvider:
    """30, 40 and 50, of which 20 are used: 10 of the first are left."""
    for day, amount in enumerate(("30", "40", "50")):
        topped_up(acme.wallet, amount, at=AT + timedelta(minutes=day))
    used(acme.wallet, "20", at=AT + timedelta(hours=1))
    return provider


def test_unused_credit_goes_back_to_the_oldest_payments_first(
    acme: Company, three_top_ups: FaultyProvider, fiona: User
) -> None:
    withdrawal = asked(acme, "65")
    assert available(acme) == 100  # nothing is held yet
    token = mailed_token(withdrawal)
    assert newest_mail("withdrawal_requested", at=LATER)[0] == acme.owner.email
    withdrawal = confirm_withdrawal(token=token, user=acme.owner, at=LATER)
    assert (withdrawal.state, available(acme)) == ("CONFIRMED", 35)
    assert "/withdraw/confirm/" not in newest_mail("withdrawal_requested", at=LATER)[1].text
    decided = approve(approval_id=Approval.objects.get().public_id, by=fiona, at=LATER)
    assert approve_withdrawal(approval=decided, at=LATER).state == "APPROVED"
    assert pay_out_due(at=PAYABLE - timedelta(seconds=1)) == 0
    assert (pay_out_due(at=PAYABLE), pay_out_due(at=PAYABLE)) == (1, 0)
    withdrawal.refresh_from_db()
    assert (withdrawal.state, withdrawal.paid) == ("PAID", 65)
    assert three_top_ups.given_back == [D(10), D(40), D(15)]
    assert list(Refund.objects.order_by("id").values_list("top_up__amount", "credit")) == [
        (D(30), D(10)), (D(40), D(40)), (D(50), D(15)),
    ]  # fmt: skip
    assert available(acme) == 35
    assert books()["cash_clearing:stripe"] == D(-55)
    told = [
        (news.topic, news.payload.get("state")) for news in News.objects.filter(topic__startswith="withdrawal").order_by("id")
    ]
    steps = [("withdrawal_went_on", step) for step in ("confirmed", "approved")]
    assert told == [("withdrawal_requested", None), *steps, ("withdrawal_ended", "paid")]
    with pytest.raises(WithdrawalEnded):
        cancel_withdrawal(withdrawal=withdrawal, at=PAYABLE)


def test_only_who_is_known_again_asks(acme: Company, three_top_ups: FaultyProvider, settings: Any) -> None:
    with pytest.raises(PasswordWrong):
        asked(acme, "10", password="guess")
    settings.SECOND_FACTOR_CHECK = "tests.wallets.refunds.second_factor.check"
    with pytest.raises(SecondFactorWrong):
        asked(acme, "10")
    with pytest.raises(SecondFactorWrong):
        asked(acme, "10", code="000000")
    assert asked(acme, "10", code="123456").second_factor
    with pytest.raises(WithdrawalUnderWay):
        asked(acme, "10", code="123456")


def test_no_more_than_is_paid_for_unused_and_free(acme: Company, three_top_ups: FaultyProvider) -> None:
    with pytest.raises(NothingToWithdraw, match=r"100\.00 USD"):
        asked(acme, "100.01")
    withdrawal = asked(acme, "100")
    token = mailed_token(withdrawal)
    used(acme.wallet, "1", at=LATER)
    with pytest.raises(NothingToWithdraw, match=r"99\.00 USD"):
        confirm_withdrawal(token=token, user=acme.owner, at=LATER)
    cancel_withdrawal(withdrawal=withdrawal, at=LATER)
    freeze_wallet(wallet_id=acme.wallet.pk, at=LATER)
    with pytest.raises(WalletFrozen):
        asked(acme, "10")


def test_the_link_works_once_for_who_asked_and_for_a_day(acme: Company, globex: Company, three_top_ups: FaultyProvider) -> None:
    token = mailed_token(asked(acme, "10"))
    for wrong in ("", "x", token[:-1], token.replace("wdr", "wdx")):
        with pytest.raises(LinkNotValid):
            confirm_withdrawal(token=wrong, user=acme.owner, at=LATER)
    with pytest.raises(LinkNotValid):
        confirm_withdrawal(token=token, user=globex.owner, at=LATER)
    with pytest.raises(LinkNotValid):
        confirm_withdrawal(token=token, user=acme.owner, at=LATER + timedelta(days=1))
    assert confirm_withdrawal(token=token, user=acme.owner, at=LATER).state == "CONFIRMED"
    with pytest.raises(LinkNotValid):
        confirm_withdrawal(token=token, user=acme.owner, at=LATER)


@pytest.mark.parametrize("step", ["requested", "confirmed", "approved"])
def test_it_can_be_cancelled_at_every_step_before_it_is_paid(
    acme: Company, three_top_ups: FaultyProvider, fiona: User, step: str
) -> None:
    make = {"requested": asked, "confirmed": confirmed}
    withdrawal = approved(acme, "65", fiona) if step == "approved" else make[step](acme, "65")
    assert cancel_withdrawal(withdrawal=withdrawal, at=LATER).state == "CANCELLED"
    assert available(acme) == 100
    assert not Approval.objects.filter(state="WAITING").exists()
    assert pay_out_due(at=PAYABLE) == 0
    assert three_top_ups.given_back == []
    assert asked(acme, "100").state == "REQUESTED"


def test_finance_declines_it_and_the_credit_is_free(acme: Company, three_top_ups: FaultyProvider, fiona: User) -> None:
    withdrawal = confirmed(acme, "65")
    decided = decline(approval_id=Approval.objects.get().public_id, by=fiona, at=LATER, answer="Open invoice.")
    assert decline_withdrawal(approval=decided, at=LATER).failure == "Declined: Open invoice."
    assert available(acme) == 100
    with pytest.raises(WithdrawalEnded):
        pay_out_withdrawal(withdrawal=withdrawal, at=PAYABLE)


def test_what_nobody_confirms_or_decides_lapses(acme: Company, three_top_ups: FaultyProvider) -> None:
    asked(acme, "65")
    assert lapse_withdrawals(at=LATER + timedelta(hours=23)) == 0
    assert lapse_withdrawals(at=LATER + timedelta(hours=24)) == 1
    confirmed(acme, "65")
    assert lapse_withdrawals(at=LATER + timedelta(days=33)) == 1
    assert lapse_withdrawals(at=LATER + timedelta(days=33)) == 0
    assert available(acme) == 100
    assert set(Withdrawal.objects.values_list("state", flat=True)) == {"LAPSED"}


def test_the_held_credit_is_safe_from_refunds_and_a_frozen_wallet_is_not_paid(
    acme: Company, three_top_ups: FaultyProvider, fiona: User
) -> None:
    withdrawal = approved(acme, "100", fiona)
    with pytest.raises(MoreThanUnused):
        refund_top_up(top_up=acme.wallet.top_ups.get(amount=50), credit=D(1), why=WHY, at=LATER)
    freeze_wallet(wallet_id=acme.wallet.pk, at=LATER)
    assert pay_out_withdrawal(withdrawal=withdrawal, at=PAYABLE).state == "FAILED"
    assert available(acme) == 100
    assert not Refund.objects.exists()


def test_a_payment_that_cannot_be_refunded_leaves_its_credit(acme: Company, three_top_ups: FaultyProvider, fiona: User) -> None:
    three_top_ups.refunds_end = RefundOutcome.PENDING
    withdrawal = pay_out_withdrawal(withdrawal=approved(acme, "65", fiona), at=PAYABLE)
    assert withdrawal.state == "PAYING"
    for refund_id, outcome in zip(("re_1", "re_2", "re_3"), ("succeeded", "failed", "succeeded"), strict=True):
        three_top_ups.refund_is(refund_id, RefundOutcome(outcome), "expired_or_canceled_card")
    assert send_due_refunds(at=PAYABLE + timedelta(hours=2)) == 3
    withdrawal.refresh_from_db()
    assert (withdrawal.state, withdrawal.paid) == ("FAILED", 25)
    assert withdrawal.failure.startswith("1 of 3 payments")
    assert available(acme) == 75
