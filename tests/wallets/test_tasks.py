"""Each task does its one thing, and twice is as good as once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D
from typing import Any

import pytest

from tests.factories.balances import AT, spend, wallet_of
from wallets import clock, tasks
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.idempotency.models import StoredAnswer
from wallets.outbox.models import Delivery, News

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("redis_server")]


@pytest.fixture(autouse=True)
def _now() -> Any:
    with clock.set_to(AT):
        yield


def balance_of(wallet: Wallet) -> D:
    return Wallet.objects.get(pk=wallet.pk).balance


def test_news_is_delivered_to_the_sites_readers_and_purged_in_time() -> None:
    acme = wallet_of("acme", credit="10")
    spend(acme, "6")
    tasks.deliver_news(something_newer=1)
    tasks.deliver_news()
    assert not News.objects.filter(handed_out=False).exists()
    assert set(Delivery.objects.values_list("reader", "attempts")) == {("gate", 1), ("alerts", 1), ("rules", 1)}

    with clock.set_to(AT + timedelta(days=1, seconds=1)):
        tasks.purge_news()
    assert list(News.objects.values_list("topic", flat=True)) == ["threshold_crossed"]
    with clock.set_to(AT + timedelta(days=91)):
        tasks.purge_news()
        tasks.purge_news()
    assert not News.objects.exists()


def test_credit_begins_and_ends_at_its_time() -> None:
    acme = wallet_of("acme")
    grant_credit(
        wallet_id=acme.pk, amount=D(10), kind="promotional", at=AT,
        effective_at=AT + timedelta(hours=1), expires_at=AT + timedelta(hours=2),
    )  # fmt: skip
    tasks.activate_lots()
    assert balance_of(acme) == 0
    with clock.set_to(AT + timedelta(hours=1)):
        assert (tasks.activate_lots(), tasks.activate_lots()) == (1, 0)
    assert balance_of(acme) == 10
    with clock.set_to(AT + timedelta(hours=2)):
        assert (tasks.expire_lots(), tasks.expire_lots()) == (1, 0)
    assert balance_of(acme) == 0


def test_stored_answers_are_kept_thirty_days() -> None:
    for key, age_days in (("old", 31), ("young", 29)):
        StoredAnswer.objects.create(caller="key_x", key=key, body_hash=b"", created_at=AT - timedelta(days=age_days))
    tasks.purge_answers()
    assert StoredAnswer.objects.get().key == "young"
