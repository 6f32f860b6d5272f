"""What the provider tells may come twice, in any order, late, or about nothing of ours; the outcome is the same."""

from __future__ import annotations

import hashlib
import hmac
import json
from datetime import timedelta
from itertools import permutations
from typing import Any

import pytest
from django.test import Client

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT, new_top_up, topped_up
from tests.fakes.faulty_provider import FaultyProvider
from wallets import clock
from wallets.credit.models import CreditLot
from wallets.payments.event_models import ProviderEvent
from wallets.payments.handle_event import handle_events
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.providers.contract import ProviderUnavailable, SignatureWrong
from wallets.payments.providers.stripe import Stripe
from wallets.payments.receive_event import receive_event
from wallets.payments.reconcile import look_again, reconcile_in_flight
from wallets.payments.start import start_payment

pytestmark = pytest.mark.django_db

SECRET = "whsec_test"


def told(kind: str, about: str, event_id: str = "") -> None:
    receive_event(body=f"{kind} {about} {event_id}".encode(), signature="signed", at=AT)


def tell(step: str, provider: FaultyProvider, top_up: TopUp) -> None:
    """One thing that happens after the bank has paid."""
    match step:
        case "webhook":
            told("payment_intent.succeeded", "pi_1")
            handle_events(at=AT)
        case "late failure":
            told("payment_intent.payment_failed", "pi_1")
            handle_events(at=AT)
        case "return":
            look_again(top_up=TopUp.objects.get(pk=top_up.pk), at=AT)
        case "reconciliation":
            reconcile_in_flight(at=AT + timedelta(hours=1))
        case "asked again":
            start_payment(top_up=TopUp.objects.select_related("wallet__account", "method").get(pk=top_up.pk), at=AT)


STEPS = ("webhook", "late failure", "return", "reconciliation", "asked again")


@pytest.mark.parametrize("order", list(permutations(STEPS)), ids=" ".join)
def test_whoever_tells_first_the_credit_is_granted_once(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, order: tuple[str, ...]
) -> None:
    provider.asks.add(card.provider_id)
    top_up = topped_up(acme.wallet).top_up
    provider.take("pi_1")
    for step in order:
        tell(step, provider, top_up)
        top_up.refresh_from_db()
        assert top_up.state == "SUCCEEDED"
    assert CreditLot.objects.count() == 1
    assert len(provider.charged) == 1


