"""Our client against answers of Stripe's documented shape: each error is one of our own words, each amount is in Stripe's."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal as D
from typing import Any

import pytest

from tests.fakes.recorded_stripe import HANGS_UP, RecordedStripe, error, payment_intent, recorded_stripe
from wallets.payments.declines import SENTENCES, explain_decline
from wallets.payments.providers.contract import Outcome, ProviderRefused, ProviderUnavailable
from wallets.payments.providers.stripe import Stripe
from wallets.payments.providers.stripe_client import API_VERSION

CREATE, CONFIRM, READ = "POST /v1/payment_intents", "POST /v1/payment_intents/pi_1/confirm", "GET /v1/payment_intents/pi_1"


@pytest.fixture(scope="module")
def server() -> Iterator[RecordedStripe]:
    with recorded_stripe() as running:
        yield running


@pytest.fixture
def recorded(server: RecordedStripe) -> Iterator[RecordedStripe]:
    yield server
    server.asked.clear()
    for what in (CREATE, CONFIRM, READ):
        server.forget(what)


@pytest.fixture
def stripe(recorded: RecordedStripe) -> Stripe:
    return Stripe(secret_key="sk_test_1", webhook_secret="whsec_1", api_url=recorded.url)


def create(stripe: Stripe, amount: str, currency: str) -> Any:
    return stripe.create_payment(
        key="top_1", amount=D(amount), currency=currency, customer_id="cus_1", method_id="pm_1", reference="top_1"
    )


@pytest.mark.parametrize(
    ("amount", "currency", "units"),
    [("50", "USD", 5000), ("0.07", "EUR", 7), ("5500", "JPY", 5500), ("5.51", "KWD", 5510), ("1200", "ISK", 120000)],
)
def test_amounts_are_sent_and_read_in_the_providers_units(
    stripe: Stripe, recorded: RecordedStripe, amount: str, currency: str, units: int
) -> None:
    made = payment_intent(amount=units, currency=currency.lower(), metadata={"top_up": "top_1"})
    recorded.answers(CREATE, made)
    recorded.answers(CONFIRM, made | {"status": "succeeded", "amount_received": units})
    payment = create(stripe, amount, currency)
    (asked,) = recorded.of(CREATE)
    assert (asked.form["amount"], asked.form["currency"], asked.key, asked.version) == (
        str(units), currency.lower(), "top_1", API_VERSION,
    )  # fmt: skip
    assert (payment.amount, payment.currency, payment.outcome, payment.reference) == (D(amount), currency, "waiting", "top_1")
    paid = stripe.confirm_payment("pi_1", key="top_1:confirm", off_session=True)
    assert (paid.amount, paid.outcome) == (D(amount), Outcome.SUCCEEDED)
    assert recorded.of(CONFIRM)[0].form == {"off_session": "true"}


def test_what_kuwait_cannot_be_charged_is_never_sent(stripe: Stripe, recorded: RecordedStripe) -> None:
    with pytest.raises(ValueError, match="finer"):
        create(stripe, "5.515", "KWD")
    assert recorded.asked == []


@pytest.mark.parametrize("code", sorted(set(SENTENCES) - {"cancelled", "provider_refused"}))
def test_each_decline_is_an_outcome_with_a_sentence_that_says_what_to_do(
    stripe: Stripe, recorded: RecordedStripe, code: str
) -> None:
    declined = payment_intent(
        status="requires_payment_method",
        last_payment_error={"type": "card_error", "code": "card_declined", "decline_code": code},
    )
    recorded.answers(CONFIRM, error("card_error", code="card_declined", decline_code=code), status=402)
    recorded.answers(READ, declined)
    payment = stripe.confirm_payment("pi_1", key="k", off_session=False)
    assert (payment.outcome, payment.failure_code) == (Outcome.DECLINED, code)
    sentence = explain_decline(code)
    assert any(word in sentence for word in ("Use ", "Save ", "Choose ", "Try again", "try again", "confirm", "Look at"))
    assert code not in sentence


def test_nobody_is_told_that_a_card_is_thought_stolen() -> None:
    suspected = {"fraudulent", "lost_card", "merchant_blacklist", "pickup_card", "restricted_card", "stolen_card"}
    assert {explain_decline(code) for code in suspected} == {explain_decline("generic_decline")}


def test_an_error_without_a_decline_code_is_told_by_its_own(stripe: Stripe, recorded: RecordedStripe) -> None:
    declined = {"type": "card_error", "code": "expired_card"}
    recorded.answers(CONFIRM, {"error": declined}, status=402)
    recorded.answers(
        READ,
        payment_intent(status="requires_payment_method", last_payment_error={"type": "card_error", "code": "expired_card"}),
    )
    assert stripe.confirm_payment("pi_1", key="k", off_session=False).failure_code == "expired_card"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (500, error("api_error")),
        (502, error("api_error")),
        (503, error("api_error")),
        (429, error("invalid_request_error", code="rate_limit")),
        (429, error("invalid_request_error", code="lock_timeout")),
        (409, error("idempotency_error", message="There is another in-progress request using this key.")),
        (401, error("invalid_request_error", message="Invalid API Key provided: sk_test_1")),
        (403, error("invalid_request_error", message="The provided key does not have the required permissions")),
        (HANGS_UP, None),
    ],
    ids=["500", "502", "503", "rate limit", "lock timeout", "same key running", "wrong key", "confined key", "no answer"],
)
def test_what_may_have_acted_or_is_our_own_mistake_is_no_refusal(
    stripe: Stripe, recorded: RecordedStripe, status: int, body: Any
) -> None:
    for what in (CREATE, CONFIRM, READ):
        recorded.answers(what, body, status=status)
    with pytest.raises(ProviderUnavailable) as unavailable:
        create(stripe, "50", "USD")
    assert "sk_test" not in unavailable.value.message
    with pytest.raises(ProviderUnavailable):
        stripe.confirm_payment("pi_1", key="k", off_session=False)
    with pytest.raises(ProviderUnavailable):
        stripe.payment("pi_1")


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (400, error("invalid_request_error", code="amount_too_small")),
        (400, error("idempotency_error", message="Keys for idempotent requests can only be used with the same parameters.")),
    ],
    ids=["bad parameter", "key of another request"],
)
def test_what_surely_did_not_act_is_a_refusal(stripe: Stripe, recorded: RecordedStripe, status: int, body: Any) -> None:
    recorded.answers(CREATE, body, status=status)
    with pytest.raises(ProviderRefused):
        create(stripe, "50", "USD")


def test_a_payment_that_was_confirmed_before_is_read_as_it_is(stripe: Stripe, recorded: RecordedStripe) -> None:
    recorded.answers(CONFIRM, error("invalid_request_error", code="payment_intent_unexpected_state"), status=400)
    recorded.answers(READ, payment_intent(status="succeeded", amount_received=5000))
    assert stripe.confirm_payment("pi_1", key="k", off_session=False).outcome is Outcome.SUCCEEDED
    recorded.forget(READ)
    assert stripe.payment("pi_1") is None
