"""A wallet that stays locked is 503 with Retry-After, and nothing has changed."""

from __future__ import annotations

import threading

import pytest
from django.db import connection, transaction

from tests.cast import Api, Company
from wallets.balances import lock


@pytest.mark.django_db(transaction=True)
def test_a_wallet_that_stays_locked_is_503_and_can_be_asked_again(
    vendor: Api, acme: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock, "LOCK_TIMEOUT_MS", 100)
    locked, answered = threading.Event(), threading.Event()

    def hold() -> None:
        with transaction.atomic():
            lock.lock_wallet(acme.wallet.pk)
            locked.set()
            answered.wait(10)
        connection.close()

    holder = threading.Thread(target=hold)
    holder.start()
    assert locked.wait(10)
    path, body = f"/wallets/{acme.wallet.public_id}/credits", {"amount": "10", "kind": "paid"}
    busy = [vendor.post(path, body), vendor.post(path, body, idempotency_key="c-1")]
    answered.set()
    holder.join()
    for answer in busy:
        assert (answer.status_code, answer.json()["code"], answer["Retry-After"]) == (503, "lock_busy", "1")
    assert vendor.get(f"/wallets/{acme.wallet.public_id}").json()["balance"] == "0.00"
    again = vendor.post(path, body, idempotency_key="c-1")
    assert (again.status_code, again.get("Idempotency-Replayed"), again["X-Balance-Available"]) == (201, None, "10.00")
