"""Money goes back to what it came from, once, with its share of everything."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT, saved_card, topped_up
from tests.factories.refunds import LATER, WHY, books, finance_of, used
from tests.fakes.faulty_provider import FaultyProvider
from wallets.accounts.models import User
from wallets.accounts.open import open_account
from wallets.approvals.decide import approve, decline
from wallets.approvals.models import ApprovalLimit
from wallets.balances.open import open_wallet
from wallets.errors import InvalidInput
from wallets.holds.place import place_hold
from wallets.idempotency.claim import KeyReused
from wallets.outbox.models import News
from wallets.payments.manual import record_payment
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.offer_models import BonusSlab, TaxRate, TopUpTerms
from wallets.payments.providers.contract import RefundOutcome
from wallets.refunds.handle_event import look_at_payment
from wallets.refunds.models import Refund
from wallets.refunds.refund import MoreThanUnused, NotRefundable, Why, carry_out_refund, drop_refund, refund_top_up
from wallets.refunds.send import send_due_refunds, send_refund
from wallets.refunds.settle import NotByHand, confirm_sent
from wallets.refunds.shares import NOTHING, Parts, parts_of_credit, parts_of_money

pytestmark = pytest.mark.django_db


def refunded(top_up: TopUp, credit: str, **terms: Any) -> Refund:
    refund = refund_top_up(top_up=top_up, credit=D(credit), why=WHY, at=LATER, **terms)
    return send_refund(refund=refund, at=LATER)


def balance_of(company: Company) -> D:
    company.wallet.refresh_from_db()
    return company.wallet.balance


def test_a_refund_takes_the_credit_and_sends_the_money(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    used(acme.wallet, "20")
    refund = refunded(top_up, "30")
    assert (refund.state, refund.total, refund.from_lot, refund.owed) == ("SUCCEEDED", D(30), D(30), D(0))
    assert provider.given_back == [D(30)]
    assert balance_of(acme) == 0
    assert books()["cash_clearing:stripe"] == D(-20)
    assert "refunds" not in books()  # all of it has left
    assert TopUp.objects.get().state == "SUCCEEDED"
    assert News.objects.filter(topic="refund_succeeded").count() == 1


def test_what_was_used_does_not_go_back(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    used(acme.wallet, "20.005")
    with pytest.raises(MoreThanUnused, match=r"29\.99 USD"):
        refunded(top_up, "30")
    place_hold(wallet_id=acme.wallet.pk, amount=D(10), ttl_seconds=600, at=AT)
    with pytest.raises(MoreThanUnused, match=r"19\.99 USD"):  # what is held may be needed
        refund_top_up(top_up=top_up, credit=D(20), why=WHY, at=AT)
    with pytest.raises(InvalidInput) as finer:
        refunded(top_up, "1.005")
    assert "steps" in finer.value.fields["amount"]
    assert not Refund.objects.exists()
    assert provider.given_back == []


def test_parts_of_a_payment_go_back_with_tax_and_bonus_and_the_fee_stays(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    top_up = taxed_top_up(acme)
    assert (top_up.amount, top_up.tax, top_up.fee, top_up.bonus) == (D(100), D("19.61"), D("3.20"), D(5))
    parts = [refunded(top_up, credit) for credit in ("33.33", "33.33", "33.34")]
    assert [one.tax for one in parts] == [D("6.54"), D("6.53"), D("6.54")]
    assert sum(one.tax for one in parts) == D("19.61")
    assert [one.fee for one in parts] == [D(0), D(0), D(0)]
    assert [one.bonus for one in parts] == [D("1.6665"), D("1.6665"), D("1.667")]
    assert provider.given_back == [D("39.87"), D("39.86"), D("39.88")]
    assert balance_of(acme) == 0
    assert TopUp.objects.get().state == "REFUNDED"
    assert books() == {"cash_clearing:stripe": D("-3.20"), "fees:top_up": D("3.20")}
    with pytest.raises(NotRefundable):
        refunded(top_up, "1")


def test_a_fee_goes_back_where_the_vendor_says_so_and_used_bonus_stays_given(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, settings: Any
) -> None:
    settings.REFUNDS_RETURN_FEE = True
    top_up = taxed_top_up(acme)
    used(acme.wallet, "4")  # the bonus is drawn first
    refund = refunded(top_up, "100")
    assert (refund.total, refund.fee, refund.bonus) == (D("122.81"), D("3.20"), D(1))
    assert balance_of(acme) == 0
    assert books() == {"promotional_cost": D(-4), "revenue:calls": D(4)}


def taxed_top_up(acme: Company) -> TopUp:
    acme.account.country = "DE"
    acme.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=D(19), effective_at=OPENED_AT)
    terms = TopUpTerms.objects.create(
        currency="USD", minimum=D(10), maximum=D(1000), suggested=[D(10)], fee_percent=D("2.9"), fee_fixed=D("0.30")
    )
    BonusSlab.objects.create(terms=terms, from_amount=D(100), percent=D(5))
    return topped_up(acme.wallet, "100").top_up


@pytest.mark.parametrize(("currency", "paid", "back", "total", "refused"), [
    ("JPY", "5000", "1234", "1357", "0.5"),  # 10 % tax: 123.4
    ("KWD", "5.25", "1.11", "1.22", "1.115"),  # 0.111 in steps of 0.01
])  # fmt: skip
def test_money_goes_back_in_the_steps_of_its_currency(
    provider: FaultyProvider, currency: str, paid: str, back: str, total: str, refused: str
) -> None:
    account = open_account(key="abroad", name="Abroad", at=OPENED_AT, currency=currency, country="XX")
    wallet = open_wallet(account=account, currency=currency, at=OPENED_AT)
    TaxRate.objects.create(country="XX", name="VAT", percent=D(10), effective_at=OPENED_AT)
    saved_card(account)
    top_up = topped_up(wallet, paid).top_up
    assert refunded(top_up, back).total == D(total)
    with pytest.raises(InvalidInput) as finer:
        refunded(top_up, refused)
    assert "steps" in finer.value.fields["amount"]
    rest = refunded(top_up, str(D(paid) - D(back)))
    assert sum(provider.given_back) == top_up.total
    assert (rest.state, TopUp.objects.get().state) == ("SUCCEEDED", "REFUNDED")


def test_the_same_key_is_the_same_refund(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    first, again = refunded(top_up, "10", request_key="k"), refunded(top_up, "10", request_key="k")
    assert first.pk == again.pk
    assert provider.given_back == [D(10)]
    with pytest.raises(KeyReused):
        refunded(top_up, "11", request_key="k")


@pytest.mark.parametrize("when", ["before", "after"])
def test_a_provider_that_does_not_answer_gives_back_once(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, when: Any
) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    provider.faults.append(("create_refund", when))
    refund = refunded(top_up, "30")
    assert refund.state == "CREATED"
    assert balance_of(acme) == 20  # nobody can spend it meanwhile
    provider._answers.clear()  # the key is forgotten after a day
    assert send_due_refunds(at=LATER) == 0  # not yet
    assert send_due_refunds(at=LATER + timedelta(minutes=2)) == 1
    refund.refresh_from_db()
    assert (refund.state, provider.given_back) == ("SUCCEEDED", [D(30)])


def test_a_refund_that_fails_puts_everything_back(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    top_up = taxed_top_up(acme)
    before, credit = books(), balance_of(acme)
    provider.refuses_refunds = True
    assert refunded(top_up, "60").state == "FAILED"
    assert (books(), balance_of(acme)) == (before, credit)
    provider.refuses_refunds, provider.refunds_end = False, RefundOutcome.PENDING
    refund = refunded(top_up, "100")
    assert (refund.state, balance_of(acme)) == ("PENDING", 0)
    for outcome in (RefundOutcome.SUCCEEDED, RefundOutcome.FAILED):  # the bank sends it back weeks later
        provider.refund_is("re_1", outcome, "expired_or_canceled_card")
        Refund.objects.filter(pk=refund.pk, state="PENDING").update(next_try_at=LATER)
        if outcome is RefundOutcome.FAILED:
            look_at_payment(provider, "pi_1", at=LATER)
        else:
            send_due_refunds(at=LATER)
    refund.refresh_from_db()
    assert (refund.state, refund.failure_code) == ("FAILED", "expired_or_canceled_card")
    assert (books(), balance_of(acme)) == (before, credit)
    assert TopUp.objects.get().state == "SUCCEEDED"


def test_credit_that_comes_back_repays_what_is_owed(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    provider.refunds_end = RefundOutcome.PENDING
    top_up = topped_up(acme.wallet, "50").top_up
    refund = refunded(top_up, "50")
    used(acme.wallet, "20")
    acme.wallet.refresh_from_db()
    assert acme.wallet.overdraft == 20
    provider.refund_is("re_1", RefundOutcome.FAILED)
    send_due_refunds(at=LATER + timedelta(hours=2))
    refund.refresh_from_db()
    acme.wallet.refresh_from_db()
    assert (refund.state, acme.wallet.balance, acme.wallet.overdraft) == ("FAILED", 30, 0)


def test_above_the_limit_of_ones_role_a_second_person_approves(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, fiona: User, apollo: User
) -> None:
    ApprovalLimit.objects.create(role=finance_of(fiona), currency="USD", amount=D(10))
    top_up = topped_up(acme.wallet, "50").top_up
    used(acme.wallet, "30")
    why = Why("duplicate", by=fiona)
    assert refund_top_up(top_up=top_up, credit=D(5), why=why, at=LATER).state == "CREATED"
    waiting = refund_top_up(top_up=top_up, credit=D(12), why=why, at=LATER)
    assert (waiting.state, balance_of(acme)) == ("WAITING", 15)
    with pytest.raises(MoreThanUnused, match=r"3\.00 USD"):  # what waits is spoken for
        refund_top_up(top_up=top_up, credit=D(4), why=why, at=LATER)
    assert waiting.approval is not None
    decided = approve(approval_id=waiting.approval.public_id, by=apollo, at=LATER)
    assert carry_out_refund(approval=decided, at=LATER).state == "CREATED"
    assert balance_of(acme) == 3
    override = refund_top_up(top_up=top_up, credit=D(20), why=why, at=LATER, overrides=True)
    assert override.approval is not None
    decided = decline(approval_id=override.approval.public_id, by=apollo, at=LATER, answer="No.")
    assert drop_refund(approval=decided, at=LATER).state == "DECLINED"
    assert send_due_refunds(at=LATER) == 2
    assert provider.given_back == [D(5), D(12)]


def test_finance_may_override_and_what_was_used_is_owed(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, fiona: User, apollo: User
) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    used(acme.wallet, "30")
    why = Why("goodwill", by=fiona)
    with pytest.raises(MoreThanUnused):
        refund_top_up(top_up=top_up, credit=D("50.01"), why=why, at=LATER, overrides=True)
    waiting = refund_top_up(top_up=top_up, credit=D(50), why=why, at=LATER, overrides=True)
    assert waiting.approval is not None
    carry_out_refund(approval=approve(approval_id=waiting.approval.public_id, by=apollo, at=LATER), at=LATER)
    send_due_refunds(at=LATER)
    acme.wallet.refresh_from_db()
    refund = Refund.objects.get()
    assert (refund.state, refund.from_lot, refund.owed) == ("SUCCEEDED", D(20), D(30))
    assert (acme.wallet.balance, acme.wallet.overdraft, TopUp.objects.get().state) == (-30, 30, "REFUNDED")


def test_what_was_wired_is_sent_back_by_finance(acme: Company, provider: FaultyProvider) -> None:
    top_up = record_payment(
        wallet=acme.wallet, amount=D(80), means="wire", reference="W-1", at=AT, actor="fiona@example.com"
    )  # fmt: skip
    refund = refunded(top_up, "80")
    assert (refund.state, send_due_refunds(at=LATER + timedelta(days=2))) == ("CREATED", 0)
    assert books()["refunds"] == D(80)  # what we owe until it is sent
    for _ in range(2):
        refund = confirm_sent(refund=refund, reference="OUT-7", actor="fiona@example.com", at=LATER)
    assert (refund.state, refund.provider_ref, books()) == ("SUCCEEDED", "wire:OUT-7", {})
    assert TopUp.objects.get().state == "REFUNDED"
    carded = saved_card(acme.account)
    assert carded
    by_card = refunded(topped_up(acme.wallet, "20").top_up, "20")
    with pytest.raises(NotByHand):
        confirm_sent(refund=by_card, reference="OUT-8", actor="fiona@example.com", at=LATER)


AMOUNTS = st.integers(0, 50_000).map(lambda cents: D(cents) / 100)


@given(credit=st.integers(1, 50_000), tax=AMOUNTS, fee=AMOUNTS, bonus=AMOUNTS, with_fee=st.booleans(), data=st.data())
def test_whatever_the_parts_together_they_are_the_payment(
    *, credit: int, tax: D, fee: D, bonus: D, with_fee: bool, data: st.DataObject
) -> None:
    payment = Parts(D(credit) / 100, tax, fee, bonus)
    gone = NOTHING
    for number in range(6):
        if gone.credit == payment.credit:
            break
        if data.draw(st.booleans()):
            most = int((payment.credit - gone.credit) * 100)
            part = D(most if number == 5 else data.draw(st.integers(1, most))) / 100
            parts = parts_of_credit(payment, gone, part, currency="USD", with_fee=with_fee)
            assert parts.credit == part
        else:
            most = int((payment.money - gone.money) * 100)
            part = D(most if number == 5 else data.draw(st.integers(1, most))) / 100
            parts = parts_of_money(payment, gone, part, currency="USD", with_fee=with_fee)
            assert parts.money == part
        assert min(parts.credit, parts.tax, parts.fee, parts.bonus) >= 0
        gone = gone.plus(parts)
        assert gone.tax <= payment.tax
        assert gone.fee <= payment.fee
    if gone.money < payment.money:  # the bank takes the rest: a fee that refunds do not return
        gone = gone.plus(parts_of_money(payment, gone, payment.money - gone.money, currency="USD", with_fee=with_fee))
    assert (gone.credit, gone.tax, gone.fee, gone.bonus) == (payment.credit, payment.tax, payment.fee, payment.bonus)


def test_the_bank_taking_more_than_was_paid_is_owed() -> None:
    payment = Parts(D(50), D(5), D(1), D(2))
    assert parts_of_money(payment, NOTHING, D(60), currency="USD", with_fee=False) == Parts(D(54), D(5), D(1), D(2))
