"""Credit that expires soon is told 30, 7 and 1 days before, each once."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal as D

import pytest

from notifications.alerts.models import Alert
from notifications.watch.tell_expiring_lots import tell_expiring_lots
from tests.factories.balances import AT, spend, wallet_of
from wallets.credit.grant import grant_credit

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def test_each_lot_is_told_30_7_and_1_days_before_once_each() -> None:
    wallet = wallet_of("acme", credit="5")
    ends = AT + 100 * DAY
    lot = grant_credit(wallet_id=wallet.pk, amount=D(10), kind="promotional", at=AT, expires_at=ends)
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="plan", at=AT, expires_at=ends)
    spend(wallet, "2")
    looks = [before for before in (31, 30, 29, 8, 7, 6, 2, 1) for _ in range(2)]
    assert [before for before in looks if tell_expiring_lots(at=ends - before * DAY)] == [30, 7, 1]
    alerts = Alert.objects.filter(topic="lot_expiring").order_by("id")
    assert [(one.facts["lot"], one.facts["days"], one.severity) for one in alerts] == [
        (lot.public_id, "30", "info"), (lot.public_id, "7", "info"), (lot.public_id, "1", "warning"),
    ]  # fmt: skip
    assert tell_expiring_lots(at=ends) == 0


def test_after_a_pause_only_the_nearest_is_told_and_short_credit_is_not_told_at_once() -> None:
    wallet = wallet_of("acme")
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="paid", at=AT, expires_at=AT + 90 * DAY)
    grant_credit(wallet_id=wallet.pk, amount=D(10), kind="trial", at=AT + 85 * DAY, expires_at=AT + 91 * DAY)
    assert tell_expiring_lots(at=AT + 86 * DAY) == 1
    assert Alert.objects.get().facts["days"] == "4"
