"""What a mail service tells afterwards: mailboxes that do not exist, people who complain."""

from __future__ import annotations

import pytest

from notifications.alerts.models import Delivery, Recipient
from notifications.alerts.raise_alert import raise_alert
from tests.cast import Api, Company
from wallets import clock

pytestmark = pytest.mark.django_db
EMAIL = "billing@acme.example"


def tell(company: Company, topic: str) -> Delivery:
    raise_alert(topic=topic, key=topic, account_id=company.account.pk, wallet_id=None, facts={}, at=clock.now())
    return Delivery.objects.get(alert__key=topic)


def test_a_bounce_stops_everything_to_the_mailbox_and_a_complaint_what_can_be_declined(acme: Company, vendor: Api) -> None:
    first = tell(acme, "lot_expired")
    Delivery.objects.update(state="SENT", next_at=None, sent_at=clock.now())
    body = {"kind": "bounce", "email": EMAIL.upper(), "delivery": first.public_id}
    assert vendor.post("/bounces", body).json() == {"recipients": 1}
    first.refresh_from_db()
    assert (first.state, first.reason) == ("FAILED", "it bounced: the mailbox does not exist")
    assert tell(acme, "top_up_failed").reason == "the mailbox does not exist"
    Recipient.objects.update(bounced_at=None)
    assert vendor.post("/bounces", {"kind": "complaint", "email": EMAIL}).json() == {"recipients": 1}
    assert [tell(acme, topic).state for topic in ("lot_expiring", "wallet_exhausted")] == ["SUPPRESSED", "WAITING"]


def test_what_it_does_not_take(acme: Company, vendor: Api) -> None:
    assert vendor.post("/bounces", {"kind": "soft", "email": EMAIL}).status_code == 422
    assert vendor.post("/bounces", {"kind": "bounce", "email": "nobody@nowhere.example"}).json() == {"recipients": 0}
    assert acme.api.post("/bounces", {"kind": "bounce", "email": EMAIL}).status_code == 403
    assert not Recipient.objects.exists()
