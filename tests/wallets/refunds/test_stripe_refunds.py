"""Refunds and disputes at Stripe: what it is asked, and its objects as its documentation shows them
(docs.stripe.com/api/refunds, /disputes), behind webhooks that are really signed."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest
from django.test import Client

from tests.cast import OPENED_AT, Company
from tests.factories.payments import AT, topped_up
from tests.factories.refunds import LATER, WHY, used
from tests.fakes.faulty_provider import FaultyProvider
from tests.fakes.recorded_stripe import RecordedStripe, error, listed, payment_intent, recorded_stripe
from wallets import clock
from wallets.payments.event_models import ProviderEvent
from wallets.payments.models import PaymentMethod, TopUp
from wallets.payments.providers.contract import DisputeOutcome, ProviderRefused, RefundOutcome
from wallets.payments.providers.stripe import Stripe
from wallets.refunds.handle_event import handle_money_events
from wallets.refunds.models import Dispute
from wallets.refunds.refund import refund_top_up
from wallets.refunds.send import send_refund

pytestmark = pytest.mark.django_db
SECRET = "whsec_recorded"
SECONDS = int(OPENED_AT.timestamp())


def refund_object(**changes: Any) -> dict[str, Any]:
    return {
        "id": "re_1", "object": "refund", "amount": 3000, "balance_transaction": "txn_1", "charge": "ch_1", "created": SECONDS,
        "currency": "usd", "destination_details": {"card": {"type": "refund"}, "type": "card"}, "metadata": {},
        "payment_intent": "pi_1", "reason": None, "receipt_number": None, "status": "succeeded",
    } | changes  # fmt: skip


def dispute_object(**changes: Any) -> dict[str, Any]:
    return {
        "id": "du_1", "object": "dispute", "amount": 10000, "balance_transactions": [], "charge": "ch_1", "created": SECONDS,
        "currency": "usd", "evidence": {}, "evidence_details": {"due_by": SECONDS + 86_400, "has_evidence": False,
        "past_due": False, "submission_count": 0}, "is_charge_refundable": False, "livemode": False, "metadata": {},
        "payment_intent": "pi_1", "reason": "fraudulent", "status": "needs_response",
    } | changes  # fmt: skip


@pytest.fixture
def recorded() -> Iterator[RecordedStripe]:
    with recorded_stripe() as running:
        yield running


@pytest.fixture
def stripe(recorded: RecordedStripe) -> Stripe:
    return Stripe(secret_key="sk_test_x", webhook_secret=SECRET, api_url=recorded.url)


def test_a_refund_is_asked_for_under_its_key_in_the_smallest_unit(stripe: Stripe, recorded: RecordedStripe) -> None:
    recorded.answers("POST /v1/refunds", refund_object(status="pending", currency="jpy", amount=1357))
    made = stripe.create_refund(
        key="ref_x", payment_id="pi_1", amount=D(1357), currency="JPY", reference="ref_x", reason="duplicate"
    )
    (asked,) = recorded.of("POST /v1/refunds")
    assert asked.key == "ref_x"
    assert asked.form == {
        "payment_intent": "pi_1", "amount": "1357", "metadata[refund]": "ref_x", "metadata[reason]": "duplicate",
    }  # fmt: skip
    assert (made.id, made.outcome, made.amount, made.currency) == ("re_1", RefundOutcome.PENDING, D(1357), "JPY")


def test_what_stripe_refuses_and_does_not_know(stripe: Stripe, recorded: RecordedStripe) -> None:
    refused = error("invalid_request_error", code="charge_already_refunded")
    recorded.answers("POST /v1/refunds", refused, status=400)
    with pytest.raises(ProviderRefused, match="charge_already_refunded"):
        stripe.create_refund(key="k", payment_id="pi_1", amount=D(1), currency="USD", reference="r", reason="x")
    assert (stripe.read_refund("re_9"), stripe.read_dispute("du_9"), stripe.payment_of_charge("ch_9")) == (None, None, "")
    assert (stripe.refunds_of("pi_9"), stripe.disputes_of("pi_9")) == ([], [])


@pytest.mark.parametrize(
    ("status", "outcome"),
    [("warning_needs_response", "inquiry"), ("warning_closed", "closed"), ("needs_response", "open"), ("under_review", "open"),
     ("won", "won"), ("lost", "lost"), ("a_status_of_next_year", "open")],
)  # fmt: skip
def test_disputes_in_our_words(stripe: Stripe, recorded: RecordedStripe, status: str, outcome: str) -> None:
    recorded.answers("GET /v1/disputes/du_1", dispute_object(status=status, amount=5250, currency="kwd"))
    found = stripe.read_dispute("du_1")
    assert found is not None
    assert (found.outcome, found.amount, found.payment_id) == (DisputeOutcome(outcome), D("5.25"), "pi_1")


def test_lists_are_read_to_their_end_and_in_order(stripe: Stripe, recorded: RecordedStripe) -> None:
    newer = listed(refund_object(id="re_2", created=SECONDS + 5)) | {"has_more": True}
    recorded.answers("GET /v1/refunds", newer)
    recorded.answers("GET /v1/refunds", listed(refund_object(metadata={"refund": "ref_x"})))
    assert [(one.id, one.reference) for one in stripe.refunds_of("pi_1")] == [("re_1", "ref_x"), ("re_2", "")]
    assert [asked.form.get("starting_after") for asked in recorded.of("GET /v1/refunds")] == [None, "re_2"]


def test_signed_webhooks_of_a_dispute_freeze_and_give_back(
    acme: Company, card: PaymentMethod, provider: FaultyProvider, recorded: RecordedStripe, settings: Any
) -> None:
    top_up = topped_up(acme.wallet, "100").top_up
    used(acme.wallet, "40")
    settings.CARD_PROVIDER = "wallets.payments.providers.stripe.from_settings"
    settings.STRIPE_API_URL, settings.STRIPE_WEBHOOK_SECRET = recorded.url, SECRET
    recorded.answers("GET /v1/payment_intents/pi_1", payment_intent(status="succeeded", amount=10000, amount_received=10000))
    recorded.answers("GET /v1/refunds", listed())
    for status, kind in (("needs_response", "created"), ("won", "closed")):
        for what in ("GET /v1/disputes/du_1", "GET /v1/disputes"):
            recorded.forget(what)
        recorded.answers("GET /v1/disputes/du_1", dispute_object(status=status))
        recorded.answers("GET /v1/disputes", listed(dispute_object(status=status)))
        assert posted(f"charge.dispute.{kind}", dispute_object(status=status)) == 200
        handle_money_events(at=AT)
        acme.wallet.refresh_from_db()
        expected = (D(-40), "DISPUTED") if kind == "created" else (D(60), "SUCCEEDED")
        assert (acme.wallet.balance, TopUp.objects.get().state) == expected
    assert set(ProviderEvent.objects.values_list("state", flat=True)) == {"DONE"}
    assert Dispute.objects.get().evidence_due_at is not None
    recorded.answers("POST /v1/refunds", refund_object())
    refund = send_refund(refund=refund_top_up(top_up=top_up, credit=D(30), why=WHY, at=LATER), at=LATER)
    assert (refund.state, refund.provider_ref) == ("SUCCEEDED", "re_1")


def posted(kind: str, about: dict[str, Any]) -> int:
    seconds = int(AT.timestamp())
    event = {"id": f"evt_{kind}", "object": "event", "type": kind, "created": SECONDS, "data": {"object": about}}
    body = json.dumps(event).encode()
    mac = hmac.new(SECRET.encode(), f"{seconds}.".encode() + body, hashlib.sha256).hexdigest()
    headers = {"stripe-signature": f"t={seconds},v1={mac}"}
    with clock.set_to(AT):
        answer = Client().post("/webhooks/stripe", body, content_type="application/json", headers=headers)
    return answer.status_code
