"""News is part of the change it tells of; only its commit is heard."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import transaction

from wallets.outbox import write
from wallets.outbox.models import News
from wallets.outbox.topics import AccountsChanged, LotExpired
from wallets.outbox.write import add_news, at_once, on_news

AT = datetime(2026, 11, 23, 10, tzinfo=UTC)

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def heard(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """What was heard, in order, by listeners of this test only."""
    monkeypatch.setattr(write, "_wake", [])
    monkeypatch.setattr(write, "_at_once", {})
    heard: list[Any] = []
    at_once(AccountsChanged, heard.append)
    on_news(lambda: heard.append("woken"))
    return heard


def test_news_is_heard_when_it_is_committed_and_not_before(heard: list[Any]) -> None:
    with transaction.atomic():
        add_news([("", AccountsChanged([1])), ("wallet:2", LotExpired(2, "lot_x", "1", "USD"))], at=AT)
        assert heard == []
    assert heard == [AccountsChanged([1]), "woken"]
    assert list(News.objects.order_by("id").values_list("topic", "subject", "handed_out")) == [
        ("accounts_changed", "", False),
        ("lot_expired", "wallet:2", False),
    ]


def test_news_of_what_did_not_happen_is_neither_kept_nor_heard(heard: list[Any]) -> None:
    with pytest.raises(RuntimeError), transaction.atomic():  # noqa: PT012 - what is undone is the point
        add_news([("", AccountsChanged([1]))], at=AT)
        raise RuntimeError("undone")
    assert heard == []
    assert not News.objects.exists()


def test_a_listener_that_fails_does_not_fail_the_change(heard: list[Any]) -> None:
    def deaf(_: AccountsChanged) -> None:
        raise ConnectionError("away")

    at_once(AccountsChanged, deaf)
    with transaction.atomic():
        add_news([("", AccountsChanged([1]))], at=AT)
    assert heard == [AccountsChanged([1]), "woken"]


def test_news_outside_a_transaction_is_refused() -> None:
    with pytest.raises(AssertionError):
        add_news([("", AccountsChanged([1]))], at=AT)
