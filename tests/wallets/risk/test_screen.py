"""Top-ups are screened before money moves: refused or held, and never in silence."""

from __future__ import annotations

import threading
from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest
from django.db import IntegrityError, transaction

from tests.cast import Company
from tests.factories.payments import AT, new_top_up, saved_card, topped_up
from tests.factories.reviews import velocity_rule
from tests.fakes.faulty_provider import FaultyProvider
from tests.threads import at_once
from wallets.accounts.models import User
from wallets.holds.models import Hold
from wallets.payments.models import PaymentMethod, TopUp
from wallets.risk import screen
from wallets.risk.models import ReviewItem, TopUpAttempt, TrustTier, VelocityRule
from wallets.risk.review import ReviewDecided, clear_review, confirm_review, take_review
from wallets.risk.screen import TrustLimit, VelocityExceeded, network_of, purge_attempts

pytestmark = pytest.mark.django_db


def test_what_is_too_much_is_refused_and_looked_at(acme: Company, card: PaymentMethod) -> None:
    velocity_rule()
    for _ in range(2):
        new_top_up(acme.wallet)
    for _ in range(3):
        with pytest.raises(VelocityExceeded):
            new_top_up(acme.wallet, address="192.0.2.9")
    assert TopUp.objects.count() == 2
    item = ReviewItem.objects.get()
    assert (item.rule, item.account, item.hits, item.state, item.holds_credit) == ("the rule", acme.account, 3, "OPEN", False)
    assert item.found == "3 attempts by one account within 60 minutes; the rule allows 2."
    assert TopUpAttempt.objects.filter(outcome="REFUSED", address="192.0.2.9").count() == 3
    new_top_up(acme.wallet, at=AT + timedelta(hours=1))


def test_a_card_is_counted_whoever_saved_it(
    acme: Company, globex: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    velocity_rule(per="CARD", limit="1")
    other = saved_card(globex.account)
    PaymentMethod.objects.filter(pk=other.pk).update(fingerprint=card.fingerprint)
    new_top_up(acme.wallet)
    with pytest.raises(VelocityExceeded):
        new_top_up(globex.wallet)


def test_declines_count_and_what_was_paid_does_not(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    velocity_rule("DECLINES", "1")
    topped_up(acme.wallet)
    for _ in range(2):
        provider.declines[card.provider_id] = "card_declined"
        assert topped_up(acme.wallet).top_up.state == "FAILED"
    with pytest.raises(VelocityExceeded):
        topped_up(acme.wallet)


def test_auto_recharge_is_left_alone_unless_the_rule_says_so(acme: Company, card: PaymentMethod) -> None:
    one = velocity_rule(limit="0")
    new_top_up(acme.wallet, origin=TopUp.Origin.RECHARGE)
    new_top_up(acme.wallet, origin=TopUp.Origin.FEE)
    VelocityRule.objects.filter(pk=one.pk).update(machine_too=True)
    with pytest.raises(VelocityExceeded):
        new_top_up(acme.wallet, origin=TopUp.Origin.RECHARGE)
    VelocityRule.objects.filter(pk=one.pk).update(is_active=False)
    new_top_up(acme.wallet)


def test_credit_under_review_is_held_until_it_is_cleared(acme: Company, card: PaymentMethod, fiona: User) -> None:
    velocity_rule("AMOUNT", "60", currency="USD", then="REVIEW")
    topped_up(acme.wallet, "50")
    topped_up(acme.wallet, "40")
    acme.wallet.refresh_from_db()
    assert (acme.wallet.balance, acme.wallet.held) == (D(90), D(40))
    topped_up(acme.wallet, "10", at=AT + timedelta(hours=5))
    acme.wallet.refresh_from_db()
    assert acme.wallet.available == D(50)
    item = ReviewItem.objects.get()
    take_review(review_id=item.public_id, by=fiona)
    done = clear_review(review_id=item.public_id, by=fiona, note="Called them", at=AT + timedelta(hours=6))
    assert (done.state, done.owner, done.decided_by, done.note) == ("CLEARED", fiona, fiona, "Called them")
    acme.wallet.refresh_from_db()
    assert (acme.wallet.available, acme.wallet.held) == (D(100), D(0))
    assert set(Hold.objects.values_list("state", flat=True)) == {"RELEASED"}
    with pytest.raises(ReviewDecided):
        confirm_review(review_id=item.public_id, by=fiona, note="Again", at=AT)


def test_what_is_confirmed_stays_held(acme: Company, card: PaymentMethod, fiona: User) -> None:
    velocity_rule("AMOUNT", "60", currency="USD", then="REVIEW")
    topped_up(acme.wallet, "90")
    confirm_review(review_id=ReviewItem.objects.get().public_id, by=fiona, note="Stolen card", at=AT)
    acme.wallet.refresh_from_db()
    assert (acme.wallet.balance, acme.wallet.available) == (D(90), D(0))
    topped_up(acme.wallet, "10", at=AT + timedelta(hours=5))
    acme.wallet.refresh_from_db()
    assert acme.wallet.available == D(0)


def test_new_accounts_start_small(acme: Company, card: PaymentMethod) -> None:
    VelocityRule.objects.all().delete()
    TrustTier.objects.create(from_age_days=0, currency="USD", most_amount=D(100), most_balance=D(150))
    TrustTier.objects.create(from_age_days=30, currency="USD", most_amount=D(1000))
    with pytest.raises(TrustLimit, match=r"at most 100\.00 USD at once"):
        new_top_up(acme.wallet, "101")
    topped_up(acme.wallet, "100")
    new_top_up(acme.wallet, "30")
    with pytest.raises(TrustLimit, match=r"hold at most 150\.00 USD"):
        new_top_up(acme.wallet, "21")
    assert sorted(ReviewItem.objects.values_list("rule", flat=True)) == ["Trust tier: amount", "Trust tier: balance"]
    new_top_up(acme.wallet, "1000", at=acme.account.created_at + timedelta(days=30))


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("", ""),
        ("unix:", ""),
    ],
)
def test_addresses_are_counted_by_household(address: str, network: str) -> None:
    assert network_of(address) == network


