"""A worker of its own, killed with SIGKILL at whatever point of sending: every event arrives at least once with the same id and
verifies; no mail is sent twice, and one that may be lost says so. KILLED_DELIVERIES=500 for the long run."""

from __future__ import annotations

import os
import random
from collections import Counter
from datetime import timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.send import send_due
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from tests.cast import Company
from tests.child import Child
from tests.fakes.mail_server import serving_mail
from tests.fakes.receiver import receiving
from tests.processes import eventually
from wallets import clock

DELIVERIES = int(os.environ.get("KILLED_DELIVERIES", "60"))
KILLS = max(3, DELIVERIES // 25)
State = Delivery.State


def work() -> str:
    """What the worker does, in a process of its own."""
    return repr(send_due(at=clock.now()))


def test_the_promise(transactional_db: None, acme: Company):
    now = clock.now()
    with receiving() as receiver, serving_mail() as mails:
        endpoint = _told_at(acme, f"http://127.0.0.1:{receiver.port}/hook")
        for number in range(DELIVERIES // 2):
            raise_alert(topic="test", key=f"k:{number}", account_id=acme.account.pk, wallet_id=None, facts={}, at=now)
        rows = list(Delivery.objects.values_list("public_id", "channel"))
        assert Counter(channel for _, channel in rows) == {"webhook": DELIVERIES // 2, "email": DELIVERIES // 2}
        places = random.Random(20261123)
        environment = {"OUTGOING_ALLOWED_HOSTS": "127.0.0.1", "EMAIL_URL": f"smtp://127.0.0.1:{mails.port}"}
        killed = 0
        while Delivery.objects.filter(state__in=[State.WAITING, State.SENDING]).exists():
            with Child(**environment) as worker:
                worker.start(work)
                if killed >= KILLS:
                    worker.result()
                else:
                    seen, more = _arrived(receiver.received, mails.taken), places.randint(1, max(2, DELIVERIES // (2 * KILLS)))
                    eventually(lambda: _arrived(receiver.received, mails.taken) >= seen + more, within_seconds=10)  # noqa: B023
                    worker.kill()
                    killed += 1
            # What a minute would bring.
            Delivery.objects.filter(state=State.SENDING).update(claimed_until=now - timedelta(seconds=1))
    assert killed >= 3
    arrived = {request.id for request in receiver.received}
    assert arrived == {public_id for public_id, channel in rows if channel == "webhook"}
    for request in receiver.received:
        Webhook(endpoint.secret).verify(request.body, request.headers)
    states = dict(Delivery.objects.filter(channel="email").values_list("public_id", "state"))
    assert set(states.values()) <= {State.SENT, State.UNCERTAIN}
    assert {public_id: mails.taken[public_id] for public_id, state in states.items() if state == State.SENT} == {
        public_id: 1 for public_id, state in states.items() if state == State.SENT
    }
    assert max(mails.taken.values()) == 1
    uncertain = [public_id for public_id, state in states.items() if state == State.UNCERTAIN]
    print(  # noqa: T201 - what the long run is for
        f"{killed} kills; webhooks {len(arrived)} arrived in {len(receiver.received)} requests; mails {len(states)}: "
        f"{len(states) - len(uncertain)} sent once, {len(uncertain)} uncertain, "
        f"{sum(mails.taken[one] for one in uncertain)} of which arrived"
    )


def test_a_mailbox_that_does_not_exist_bounces_and_is_not_written_to_again(transactional_db: None, acme: Company, settings):
    with serving_mail() as mails:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mails.port
        at = clock.now()
        recipient = Recipient.objects.create(account=acme.account, email="gone@acme.example", created_at=at)
        for number in range(2):
            raise_alert(topic="lot_expired", key=f"k:{number}", account_id=acme.account.pk, wallet_id=None, facts={}, at=at)
            send_due(at=at)
    recipient.refresh_from_db()
    assert recipient.bounced_at is not None
    assert list(Delivery.objects.order_by("id").values_list("state", "answer_status", "reason")) == [
        (State.FAILED, 550, "no such mailbox"), (State.SUPPRESSED, None, "the mailbox does not exist"),
    ]  # fmt: skip
    assert Alert.objects.count() == 2


@pytest.mark.parametrize("state", ["before", "after"])
def test_a_mail_that_was_being_handed_over_is_not_sent_again_and_one_that_was_not_is(
    transactional_db: None, acme: Company, settings, state: str
):
    at = clock.now()
    raise_alert(topic="test", key="k", account_id=acme.account.pk, wallet_id=None, facts={}, at=at)
    handed_over = at if state == "after" else None
    Delivery.objects.update(state=State.SENDING, next_at=None, claimed_until=at, attempts=1, handed_over_at=handed_over)
    with serving_mail() as mails:
        settings.EMAIL_BACKEND = "django.core.mail.backends.smtp.EmailBackend"
        settings.EMAIL_HOST, settings.EMAIL_PORT = "127.0.0.1", mails.port
        send_due(at=at + timedelta(seconds=1))
    expected = (State.UNCERTAIN, 0) if state == "after" else (State.SENT, 1)
    assert (Delivery.objects.get().state, mails.taken.total()) == expected


def _told_at(company: Company, url: str):
    from django.test import override_settings  # noqa: PLC0415 - only here

    with override_settings(OUTGOING_ALLOWED_HOSTS=["127.0.0.1"]):
        return make_endpoint(account=company.account, terms=EndpointTerms(url=url), at=clock.now())


def _arrived(requests: list, mails: Counter) -> int:
    return len(requests) + mails.total()
