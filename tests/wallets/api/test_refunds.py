"""Money back over HTTP."""

from __future__ import annotations

from decimal import Decimal as D

import pytest

from tests.cast import Api, Company
from tests.factories.payments import topped_up
from tests.factories.refunds import withdrawal_of
from tests.fakes.faulty_provider import FaultyProvider
from wallets import clock
from wallets.payments.models import PaymentMethod

pytestmark = pytest.mark.django_db


def test_a_top_up_is_refunded_once_for_a_key(acme: Company, vendor: Api, card: PaymentMethod, provider: FaultyProvider) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    path, body = f"/topups/{top_up.public_id}/refunds", {"amount": "30", "reason": "duplicate"}
    first, again = (vendor.post(path, body, idempotency_key="k") for _ in range(2))
    assert (first.status_code, again.status_code, again["Idempotency-Replayed"]) == (201, 201, "true")
    answer = first.json()
    assert again.json() == answer
    assert (answer["status"], answer["total"], answer["used"], answer["top_up"]) == (
        "succeeded", "30.00", "0.00", top_up.public_id,
    )  # fmt: skip
    assert provider.given_back == [D(30)]
    assert acme.api.get(path).json()["data"] == [answer]
    assert acme.api.get(f"/refunds/{answer['id']}").json() == answer
    refused = vendor.post(path, {"amount": "21", "reason": "duplicate"})
    assert (refused.status_code, refused.json()["code"]) == (409, "more_than_unused")
    assert acme.api.post(path, body).status_code == 403  # a customer asks for a withdrawal


def test_a_provider_that_does_not_answer_is_an_answer(
    acme: Company, vendor: Api, card: PaymentMethod, provider: FaultyProvider
) -> None:
    top_up = topped_up(acme.wallet, "50").top_up
    provider.down = True
    answer = vendor.post(f"/topups/{top_up.public_id}/refunds", {"amount": "30", "reason": "duplicate"})
    assert (answer.status_code, answer.json()["status"]) == (201, "created")


def test_withdrawals_are_read_and_cancelled(acme: Company, card: PaymentMethod, provider: FaultyProvider) -> None:
    topped_up(acme.wallet, "50")
    asked = withdrawal_of(acme, "20", at=clock.now())
    listed = acme.api.get(f"/wallets/{acme.wallet.public_id}/withdrawals").json()["data"]
    assert [(one["id"], one["status"], one["amount"]) for one in listed] == [(asked.public_id, "requested", "20.00")]
    cancelled = acme.api.post(f"/withdrawals/{asked.public_id}/cancel")
    assert (cancelled.status_code, cancelled.json()["status"]) == (200, "cancelled")
    assert acme.api.get(f"/withdrawals/{asked.public_id}").json()["status"] == "cancelled"
    assert acme.api.post(f"/withdrawals/{asked.public_id}/cancel").json()["code"] == "withdrawal_ended"