def test_attempts_are_forgotten(acme: Company, card: PaymentMethod) -> None:
    new_top_up(acme.wallet)
    assert purge_attempts(before=AT) == 0
    assert purge_attempts(before=AT + timedelta(days=31)) == 1


def test_the_database_guards_review_items_and_rules(acme: Company, card: PaymentMethod, fiona: User) -> None:
    velocity_rule(limit="0")
    with pytest.raises(VelocityExceeded):
        new_top_up(acme.wallet)
    with pytest.raises(IntegrityError, match="review_says_who_decided_and_why"), transaction.atomic():
        ReviewItem.objects.update(state="CLEARED", decided_by=fiona, decided_at=AT)
    with pytest.raises(IntegrityError, match="velocity_amount_has_its_currency"), transaction.atomic():
        velocity_rule("AMOUNT", "5")


TRIES = 12


def _race(wallet: Any) -> list[Any]:
    return at_once([lambda: new_top_up(wallet)] * TRIES)


@pytest.mark.django_db(transaction=True)
def test_of_many_at_once_no_more_get_through_than_the_rule_allows(acme: Company, card: PaymentMethod) -> None:
    velocity_rule(limit="3")
    answers = _race(acme.wallet)
    assert [type(one) for one in answers].count(TopUp) == 3
    assert [type(one) for one in answers].count(VelocityExceeded) == TRIES - 3
    assert ReviewItem.objects.get().hits == TRIES - 3


@pytest.mark.django_db(transaction=True)
def test_without_the_lock_more_get_through(acme: Company, card: PaymentMethod, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: the same race, each attempt looking before the others have written."""
    velocity_rule(limit="3")
    together = threading.Barrier(TRIES, timeout=30)
    rules = screen._refusal
    monkeypatch.setattr(screen, "_one_at_a_time", lambda attempt: None)
    monkeypatch.setattr(screen, "_refusal", lambda hits: (together.wait(), rules(hits))[1])
    assert [type(one) for one in _race(acme.wallet)].count(TopUp) > 3
