"""Deliveries on their way, to a real receiver: once in time, again after failure, nobody held up by anybody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from standardwebhooks.webhooks import Webhook

from notifications.alerts.models import Alert, Delivery, Recipient
from notifications.alerts.raise_alert import raise_alert
from notifications.alerts.retries import AFTER, next_wait
from notifications.alerts.send import claim, send_due
from notifications.channels import safe_request
from notifications.channels.webhook.endpoints import EndpointTerms, make_endpoint, rotate_secret
from notifications.channels.webhook.models import WebhookEndpoint
from tests.cast import Company
from tests.fakes.receiver import Receiver, receiving
from wallets import clock

State = Delivery.State


@pytest.fixture
def receiver(settings) -> Iterator[Receiver]:
    settings.OUTGOING_ALLOWED_HOSTS = ["127.0.0.1"]
    with receiving() as server:
        yield server


@pytest.fixture
def at() -> datetime:
    return clock.now()


def hook(company: Company, url: str) -> WebhookEndpoint:
    return make_endpoint(account=company.account, terms=EndpointTerms(url=url), at=clock.now())


def alert(company: Company, number: int, at: datetime, topic: str = "threshold_crossed") -> Alert:
    facts = {"percent": "20", "balance": "19.87", "currency": "USD"}
    raised = raise_alert(
        topic=topic, key=f"{topic}:{company.wallet.pk}:{number}", account_id=company.account.pk, wallet_id=company.wallet.pk,
        facts=facts, at=at,
    )  # fmt: skip
    assert raised is not None
    return raised


def webhooks() -> list[Delivery]:
    return list(Delivery.objects.filter(channel="webhook").order_by("id"))


@pytest.fixture(autouse=True)
def _no_mail(acme: Company, globex: Company) -> None:
    for company in (acme, globex):
        company.account.email = ""
        company.account.save(update_fields=["email"])


def test_an_event_arrives_once_and_verifies_with_the_library(acme: Company, receiver: Receiver, at: datetime):
    endpoint = hook(acme, receiver.url())
    told = alert(acme, 1, at)
    assert raise_alert(topic="test", key=told.key, account_id=None, wallet_id=None, facts={}, at=at) is None
    assert send_due(at=at).sent == 1
    assert send_due(at=at).sent == 0
    (request,) = receiver.received
    document = Webhook(endpoint.secret).verify(request.body, request.headers)
    (delivery,) = webhooks()
    assert (request.id, delivery.state, delivery.attempts) == (delivery.public_id, State.SENT, 1)
    assert document["type"] == "threshold_crossed"
    assert document["data"] == {
        "percent": "20", "balance": "19.87", "currency": "USD",
        "event": told.public_id, "account": "acme", "wallet": acme.wallet.public_id,
    }  # fmt: skip
    (tried,) = delivery.tries.all()
    assert (tried.number, tried.status, tried.answer) == (1, 200, "thank you")


def test_during_a_rotation_both_secrets_verify_and_a_wrong_one_does_not(acme: Company, receiver: Receiver, at: datetime):
    endpoint = hook(acme, receiver.url())
    before = endpoint.secret
    after = rotate_secret(endpoint=endpoint, at=at).secret
    alert(acme, 1, at)
    send_due(at=at)
    (request,) = receiver.received
    for secret in (before, after):
        assert Webhook(secret).verify(request.body, request.headers)["type"] == "threshold_crossed"
    with pytest.raises(Exception, match="No matching signature"):
        Webhook("whsec_" + "A" * 43 + "=").verify(request.body, request.headers)


def test_a_failure_is_tried_again_with_the_same_id_and_body_until_it_is_taken(acme: Company, receiver: Receiver, at: datetime):
    hook(acme, receiver.url())
    receiver.failing.add("/hook")
    alert(acme, 1, at)
    for _ in range(3):
        send_due(at=at)
        send_due(at=at, failing=True)
        (delivery,) = webhooks()
        assert (delivery.state, delivery.answer_status) == (State.WAITING, 500)
        at = delivery.next_at or at
    receiver.failing.clear()
    send_due(at=at, failing=True)
    assert len({(request.id, request.body) for request in receiver.received}) == 1
    (delivery,) = webhooks()
    assert (len(receiver.received), delivery.state, delivery.attempts) == (4, State.SENT, 4)
    assert WebhookEndpoint.objects.get().failing_since is None


def test_after_three_days_it_is_given_up_and_after_five_the_endpoint_is_disabled_with_a_notice(
    acme: Company, receiver: Receiver, at: datetime
):
    endpoint = hook(acme, receiver.url("/fail"))
    begun = at
    alert(acme, 1, at)
    while (delivery := webhooks()[0]).state == State.WAITING:
        at = delivery.next_at or at
        send_due(at=at)
        send_due(at=at, failing=True)
    assert (delivery.state, delivery.attempts) == (State.GIVEN_UP, len(AFTER) + 1)
    assert timedelta(days=2, hours=23) < at - begun < timedelta(days=3, hours=8)
    at = begun + timedelta(days=5, minutes=1)
    alert(acme, 2, at)
    send_due(at=at, failing=True)
    endpoint.refresh_from_db()
    assert endpoint.state == "DISABLED"
    notice = Alert.objects.get(topic="endpoint_disabled")
    assert (notice.facts["url"], notice.mandatory) == (endpoint.url, True)
    alert(acme, 3, at)
    assert Delivery.objects.filter(alert__key__endswith=":3").count() == 0


def test_endpoints_that_misbehave_are_bounded_and_logged_and_delay_no_other(
    acme: Company, receiver: Receiver, at: datetime, settings, monkeypatch: pytest.MonkeyPatch
):
    """One run sends to all; the well-behaved one has its event although one never answers."""
    monkeypatch.setattr(safe_request, "SECONDS", 1.0)
    expected = {
        "/hang": (State.WAITING, None, "no answer within"),
        "/fail": (State.WAITING, 500, "our database is away"),
        "/redirect": (State.WAITING, 302, "redirected to http://169.254.169.254"),
        "/huge": (State.SENT, 200, "xxx"),
        "/hook": (State.SENT, 200, "thank you"),
    }
    for path in expected:
        hook(acme, receiver.url(path))
    inside = hook(acme, f"https://localhost:{receiver.port}/hook")
    alert(acme, 1, at)
    send_due(at=at)
    for delivery in webhooks():
        if delivery.endpoint_id == inside.pk:
            assert (delivery.state, delivery.answer_status) == (State.FAILED, None)
            assert "is at" in delivery.answer
            continue
        state, status, answer = expected["/" + delivery.address.rpartition("/")[2]]
        assert (delivery.state, delivery.answer_status) == (state, status), delivery.address
        assert delivery.answer.startswith(answer)
        assert delivery.tries.count() == 1
    assert receiver.sent_bytes < 64 * 1024 * 1024
    assert not [request for request in receiver.received if "meta-data" in request.path]


def test_one_that_hangs_has_few_under_way_and_its_failure_moves_it_out_of_the_way(
    acme: Company, globex: Company, receiver: Receiver, at: datetime
):
    hook(acme, receiver.url("/hang"))
    hook(globex, receiver.url("/hook"))
    for number in range(20):
        alert(acme, number, at)
    alert(globex, 1, at)
    claimed = claim(at=at, failing=False, limit=16)
    assert [delivery.address.rpartition("/")[2] for delivery in claimed] == ["hang"] * 4 + ["hook"]
    assert claim(at=at, failing=False, limit=16) == []
    WebhookEndpoint.objects.filter(url__endswith="hang").update(failing_since=at)
    Delivery.objects.filter(state=State.SENDING).update(state=State.WAITING, next_at=at, claimed_until=None)
    assert [one.address.rpartition("/")[2] for one in claim(at=at, failing=False, limit=16)] == ["hook"]
    assert len(claim(at=at, failing=True, limit=16)) == 1


def test_a_removed_endpoint_is_sent_nothing_that_waits(acme: Company, receiver: Receiver, at: datetime):
    endpoint = hook(acme, receiver.url())
    alert(acme, 1, at)
    acme.api.send("DELETE", f"/webhook-endpoints/{endpoint.public_id}")
    send_due(at=at)
    assert (webhooks()[0].state, receiver.received) == (State.FAILED, [])


def test_what_a_dead_worker_had_claimed_is_sent_later_and_its_late_answer_counts_no_more(
    acme: Company, receiver: Receiver, at: datetime
):
    hook(acme, receiver.url())
    alert(acme, 1, at)
    assert len(claim(at=at, failing=False, limit=1)) == 1
    assert send_due(at=at).sent == 0
    later = at + timedelta(minutes=2)
    assert (send_due(at=later).sent, len(receiver.received)) == (1, 1)
    assert webhooks()[0].attempts == 2


def test_slack_is_told_of_the_vendors_accounts_and_what_a_customer_wrote_is_no_mark_up(
    acme: Company, receiver: Receiver, at: datetime
):
    acme.account.name = "Acme <!channel> *bold*"
    acme.account.save(update_fields=["name"])
    make_endpoint(account=None, terms=EndpointTerms(url=receiver.url("/hook-slack"), kind="SLACK"), at=at)
    alert(acme, 1, at)
    send_due(at=at)
    (request,) = receiver.received
    text = json.loads(request.body)["text"]
    assert "19.87 USD left" in text
    assert "<!channel>" not in text
    assert "webhook-signature" not in request.headers


@pytest.mark.parametrize("failures", range(1, len(AFTER) + 1))
def test_waits_grow_and_are_jittered_by_at_most_a_tenth(failures: int):
    wait = next_wait(failures=failures, delivery="dlv_1")
    assert wait is not None
    assert AFTER[failures - 1] <= wait <= AFTER[failures - 1] * 1.1


def test_waits_end_after_three_days():
    assert next_wait(failures=len(AFTER) + 1, delivery="dlv_1") is None
    assert timedelta(days=2, hours=23) < sum(AFTER, timedelta()) < timedelta(days=3)


def test_recipients_who_unsubscribed_or_bounced_are_suppressed_with_the_reason_but_not_from_what_is_mandatory(
    acme: Company, at: datetime
):
    for email, more in (
        ("all@acme.example", {}),
        ("gone@acme.example", {"bounced_at": at}),
        ("no@acme.example", {"unsubscribed": ["threshold_crossed", "wallet_exhausted"]}),
        ("only@acme.example", {"topics": ["lot_expired"]}),
    ):
        Recipient.objects.create(account=acme.account, email=email, created_at=at, **more)
    found = [
        {one.address.partition("@")[0]: one.reason or one.state for one in alert(acme, 1, at, topic).deliveries.order_by("id")}
        for topic in ("threshold_crossed", "wallet_exhausted")
    ]
    assert found == [
        {"all": "WAITING", "gone": "the mailbox does not exist", "no": "unsubscribed"},
        {"all": "WAITING", "gone": "the mailbox does not exist", "no": "WAITING", "only": "WAITING"},
    ]


def test_a_range_is_sent_again_with_the_same_ids_and_a_stranger_cannot(
    acme: Company, globex: Company, receiver: Receiver, at: datetime
):
    path = f"/webhook-endpoints/{hook(acme, receiver.url()).public_id}"
    for number in range(3):
        alert(acme, number, at + timedelta(seconds=number))
    send_due(at=at + timedelta(seconds=5))
    asked = {"since": (at + timedelta(seconds=1)).isoformat(), "until": (at + timedelta(seconds=2)).isoformat()}
    assert globex.api.post(f"{path}/resend", asked).status_code == 404
    assert acme.api.post(f"{path}/resend", asked).json() == {"resent": 1}
    send_due(at=clock.now() + timedelta(seconds=5))
    middle = webhooks()[1].public_id
    assert [request.id for request in receiver.received].count(middle) == 2
    assert len(receiver.received) == 4
    log = acme.api.get(f"{path}/deliveries").json()["data"]
    assert [(one["state"], one["attempts"]) for one in log] == [("sent", 1), ("sent", 2), ("sent", 1)]
