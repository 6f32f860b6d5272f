"""However many debit at once, a threshold is crossed once and one recharge is made. The race is run once more without the
lock: there it must go wrong, or it proves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal as D
from threading import Barrier
from typing import Final

import pytest
from django.db import DatabaseError
from pytest_django.fixtures import Settings

from notifications.alerts.models import Alert, HeldAlert
from tests.cast import Company
from tests.concurrency.test_recharges import read_without_lock
from tests.factories import balances
from tests.factories.balances import spend
from tests.factories.journal import assert_books_hold
from tests.factories.payments import AT, provider_in_memory, saved_card
from tests.factories.recharge import recharging, set_rule
from tests.fakes.faulty_provider import FaultyProvider
from tests.threads import at_once
from wallets.balances.lock import LockedWallet
from wallets.balances.models import ThresholdCrossing, Wallet
from wallets.credit.grant import grant_credit
from wallets.outbox.models import News

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

WRITERS: Final = 32
EACH: Final = "1.78125"  # all together 57: from 60 % to 3 %


@pytest.fixture
def provider(settings: Settings, transactional_db: None) -> Iterator[FaultyProvider]:
    with provider_in_memory(settings) as made:
        yield made


@pytest.fixture
def wallet(acme: Company, provider: FaultyProvider) -> Wallet:
    """acme's, 60 left of 100, recharged below 5."""
    saved_card(acme.account)
    grant_credit(wallet_id=acme.wallet.pk, amount=D(100), kind="promotional", at=AT)
    spend(acme.wallet, "40", at=AT)
    set_rule(acme.wallet)
    recharging(at=AT)
    return acme.wallet


def crossed() -> list[int | None]:
    return list(ThresholdCrossing.objects.filter(back=False).order_by("number").values_list("percent", flat=True))


def test_32_writers_cross_each_threshold_once_and_make_one_recharge(wallet: Wallet, provider: FaultyProvider) -> None:
    answers = at_once([lambda: spend(wallet, EACH, at=AT)] * WRITERS)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert crossed() == [50, 20, 5]
    at_once([lambda: recharging(at=AT)] * 4)
    recharging(at=AT)
    assert provider.charged == [D(50)]
    assert News.objects.filter(topic="recharge_due").count() == 1
    told = Counter(Alert.objects.filter(topic="threshold_crossed").values_list("facts__percent", flat=True))
    held = Counter(HeldAlert.objects.filter(state="OVERTAKEN").values_list("facts__percent", flat=True))
    assert told + held == Counter(["50", "20", "5"])
    assert held["5"] == 1, "the recharge was on its way"
    wallet.refresh_from_db()
    assert (wallet.balance, wallet.armed_percent) == (D(53), 100)
    assert_books_hold()


def test_without_the_lock_the_same_race_goes_wrong(wallet: Wallet, monkeypatch: pytest.MonkeyPatch) -> None:
    all_have_read = Barrier(WRITERS, timeout=60)

    def read_and_wait(wallet_id: int) -> LockedWallet:
        read = read_without_lock(wallet_id)
        read.head_hash = bytes(read.head_hash)
        all_have_read.wait()
        return read

    monkeypatch.setattr(balances, "lock_wallet", read_and_wait)
    answers = at_once([lambda: spend(wallet, EACH, at=AT)] * WRITERS)
    refused = [answer for answer in answers if isinstance(answer, DatabaseError)]
    wallet.refresh_from_db()
    assert refused or wallet.balance != D(3), "nothing went wrong: the race does not race"
    assert crossed() != [50, 20, 5]
