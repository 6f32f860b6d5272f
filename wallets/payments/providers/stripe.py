"""Card payments through Stripe: its objects become the words of the contract here (`stripe_client.py`: its errors)."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import stripe
from django.conf import settings

from wallets.payments.currencies import from_provider, to_provider
from wallets.payments.providers.contract import (
    MoneyMoved,
    Outcome,
    ProviderCard,
    ProviderNews,
    ProviderPayment,
    ProviderRefused,
    SetUp,
    SignatureWrong,
)
from wallets.payments.providers.stripe_client import Declined as _Declined
from wallets.payments.providers.stripe_client import asked as _asked
from wallets.payments.providers.stripe_client import found as _found
from wallets.payments.providers.stripe_client import stripe_client
from wallets.payments.providers.stripe_refunds import StripeRefunds

PAGE: Final = 100
# Stripe's own recommendation: a webhook repeated later is a replay. Stripe signs each new attempt with its own time.
REPLAY_WINDOW_SECONDS: Final = 300
LARGEST_EVENT_BYTES: Final = 1024 * 1024

_OUTCOMES: Final[Mapping[str, Outcome]] = {
    "requires_confirmation": Outcome.WAITING,
    "requires_action": Outcome.NEEDS_ACTION,
    "processing": Outcome.PROCESSING,
    "requires_capture": Outcome.PROCESSING,
    "succeeded": Outcome.SUCCEEDED,
    "canceled": Outcome.CANCELLED,
}


class Stripe(StripeRefunds):
    """Card payments through Stripe."""

    name = "stripe"

    def __init__(self, *, secret_key: str, webhook_secret: str, api_url: str = "") -> None:
        """api_url: of the sandbox; empty is Stripe's own."""
        self._webhook_secret = webhook_secret
        self._client = stripe_client(secret_key, api_url)

    def create_customer(self, *, key: str, account: str, name: str, email: str) -> str:
        params: Any = {"name": name, "metadata": {"account": account}}
        if email:
            params["email"] = email
        customer = _asked(lambda: self._client.v1.customers.create(params, {"idempotency_key": key}))
        return str(customer.id)

    def begin_set_up(self, *, customer_id: str) -> SetUp:
        params: Any = {"customer": customer_id, "usage": "off_session", "payment_method_types": ["card"]}
        return _set_up(_asked(lambda: self._client.v1.setup_intents.create(params)))

    def set_up(self, set_up_id: str) -> SetUp:
        return _set_up(_asked(lambda: self._client.v1.setup_intents.retrieve(set_up_id)))

    def keep_card(self, method_id: str, *, customer_id: str) -> ProviderCard:
        method = _asked(lambda: self._client.v1.payment_methods.retrieve(method_id))
        if not _id_of(method.customer):  # Stripe attaches what a SetupIntent saved; the sandbox does not
            method = _asked(lambda: self._client.v1.payment_methods.attach(method_id, {"customer": customer_id}))
        card: Any = method.card
        if card is None:
            raise ProviderRefused("Only cards can be saved here.")
        return ProviderCard(
            id=method.id,
            brand=str(card["brand"]),
            last_four=str(card["last4"]),
            exp_month=int(card["exp_month"]),
            exp_year=int(card["exp_year"]),
            fingerprint=str(card["fingerprint"] or ""),
            customer_id=_id_of(method.customer),
        )

    def forget_card(self, method_id: str) -> None:
        try:
            _asked(lambda: self._client.v1.payment_methods.detach(method_id))
        except ProviderRefused:  # it is nobody's already
            return

    def create_payment(
        self, *, key: str, amount: Decimal, currency: str, customer_id: str, method_id: str, reference: str
    ) -> ProviderPayment:
        params: Any = {
            "amount": to_provider(amount, currency),
            "currency": currency.lower(),
            "customer": customer_id,
            "payment_method_types": ["card"],
            "metadata": {"top_up": reference},
        }
        if method_id:
            params["payment_method"] = method_id
        return _payment(_asked(lambda: self._client.v1.payment_intents.create(params, {"idempotency_key": key})))

    def confirm_payment(self, payment_id: str, *, key: str, off_session: bool) -> ProviderPayment:
        params: Any = {"off_session": True} if off_session else {}
        try:
            return _payment(
                _asked(lambda: self._client.v1.payment_intents.confirm(payment_id, params, {"idempotency_key": key}))
            )
        except (_Declined, ProviderRefused):
            # Declined, or confirmed before: what became of it stands in the payment itself.
            found = self.payment(payment_id)
            if found is None or found.outcome is Outcome.WAITING:
                raise
            return found

    def payment(self, payment_id: str) -> ProviderPayment | None:
        return _found(lambda: _payment(_asked(lambda: self._client.v1.payment_intents.retrieve(payment_id))))

    def cancel_payment(self, payment_id: str) -> ProviderPayment | None:
        try:
            return _found(lambda: _payment(_asked(lambda: self._client.v1.payment_intents.cancel(payment_id))))
        except ProviderRefused:  # it has moved money, or was given up before
            return self.payment(payment_id)

    def read_event(self, body: bytes, *, signature: str, at: datetime) -> ProviderNews:
        wrong = "This is not signed by the payment provider."
        if not self._webhook_secret or len(body) > LARGEST_EVENT_BYTES:
            raise SignatureWrong(wrong)
        try:
            text = body.decode()
            # Its own check of the time would ask another clock than ours; the header is checked below.
            stripe.WebhookSignature.verify_header(text, signature, self._webhook_secret, None)
            signed_at = next(int(part[2:]) for part in signature.split(",") if part.startswith("t="))
            event = json.loads(text)
            news = ProviderNews(
                id=str(event["id"]),
                kind=str(event["type"]),
                object_id=str(event["data"]["object"].get("id", "")),
                happened_at=datetime.fromtimestamp(int(event["created"]), UTC),
            )
        except (stripe.StripeError, ValueError, KeyError, TypeError, AttributeError, StopIteration, OverflowError) as error:
            raise SignatureWrong(wrong) from error
        if abs(int(at.timestamp()) - signed_at) > REPLAY_WINDOW_SECONDS:
            raise SignatureWrong(f"This was signed more than {REPLAY_WINDOW_SECONDS} seconds from now.")
        return news

    def money_moved(self, *, since: datetime) -> Iterator[MoneyMoved]:
        after: str | None = None
        while True:
            params: Any = {"limit": PAGE, "expand": ["data.source"]} | ({"starting_after": after} if after else {})
            page = _asked(lambda params=params: self._client.v1.balance_transactions.list(params))  # type: ignore[misc]
            for one in page.data:
                moved = _moved(one)
                if moved.at < since:
                    return
                yield moved
                after = one.id
            if not page.has_more:
                return


