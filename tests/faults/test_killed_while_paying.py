"""kill -9 of a process at whatever point of a payment, against the sandbox: what the card was charged is credited, once, and
nothing else is (I9). PAYMENTS_KILLED says how many; 12 unless told, 200 in a long run."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random
from typing import Any, Final
from urllib.request import Request, urlopen

import pytest
from pytest_django.fixtures import Settings

from tests.cast import Company
from tests.child import Child
from tests.factories.payments import AT
from tests.faults import dying_payer
from tests.stripe_sandbox import stripe_sandbox
from wallets.credit.models import CreditLot
from wallets.payments.cards import begin_card, keep_card
from wallets.payments.models import TopUp
from wallets.payments.reconcile import reconcile_in_flight
from wallets.risk.models import VelocityRule

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_hold")]
KILLED: Final = int(os.environ.get("PAYMENTS_KILLED", "12"))


def ask(sandbox: str, path: str, **form: str) -> Any:
    data = "&".join(f"{name}={text}" for name, text in form.items()).encode() or None
    request = Request(f"{sandbox}{path}", data, {"Authorization": "Bearer sk_test_sandbox"})
    with urlopen(request, timeout=20) as answer:
        return json.load(answer)


@pytest.fixture
def sandbox(settings: Settings) -> Iterator[str]:
    with stripe_sandbox(settings) as running:
        yield running


@pytest.fixture
def payer() -> Iterator[Child]:
    with Child() as child:
        yield child


def save_card(company: Company, sandbox: str) -> None:
    """As the browser does it."""
    begun = begin_card(account=company.account, at=AT)
    method = ask(
        sandbox, "/v1/payment_methods", type="card", **{
            "card[number]": "4242424242424242", "card[exp_month]": "12", "card[exp_year]": "2031", "card[cvc]": "123",
        },
    )  # fmt: skip
    ask(sandbox, f"/v1/setup_intents/{begun.id}/confirm", client_secret=begun.client_secret, payment_method=method["id"])
    keep_card(account=company.account, set_up_id=begun.id, at=AT)


def charges(sandbox: str) -> Counter[str]:
    """Top-up -> how often the card was charged for it."""
    intents = ask(sandbox, "/v1/payment_intents?limit=1000")["data"]
    return Counter(one["metadata"]["top_up"] for one in intents if one["status"] == "succeeded")


def test_wherever_it_is_killed_each_charge_is_credited_once(acme: Company, sandbox: str, payer: Child) -> None:
    VelocityRule.objects.all().delete()  # so many in an hour are refused otherwise
    save_card(acme, sandbox)
    chance = Random(4)
    told: dict[str, Any] = {"wallet": acme.wallet.public_id, "sandbox": sandbox}
    calls = payer.call(dying_payer.pay, key="whole", origin="customer", die_at=None, **told)
    after = payer.call(dying_payer.pay, key="after", origin="customer", die_at=None, charged=True, **told)
    killed = 0
    for number in range(KILLED):
        charged = number % 2 == 0  # between the charge and the commit, where it matters most
        origin = "recharge" if number % 4 < 2 else "customer"
        die_at = chance.randint(1, after if charged else calls)
        took = payer.call(dying_payer.pay, key=f"k{number}", origin=origin, die_at=die_at, charged=charged, **told)
        killed += took is None
    assert killed > KILLED // 2, "nearly every one is killed before it is done"
    for minutes in (2, 120, 122):
        reconcile_in_flight(at=AT + timedelta(minutes=minutes))
    taken = charges(sandbox)
    assert set(taken.values()) == {1}
    ended = TopUp.objects.values_list("public_id", "state", "origin", "lot")
    assert {state for _, state, _, _ in ended} <= {"SUCCEEDED", "EXPIRED"}
    assert {name for name, state, _, _ in ended if state == "SUCCEEDED"} == set(taken)
    assert {state for _, state, origin, _ in ended if origin == "recharge"} == {"SUCCEEDED"}
    assert CreditLot.objects.count() == len(taken) == len({lot for _, state, _, lot in ended if state == "SUCCEEDED"})
    acme.wallet.refresh_from_db()
    assert acme.wallet.balance == 50 * len(taken)
