"""Webhooks in the portal: made, tested, rotated, stopped, sent again, by whom it is allowed to."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.urls import reverse
from standardwebhooks.webhooks import Webhook

from notifications.alerts.models import Delivery
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.send import send_due
from notifications.channels.webhook.endpoints import signing_secrets
from notifications.channels.webhook.models import WebhookEndpoint
from tests.cast import PASSWORD, Company
from tests.factories.shop import browser_of, text_of
from tests.fakes.receiver import receiving
from wallets.accounts.models import Member, User
from wallets.audit.models import AuditEvent
from wallets.clock import now

pytestmark = pytest.mark.django_db
PAGE = "/webhook-endpoints/acme"


def secret_on(html: bytes) -> str:
    found = re.search(r"whsec_[A-Za-z0-9+/=]+", html.decode())
    return found[0] if found else ""


def test_from_adding_one_to_sending_a_range_again(
    acme: Company, settings, transactional_db: None, django_assert_max_num_queries
) -> None:
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    browser = browser_of(acme.owner)
    with receiving() as receiver:
        made = browser.post(PAGE, {"url": receiver.url(), "events": "chosen", "event": ["threshold_crossed", "lot_expired"]})
        secret = secret_on(made.content)
        endpoint = WebhookEndpoint.objects.get()
        assert signing_secrets(endpoint, at=now()) == [secret]
        page = reverse("portal:webhook", args=[endpoint.public_id])
        assert not secret_on(browser.get(page).content)
        assert "2 kinds of events" in text_of(browser.get(PAGE))

        assert "A test is on its way" in text_of(browser.post(page, {"what": "test"}))
        send_due(at=now())
        (request,) = receiver.received
        assert Webhook(secret).verify(request.body, request.headers)["type"] == "test"
        assert "taken test" in text_of(browser.get(page))

        rotated = secret_on(browser.post(page, {"what": "rotate"}).content)
        assert signing_secrets(WebhookEndpoint.objects.get(), at=now()) == [rotated, secret]

        for number in range(3):
            raise_alert(topic="lot_expired", key=str(number), account_id=acme.account.pk, wallet_id=None, facts={}, at=now())
        send_due(at=now())
        sent = [one.id for one in receiver.received[1:]]
        assert len(sent) == 3
        browser.post(page, {"what": "again", "delivery": sent[0]})
        send_due(at=now())
        here = now()
        span = {"since": f"{here - timedelta(hours=1):%Y-%m-%dT%H:%M}", "until": f"{here + timedelta(hours=1):%Y-%m-%dT%H:%M}"}
        assert "4 events are sent again" in text_of(browser.post(page, {"what": "range", **span}))
        send_due(at=now())
        assert [one.id for one in receiver.received].count(sent[0]) == 3
        assert [one.id for one in receiver.received].count(sent[1]) == 2
        with django_assert_max_num_queries(12):
            assert "Attempt 3" in text_of(browser.get(page))
    assert browser.post(page, {"what": "disable"}).status_code == 302
    assert browser.post(page, {"what": "test"}).status_code == 422
    browser.post(page, {"what": "enable"})
    browser.post(page, {"what": "change", "url": "https://acme.example/other", "events": "all"})
    endpoint.refresh_from_db()
    assert (endpoint.state, endpoint.url, endpoint.event_types) == ("ACTIVE", "https://acme.example/other", [])
    browser.post(page, {"what": "remove"})
    assert browser.get(page).status_code == 404
    actions = list(AuditEvent.objects.order_by("id").values_list("action", flat=True))
    assert actions == [
        f"Webhook: {what}" for what in ("made", "test", "rotate", "again", "range", "disable", "enable", "change", "remove")
    ]
    assert "whsec_" not in str(list(AuditEvent.objects.values_list("before", "after", "details")))
    assert Delivery.objects.count() == 7  # three of them mails


def test_what_cannot_be_is_said_beside_what_was_filled_in(acme: Company) -> None:
    browser = browser_of(acme.owner)
    refused = browser.post(PAGE, {"url": "https://10.0.0.1/", "description": "production", "events": "all"})
    assert refused.status_code == 422
    assert "url: an address on the public internet." in text_of(refused)
    assert 'value="production"' in refused.content.decode()
    browser.post(PAGE, {"url": "https://acme.example/", "events": "all"})
    page = reverse("portal:webhook", args=[WebhookEndpoint.objects.get().public_id])
    for body in ({"what": "range"}, {"what": "range", "since": "9999-12-31T23:59", "until": "x"}, {"what": "what"}):
        assert browser.post(page, body).status_code == 422
    assert browser.post(page, {"what": "again", "delivery": "dlv_none"}).status_code == 404


def test_a_viewer_looks_and_changes_nothing(acme: Company) -> None:
    browser_of(acme.owner).post(PAGE, {"url": "https://acme.example/", "events": "all"})
    viewer = User.objects.create_user("viewer@acme.example", PASSWORD)
    Member.objects.create(account=acme.account, user=viewer, role=Member.Role.VIEWER, created_at=now())
    browser = browser_of(viewer)
    page = reverse("portal:webhook", args=[WebhookEndpoint.objects.get().public_id])
    assert "Make a new secret" not in text_of(browser.get(page))
    assert [browser.post(page, {"what": what}).status_code for what in ("rotate", "remove", "test")] == [403] * 3
    assert browser.post(PAGE, {"url": "https://acme.example/"}).status_code == 403
