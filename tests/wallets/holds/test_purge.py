"""Ended holds are forgotten in time, but for those that alone explain a charge; and what a hold's steps write."""

from __future__ import annotations

from decimal import Decimal as D

import pytest
from django.db import DatabaseError, transaction

from tests.factories.balances import AT, wallet_of
from tests.factories.holds import hold_on, later
from wallets.balances.lock import lock_wallet
from wallets.balances.models import Wallet
from wallets.errors import NotFound
from wallets.holds.capture import capture_amount
from wallets.holds.find import hold_by_id, holds_of
from wallets.holds.keep import keep_credit
from wallets.holds.lapse import lapse_holds
from wallets.holds.models import Hold
from wallets.holds.place import release_hold
from wallets.holds.purge import purge_holds
from wallets.outbox.models import News

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("books_hold")]


def kept_back(wallet: Wallet, amount: str) -> Hold:
    with transaction.atomic():
        hold = keep_credit(lock_wallet(wallet.pk), D(amount), subject="rev_1", at=AT)
    assert hold is not None
    return hold


def test_ended_holds_are_forgotten_but_not_what_explains_a_charge() -> None:
    acme = wallet_of("acme", credit="10")
    released, _lapsed, charged, young, still_open = (hold_on(acme, "1", ttl=60) for _ in range(5))
    review = kept_back(acme, "1")
    release_hold(hold_public_id=released.public_id, at=AT)
    release_hold(hold_public_id=review.public_id, at=AT)
    capture_amount(hold_public_id=charged.public_id, amount=D("0.5"), at=AT)
    Hold.objects.filter(pk=still_open.pk).update(expires_at=later(9_999))
    release_hold(hold_public_id=young.public_id, at=later(50))
    lapse_holds(at=later(61))
    assert purge_holds(before=later(50), at_a_time=1) == 1
    assert purge_holds(before=later(61), at_a_time=1) == 2
    assert set(Hold.objects.values_list("pk", flat=True)) == {charged.pk, still_open.pk, review.pk}


def test_the_database_deletes_no_hold_that_is_needed() -> None:
    acme = wallet_of("acme", credit="10")
    charged = hold_on(acme, "1")
    capture_amount(hold_public_id=charged.public_id, amount=D("0.5"), at=AT)
    for hold in (charged, hold_on(acme, "1"), kept_back(acme, "1")):
        with pytest.raises(DatabaseError), transaction.atomic():
            hold.delete()


def test_credit_that_is_kept_back_is_no_hold_to_anybody_who_asks() -> None:
    acme = wallet_of("acme", credit="10")
    review = kept_back(acme, "1")
    assert not holds_of(account_id=acme.account_id)
    with pytest.raises(NotFound):
        hold_by_id(public_id=review.public_id)


def test_each_step_tells_once_that_the_wallet_has_changed() -> None:
    acme = wallet_of("acme", credit="10")
    told = News.objects.filter(topic="balances_changed")
    before = told.count()
    hold = hold_on(acme, "1")
    assert told.count() == before + 1
    capture_amount(hold_public_id=hold.public_id, amount=D("0.5"), at=AT)
    assert told.count() == before + 2
    free = hold_on(acme, "1")
    capture_amount(hold_public_id=free.public_id, amount=D(0), at=AT)
    assert told.count() == before + 4
