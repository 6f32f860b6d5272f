"""Alerts in the portal: thresholds, who is told and how, what was told."""

from __future__ import annotations

from datetime import time
from decimal import Decimal

import pytest

from notifications.alerts.bounces import note_bounce, note_complaint
from notifications.alerts.models import Recipient
from notifications.alerts.raise_alert import raise_alert
from tests.cast import PASSWORD, Company
from tests.factories.shop import browser_of, text_of
from wallets.accounts.models import Member, User
from wallets.audit.models import AuditEvent
from wallets.clock import now

pytestmark = pytest.mark.django_db
PAGE = "/alerts/acme"
DANA = {
    "what": "add", "email": "dana@acme.example", "language": "de", "time_zone": "Europe/Berlin", "quiet_from": "22:00",
    "quiet_until": "07:00", "topics": "chosen", "topic": ["lot_expiring", "statement_issued"],
}  # fmt: skip


def test_a_recipient_from_added_to_removed(acme: Company, globex: Company, django_assert_max_num_queries) -> None:
    browser = browser_of(acme.owner)
    assert "billing@acme.example is told of everything" in text_of(browser.get(PAGE))
    assert browser.post(PAGE, DANA).status_code == 302
    dana = Recipient.objects.get()
    assert (dana.account, dana.language, dana.quiet_from, dana.topics) == (
        acme.account, "de", time(22), ["lot_expiring", "statement_issued"],
    )  # fmt: skip
    for topic in ("lot_expired", "lot_expiring", "wallet_exhausted"):
        raise_alert(topic=topic, key=topic, account_id=acme.account.pk, wallet_id=None, facts={}, at=now())
    with django_assert_max_num_queries(14):
        page = text_of(browser.get(PAGE))
    assert "Credit expired unused" in page
    assert "to nobody" in page
    assert "quiet 22:00–07:00 · Europe/Berlin" in page

    note_complaint(email="Dana@acme.example", at=now())
    note_bounce(email="dana@acme.example", at=now())
    page = text_of(browser.get(PAGE))
    assert "mailbox does not exist" in page
    assert "Unsubscribed from: The balance fell to or below a threshold;" in page
    browser.post(PAGE, {"what": "works", "recipient": dana.pk})
    browser.post(PAGE, DANA | {"what": "change", "recipient": dana.pk, "topic": ["lot_expiring"], "digest": "1"})
    dana.refresh_from_db()
    assert (dana.bounced_at, dana.digest, dana.topics, "lot_expiring" in dana.unsubscribed) == (
        None,
        True,
        ["lot_expiring"],
        False,
    )

    stranger = browser_of(globex.owner)
    assert stranger.post(PAGE, {"what": "remove", "recipient": dana.pk}).status_code == 404
    assert stranger.post("/alerts/globex", {"what": "remove", "recipient": dana.pk}).status_code == 404
    browser.post(PAGE, {"what": "remove", "recipient": dana.pk})
    assert not Recipient.objects.exists()
    actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions == [f"Alerts: {what}" for what in ("add", "works", "change", "remove")]


def test_thresholds_of_a_wallet(acme: Company) -> None:
    browser = browser_of(acme.owner)
    body = {"what": "thresholds", "wallet": acme.wallet.public_id, "own": "1", "percents": "40 %, 10", "amounts": "12.50"}
    assert browser.post(PAGE, body | {"reference": "500"}).status_code == 302
    acme.wallet.refresh_from_db()
    assert (acme.wallet.threshold_percents, acme.wallet.threshold_amounts, acme.wallet.own_reference) == (
        [10, 40], [Decimal("12.50")], Decimal(500),
    )  # fmt: skip
    assert 'value="40, 10"' in browser.get(PAGE).content.decode()
    for wrong in ({"percents": "half"}, {"percents": "100"}, {"amounts": "-1"}, {"reference": "1e3"}):
        assert browser.post(PAGE, body | wrong).status_code == 422


def test_what_cannot_be_is_said_and_what_was_filled_in_stays(acme: Company, globex: Company) -> None:
    browser = browser_of(acme.owner)
    for wrong in (
        {"email": "dana"}, {"time_zone": "Mars/Olympus"}, {"language": "tlh"}, {"quiet_until": ""}, {"quiet_from": "25:00"},
        {"topic": ["wallet_exhausted"]},
    ):  # fmt: skip
        refused = browser.post(PAGE, DANA | wrong)
        assert refused.status_code == 422
        assert str(wrong.get("email", "dana@acme.example")) in refused.content.decode()
    assert browser.post(PAGE, {"what": "thresholds", "wallet": globex.wallet.public_id}).status_code == 404
    assert browser.post(PAGE, {"what": "remove", "recipient": "9" * 30}).status_code == 404
    viewer = User.objects.create_user("viewer@acme.example", PASSWORD)
    Member.objects.create(account=acme.account, user=viewer, role=Member.Role.VIEWER, created_at=now())
    assert "Save thresholds" not in text_of(browser_of(viewer).get(PAGE))
    assert browser_of(viewer).post(PAGE, DANA).status_code == 403
