"""kill -9 of the worker at whatever point of a recharge, against the sandbox: one charge and one credit for each, never two and
never none (I4, I9). RECHARGES_KILLED says how many; 8 unless told, 200 in a long run (`make killed`)."""

from __future__ import annotations

import os
from collections import Counter
from datetime import timedelta
from decimal import Decimal
from random import Random
from typing import Final

import pytest

from tests.cast import Company
from tests.child import Child
from tests.factories.payments import AT
from tests.factories.recharge import recharging, set_rule
from tests.faults import dying_worker
from tests.faults.test_killed_while_paying import charges, payer, sandbox, save_card  # noqa: F401 - fixtures
from wallets.balances.models import Wallet
from wallets.balances.open import open_wallet
from wallets.credit.grant import grant_credit
from wallets.credit.models import CreditLot
from wallets.credit.void import void_lot
from wallets.outbox.models import News
from wallets.payments.models import TopUp
from wallets.recharge.models import RechargeDecision

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("books_hold")]
KILLED: Final = int(os.environ.get("RECHARGES_KILLED", "8"))
WHOLE: Final = ("", "decided", "charged")
MOMENTS: Final = (*WHOLE, "charged")


# From one to the next: whoever claimed a recharge has a minute to carry it on.
MINUTES: Final = 5


def wallet_below(company: Company, *, minutes: int) -> Wallet:
    """One more wallet of the company, with a rule, that has just fallen below its threshold."""
    at = AT + timedelta(minutes=minutes)
    wallet = open_wallet(account=company.account, currency="USD", at=at)
    lot = grant_credit(wallet_id=wallet.pk, amount=Decimal(6), kind="promotional", at=at)
    set_rule(wallet, at=at)
    recharging(at=at)
    void_lot(lot_public_id=lot.public_id, at=at, reason="a mistake")
    assert News.objects.filter(topic="recharge_due", subject=f"wallet:{wallet.pk}").count() == 1
    return wallet


def what_is_there(wallet: Wallet) -> str:
    """How far the killed worker came."""
    found = TopUp.objects.filter(wallet=wallet).values_list("state", flat=True).first()
    return found or ("DECIDED" if RechargeDecision.objects.filter(wallet=wallet).exists() else "NOTHING")


def test_wherever_the_worker_is_killed_each_recharge_charges_and_credits_once(
    acme: Company,
    sandbox: str,  # noqa: F811 - the fixture
    payer: Child,  # noqa: F811 - the fixture
) -> None:
    save_card(acme, sandbox)
    chance = Random(20)
    calls: dict[str, int] = {}
    killed: Counter[str] = Counter()
    left: Counter[str] = Counter()
    for number in range(-len(WHOLE), KILLED):
        since = WHOLE[number] if number < 0 else MOMENTS[number % len(MOMENTS)]
        die_at = None if number < 0 else chance.randint(1, calls[since])
        minutes = MINUTES * (number + len(WHOLE))
        wallet = wallet_below(acme, minutes=minutes)
        took = payer.call(dying_worker.work, sandbox=sandbox, minutes=minutes, die_at=die_at, since=since)
        if number < 0:
            calls[since] = took
        else:
            killed[since or "anywhere"] += took is None
            left[what_is_there(wallet)] += 1
        for later in (2, 4):  # the next worker
            recharging(at=AT + timedelta(minutes=minutes + later))
    assert killed.total() > KILLED // 2, "nearly every one is killed before it is done"

    taken = charges(sandbox)
    wallets = RechargeDecision.objects.values_list("wallet_id", flat=True)
    assert set(taken.values()) == {1}, "one charge each"
    assert len(taken) == len(set(wallets)) == len(wallets) == KILLED + len(WHOLE)
    paid = Counter(TopUp.objects.filter(public_id__in=taken, state="SUCCEEDED").values_list("wallet_id", flat=True))
    assert paid == dict.fromkeys(wallets, 1)
    assert CreditLot.objects.filter(kind="paid").count() == TopUp.objects.count() == len(taken), "one credit each"
    assert set(Wallet.objects.filter(pk__in=wallets).values_list("balance", flat=True)) == {50}
    assert set(RechargeDecision.objects.values_list("state", flat=True)) == {"SUCCEEDED"}
    told = f"{KILLED} recharges; killed {dict(killed)}; what that left {dict(left)}; charged and credited once: {len(taken)}"
    print(told)  # noqa: T201 - what the long run is for