def test_an_event_is_stored_once_and_handled_once(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    topped_up(acme.wallet)
    for _ in range(3):
        told("payment_intent.succeeded", "pi_1", "evt_1")
    assert ProviderEvent.objects.count() == 1
    assert (handle_events(at=AT), handle_events(at=AT)) == (1, 0)
    assert ProviderEvent.objects.get().state == "DONE"


def test_unknown_types_and_unknown_objects_are_kept_and_ignored(provider: FaultyProvider) -> None:
    told("customer.tax_id.updated", "txi_1")
    told("payment_intent.succeeded", "pi_of_another_shop")
    told("payment_method.detached", "pm_unknown")
    handle_events(at=AT)
    assert {event.what for event in ProviderEvent.objects.all()} == {"of a type that is not handled", "about nothing of ours"}
    assert {event.state for event in ProviderEvent.objects.all()} == {"IGNORED"}


def test_an_event_is_tried_again_until_the_provider_answers(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    topped_up(acme.wallet)
    told("payment_intent.succeeded", "pi_1")
    provider.down = True
    for minutes in range(60):
        handle_events(at=AT + timedelta(minutes=minutes))
    event = ProviderEvent.objects.get()
    assert (event.state, event.tries) == ("FAILED", 6)  # after 0, 1, 3, 7, 15 and 31 minutes
    provider.down = False
    handle_events(at=AT + timedelta(days=900))
    event.refresh_from_db()
    assert event.state == "DONE"


def test_an_event_that_overtakes_our_own_note_finds_its_top_up(
    acme: Company, card: PaymentMethod, provider: FaultyProvider
) -> None:
    top_up = new_top_up(acme.wallet)
    provider.create_payment(
        key=top_up.public_id, amount=top_up.total, currency="USD", customer_id="cus_acme", method_id=card.provider_id,
        reference=top_up.public_id,
    )  # fmt: skip
    provider.take("pi_1")
    told("payment_intent.succeeded", "pi_1")
    handle_events(at=AT)
    top_up.refresh_from_db()
    assert (top_up.state, top_up.payment_id) == ("SUCCEEDED", "pi_1")


def signed(body: bytes, *, at_seconds: int, secret: str = SECRET) -> str:
    mac = hmac.new(secret.encode(), f"{at_seconds}.".encode() + body, hashlib.sha256).hexdigest()
    return f"t={at_seconds},v1={mac}"


def event_body(**changes: Any) -> bytes:
    event = {
        "id": "evt_1",
        "object": "event",
        "type": "payment_intent.succeeded",
        "created": int(OPENED_AT.timestamp()),
        "data": {"object": {"id": "pi_1", "object": "payment_intent"}},
    }
    return json.dumps(event | changes).encode()


def test_stripes_signature_and_replay_window_are_checked() -> None:
    stripe = Stripe(secret_key="sk_test_1", webhook_secret=SECRET)
    seconds = int(AT.timestamp())
    news = stripe.read_event(event_body(), signature=signed(event_body(), at_seconds=seconds), at=AT)
    assert (news.id, news.kind, news.object_id, news.happened_at) == ("evt_1", "payment_intent.succeeded", "pi_1", OPENED_AT)
    for body, signature in (
        (event_body(), signed(event_body(), at_seconds=seconds, secret="another")),
        (event_body(id="evt_2"), signed(event_body(), at_seconds=seconds)),
        (event_body(), signed(event_body(), at_seconds=seconds - 301)),
        (event_body(), signed(event_body(), at_seconds=seconds + 301)),
        (event_body(), ""),
        (event_body(), "t=x,v1=y"),
        (b"[]", signed(b"[]", at_seconds=seconds)),
        (b"\xff", signed(b"\xff", at_seconds=seconds)),
        (event_body(data={"object": []}), signed(event_body(data={"object": []}), at_seconds=seconds)),
    ):
        with pytest.raises(SignatureWrong):
            stripe.read_event(body, signature=signature, at=AT)
    with pytest.raises(SignatureWrong):
        Stripe(secret_key="sk_test_1", webhook_secret="").read_event(
            event_body(), signature=signed(event_body(), at_seconds=seconds, secret=""), at=AT
        )


def test_the_endpoint_stores_what_is_signed_and_refuses_the_rest(settings: Any) -> None:
    settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET = "sk_test_1", SECRET
    body = event_body(type="a.type.of.next.year")
    headers = {"stripe-signature": signed(body, at_seconds=int(AT.timestamp()))}
    client = Client(enforce_csrf_checks=True)
    with clock.set_to(AT):
        answers = [
            client.post("/webhooks/stripe", body, content_type="application/json", headers=headers).status_code
            for _ in range(2)
        ]
        wrong = client.post("/webhooks/stripe", body, content_type="application/json", headers={"stripe-signature": "x"})
    assert (answers, wrong.status_code) == ([200, 200], 400)
    assert bytes(ProviderEvent.objects.get().body) == body
    assert client.get("/webhooks/stripe").status_code == 405


@pytest.mark.parametrize("call", ["create_customer", "create_payment", "confirm_payment"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_timeout_anywhere_charges_once_and_credits_once(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, call: str, when: Any
) -> None:
    if call == "create_customer":
        acme.account.provider_customers.all().delete()
    top_up = new_top_up(acme.wallet)
    provider.faults.append((call, when))
    with pytest.raises(ProviderUnavailable):
        start_payment(top_up=top_up, at=AT)
    acme.wallet.refresh_from_db()
    assert acme.wallet.version == 0
    again = TopUp.objects.select_related("wallet__account", "method").get(pk=top_up.pk)
    assert start_payment(top_up=again, at=AT).top_up.state == "SUCCEEDED"
    assert (len(provider.charged), CreditLot.objects.count()) == (1, 1)


def test_the_reconciliation_finishes_what_a_timeout_left(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    for number, (call, when) in enumerate(
        (("create_payment", "after"), ("confirm_payment", "before"), ("confirm_payment", "after"))
    ):
        provider.faults.append((call, when))  # type: ignore[arg-type] # a table
        with pytest.raises(ProviderUnavailable):
            start_payment(top_up=new_top_up(acme.wallet, request_key=str(number)), at=AT)
    provider.down = True
    reconcile_in_flight(at=AT + timedelta(minutes=30))
    provider.down = False
    reconcile_in_flight(at=AT + timedelta(hours=2))
    states = list(TopUp.objects.order_by("id").values_list("state", flat=True))
    # No payment was noted: none was confirmed. One that waited for an hour is given up. One that was paid is credited.
    assert states == ["EXPIRED", "EXPIRED", "SUCCEEDED"]
    assert (len(provider.charged), CreditLot.objects.count()) == (1, 1)
    assert provider.payments["pi_2"].outcome == "cancelled"
