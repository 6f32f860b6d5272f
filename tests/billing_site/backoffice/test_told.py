"""What was told, in the back office: deliveries and their attempts, mails nobody knows about, kept mail, webhook endpoints."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from billing_site.backoffice.roles import grant_roles
from notifications.alerts.models import Delivery
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.send import send_due
from notifications.channels.email.kept import KeptMail
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint
from notifications.channels.webhook.models import WebhookEndpoint
from tests.cast import PASSWORD, Company
from tests.factories.shop import browser_of, text_of
from wallets.accounts.models import User
from wallets.audit.models import AuditEvent
from wallets.clock import now

pytestmark = pytest.mark.django_db


@pytest.fixture
def finance(fiona: User) -> Client:
    return browser_of(fiona)


@pytest.fixture
def told(transactional_db: None, acme: Company, settings) -> list[Delivery]:
    """A mail that was sent and one that may have been; a webhook nobody knows the name of."""
    settings.EMAIL_BACKEND = "notifications.channels.email.kept.KeepingBackend"
    make_endpoint(account=acme.account, terms=EndpointTerms(url="https://hooks.invalid/billing"), at=now())
    for topic in ("lot_expired", "top_up_failed"):
        raise_alert(
            topic=topic, key=topic, account_id=acme.account.pk, wallet_id=acme.wallet.pk,
            facts={"amount": "5", "currency": "USD"}, at=now(),
        )  # fmt: skip
    send_due(at=now())
    Delivery.objects.filter(channel="email", alert__topic="top_up_failed").update(state="UNCERTAIN", sent_at=None)
    return list(Delivery.objects.order_by("id"))


def page(row: Any, name: str = "change") -> str:
    return reverse(f"admin:notifications_{row._meta.model_name}_{name}", args=[row.pk])


def confirm(browser: Client, address: str) -> str:
    asked = browser.post(address, {"reason": "Asked by the customer", "step": "review"})
    token = asked.context["token"]
    return text_of(browser.post(address, {"reason": "Asked by the customer", "step": "confirm", "token": token}, follow=True))


def test_deliveries_are_found_explained_sent_again_and_settled(
    told: list[Delivery], finance: Client, django_assert_max_num_queries
) -> None:
    listed = reverse("admin:notifications_delivery_changelist")
    with django_assert_max_num_queries(6):
        everything = text_of(finance.get(listed, {"q": "acme"}))
    assert everything.count("billing@acme.example") == 2
    assert text_of(finance.get(listed, {"q": "globex"})).count("acme.example") == 0
    assert "Uncertain mails 1" in text_of(finance.get(reverse("admin:index")))
    waiting = finance.get(listed, {"state": "uncertain"})
    assert [row.pk for row in waiting.context["cl"].result_list] == [one.pk for one in told if one.state == "UNCERTAIN"]
    (uncertain,) = [one for one in told if one.state == "UNCERTAIN"]
    hook = next(one for one in told if one.channel == "webhook")
    with django_assert_max_num_queries(12):
        shown = text_of(finance.get(page(hook)))
    assert "its name is not known" in shown
    assert "Attempts 1" in shown
    assert "may arrive twice" in text_of(finance.get(page(uncertain, "again")))
    assert "It counts as sent" in confirm(finance, page(uncertain, "count"))
    uncertain.refresh_from_db()
    assert (uncertain.state, uncertain.reason) == ("SENT", "counted as sent by hand")
    assert "Only a mail of which nobody knows" in confirm(finance, page(uncertain, "count"))
    assert "It is sent again" in confirm(finance, page(uncertain, "again"))
    assert Delivery.objects.get(pk=uncertain.pk).state == "WAITING"
    assert list(AuditEvent.objects.order_by("id").values_list("action", "reason")) == [
        ("Count as sent", "Asked by the customer"), ("Send again", "Asked by the customer"),
    ]  # fmt: skip


@pytest.mark.usefixtures("told")
def test_a_kept_mail_is_shown_where_nothing_runs(finance: Client) -> None:
    mail = KeptMail.objects.order_by("id")[0]
    assert mail.subject in text_of(finance.get(reverse("admin:notifications_keptmail_changelist")))
    shown = finance.get(page(mail))
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in shown.content.decode()
    assert "frame-src 'self'" in shown["Content-Security-Policy"]
    framed = finance.get(page(mail, "file"))
    assert framed.content.decode() == mail.html
    assert framed["X-Frame-Options"] == "SAMEORIGIN"
    policy = framed["Content-Security-Policy"]
    assert "script-src 'none'" in policy
    assert "sandbox allow-popups" in policy


@pytest.mark.usefixtures("told")
def test_an_endpoint_is_looked_at_stopped_started_and_tested(finance: Client) -> None:
    endpoint = WebhookEndpoint.objects.get()
    shown = finance.get(page(endpoint))
    assert "failing" in text_of(shown)
    assert "whsec_" not in shown.content.decode()
    assert endpoint.sealed_secret not in shown.content.decode()
    assert "A test is on its way" in confirm(finance, page(endpoint, "test"))
    assert "It is disabled" in confirm(finance, page(endpoint, "switch"))
    assert "enable it first" in confirm(finance, page(endpoint, "test"))
    assert "It is enabled" in confirm(finance, page(endpoint, "switch"))


@pytest.mark.usefixtures("told")
def test_who_may_what() -> None:
    grant_roles()
    rows = [Delivery.objects.order_by("id")[0], KeptMail.objects.order_by("id")[0], WebhookEndpoint.objects.get()]
    actions = [page(rows[0], "again"), page(rows[0], "count"), page(rows[2], "switch"), page(rows[2], "test")]
    expected = {
        "viewer": ([200, 403, 200], 403), "operator": ([200, 403, 200], 200), "administrator": ([200, 200, 200], 403),
    }  # fmt: skip
    for role, (sees, does) in expected.items():
        person = User.objects.create_user(f"{role}@vendor.example", PASSWORD, is_staff=True)
        person.groups.set(person.groups.model.objects.filter(name=role))
        browser = browser_of(person)
        assert [browser.get(page(row)).status_code for row in rows] == sees, role
        assert browser.get(page(rows[1], "file")).status_code == sees[1], role
        assert {browser.get(address).status_code for address in actions} == {does}, role
