"""News as it is told: one table, each once."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import transaction

from billing_site.outbox_readers import READERS, TELL
from notifications.alerts.models import Alert, Recipient
from notifications.channels.topics import TOPICS
from notifications.readers import TELLINGS
from tests.cast import OPENED_AT as AT
from tests.cast import Company
from wallets.api_keys.issue import issue_api_key
from wallets.outbox.deliver import deliver_news
from wallets.outbox.topics import RefundFailed, SpendCapReached, WithdrawalWentOn
from wallets.outbox.write import add_news

pytestmark = pytest.mark.django_db


def tell(*news: Any, subject: str = "") -> list[Alert]:
    """Have the news read; what is told of it."""
    with transaction.atomic():
        add_news([(subject, one) for one in news], at=AT)
    deliver_news(readers=READERS, at=AT)
    return list(Alert.objects.order_by("id"))


def test_what_the_table_tells_is_read_and_has_its_topic() -> None:
    assert {news for news, readers in READERS.items() if TELL in readers} == set(TELLINGS)
    assert {telling.topic for telling in TELLINGS.values()} <= set(TOPICS)


def test_a_spend_cap_is_told_once_in_a_window_and_for_a_limit(acme: Company) -> None:
    reached = {"cap": "cap_1", "account_id": acme.account.pk, "value": "u_1", "window_start": "2026-11-01", "used": "9"}
    first = SpendCapReached(**reached, limit="9")
    assert len(tell(first, first)) == 1
    assert len(tell(SpendCapReached(**reached, limit="10"))) == 2
    assert len(tell(SpendCapReached(**reached | {"window_start": "2026-12-01"}, limit="9"))) == 3


def test_a_new_key_is_told_to_its_account_or_to_finance_and_one_the_system_makes_to_nobody(acme: Company) -> None:
    Recipient.objects.create(account=None, email="finance@vendor.example", created_at=AT)
    issue_api_key(name="quiet", scopes=["events:write"], account=acme.account, at=AT)
    issue_api_key(name="loud", scopes=["events:write"], account=acme.account, at=AT, actor="dana@acme.example")
    issue_api_key(name="ours", scopes=["events:write"], at=AT, actor="fiona@vendor.example")
    of_acme, ours = tell()
    assert (of_acme.facts["name"], of_acme.facts["actor"], of_acme.mandatory) == ("loud", "dana@acme.example", True)
    assert [one.deliveries.get().address for one in (of_acme, ours)] == ["billing@acme.example", "finance@vendor.example"]


def test_money_that_did_not_go_back_and_the_steps_of_a_withdrawal_are_told(acme: Company) -> None:
    failed = RefundFailed(acme.wallet.pk, "ref_1", "top_1", "50", "59.5", "USD", "manual", "expired_card")
    step = WithdrawalWentOn(acme.wallet.pk, "wdr_1", "approved", "30", "USD", "2026-11-26T10:00:00+00:00")
    told = tell(failed, step, subject=f"wallet:{acme.wallet.pk}")
    assert [(one.topic, one.wallet, one.facts["currency"]) for one in told] == [
        ("refund_failed", acme.wallet, "USD"), ("withdrawal_changed", acme.wallet, "USD"),
    ]  # fmt: skip