@lru_cache(maxsize=2)
def _client_of(secret_key: str, webhook_secret: str, api_url: str) -> Stripe:
    return Stripe(secret_key=secret_key, webhook_secret=webhook_secret, api_url=api_url)


def from_settings() -> Stripe | None:
    """Stripe as the settings say; None when there is no key."""
    if not settings.STRIPE_SECRET_KEY:
        return None
    return _client_of(settings.STRIPE_SECRET_KEY, settings.STRIPE_WEBHOOK_SECRET, settings.STRIPE_API_URL)


def _id_of(value: Any) -> str:
    """An id that may have come as the whole object."""
    return str(value if isinstance(value, str) else value["id"]) if value else ""


def _get(thing: Any, name: str) -> Any:
    """A member that an object may lack."""
    return getattr(thing, name, None)


def _set_up(intent: Any) -> SetUp:
    return SetUp(
        id=intent.id,
        succeeded=intent.status == "succeeded",
        customer_id=_id_of(_get(intent, "customer")),
        client_secret=_get(intent, "client_secret") or "",
        method_id=_id_of(_get(intent, "payment_method")),
    )


def _payment(intent: Any) -> ProviderPayment:
    error = _get(intent, "last_payment_error")
    declined = intent.status == "requires_payment_method" and error is not None
    outcome = Outcome.DECLINED if declined else _OUTCOMES.get(intent.status, Outcome.WAITING)
    currency = intent.currency.upper()
    received = _get(intent, "amount_received") if outcome is Outcome.SUCCEEDED else None
    metadata = _get(intent, "metadata") or {}
    return ProviderPayment(
        id=intent.id,
        outcome=outcome,
        amount=from_provider(intent.amount if received is None else received, currency),
        currency=currency,
        reference=str(metadata["top_up"]) if "top_up" in metadata else "",
        client_secret=_get(intent, "client_secret") or "",
        method_id=_id_of(_get(intent, "payment_method")),
        failure_code=str(_get(error, "decline_code") or _get(error, "code") or "card_declined") if declined else "",
    )


def _moved(line: Any) -> MoneyMoved:
    source: Any = _get(line, "source")
    payment = None if source is None or isinstance(source, str) else _get(source, "payment_intent")
    currency = line.currency.upper()
    return MoneyMoved(
        id=line.id,
        kind=line.type,
        payment_id=_id_of(payment),
        amount=from_provider(line.amount, currency),
        fee=from_provider(line.fee, currency),
        currency=currency,
        at=datetime.fromtimestamp(line.created, UTC),
    )
