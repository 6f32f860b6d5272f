"""However many debits cross the threshold at once, there is one recharge; however many recharges race against the cap, it is
kept to the cent. Each race is run once more without the lock and the index: there it must go wrong, or it proves nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from decimal import Decimal as D
from threading import Barrier
from typing import Any, Final

import pytest
from django.db import connection
from pytest_django.fixtures import Settings

from tests.cast import Company
from tests.factories.balances import spend
from tests.factories.journal import assert_books_hold
from tests.factories.payments import AT, provider_in_memory, saved_card
from tests.factories.recharge import recharging, set_rule
from tests.fakes.faulty_provider import FaultyProvider
from tests.threads import at_once
from wallets.balances.lock import COLUMNS, LockBusy, LockedWallet
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_credit
from wallets.outbox.models import News
from wallets.payments.models import TopUp
from wallets.payments.offer_models import TaxRate
from wallets.recharge import decide as deciding
from wallets.recharge.models import RechargeDecision
from wallets.recharge.start import start_recharge
from wallets.recharge.states import Cause, Reason

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

DEBITS: Final = 50
RECHARGERS, EACH = 10, 10
CAP: Final = D(1000)
COST: Final = D("59.50")
TRIES: Final = 2_000


@pytest.fixture
def provider(settings: Settings, transactional_db: None) -> Iterator[FaultyProvider]:
    """In memory; these debits have no events, so what is proved afterwards is the ledger."""
    with provider_in_memory(settings) as made:
        yield made
    assert_books_hold()


@pytest.fixture
def wallet(acme: Company, provider: FaultyProvider) -> Wallet:
    """acme's, with a card."""
    saved_card(acme.account)
    return acme.wallet


def read_without_lock(wallet_id: int) -> LockedWallet:
    """What the lock reads, with nobody kept out."""
    with connection.cursor() as cursor:
        cursor.execute(
            f"SELECT {COLUMNS} FROM wallets_wallet w JOIN wallets_account a ON a.id = w.account_id WHERE w.id = %s", [wallet_id]
        )
        return LockedWallet(*cursor.fetchone())


def look_before_anybody_writes(monkeypatch: pytest.MonkeyPatch, *, threads: int) -> None:
    """No lock, no index; and all have read the facts before the first decides."""
    all_have_looked = Barrier(threads, timeout=60)
    read_facts = deciding.read_facts

    def read_and_wait(*facts: Any, **more: Any) -> Any:
        read = read_facts(*facts, **more)
        all_have_looked.wait()
        return read

    monkeypatch.setattr(deciding, "lock_wallet", read_without_lock)
    monkeypatch.setattr(deciding, "read_facts", read_and_wait)
    with connection.cursor() as cursor:
        cursor.execute("DROP INDEX recharge_one_in_flight")


@pytest.fixture
def index_comes_back(transactional_db: None) -> Iterator[None]:
    """The database is used again."""
    yield
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE wallets_rechargedecision SET state = 'FAILED', look_at = NULL, ended_at = now() WHERE state = 'IN_FLIGHT'"
        )
        cursor.execute(
            """CREATE UNIQUE INDEX recharge_one_in_flight ON wallets_rechargedecision (wallet_id)
               WHERE day IS NULL AND state = 'IN_FLIGHT'"""
        )


def debit_and_recharge(wallet: Wallet) -> RechargeDecision | None:
    """A debit, and the worker it wakes; and whoever sees it below the threshold asks for a recharge besides, edge or not."""
    after = spend(wallet, "0.10", at=AT)
    recharging(at=AT)
    return start_recharge(wallet_id=wallet.pk, at=AT) if after.balance < 5 else None


def test_fifty_debits_that_cross_the_threshold_make_one_recharge(wallet: Wallet, provider: FaultyProvider) -> None:
    grant_credit(wallet_id=wallet.pk, amount=D("5.20"), kind="promotional", at=AT)
    set_rule(wallet)
    recharging(at=AT)
    answers = at_once([lambda: debit_and_recharge(wallet)] * DEBITS)
    recharging(at=AT)
    assert [answer for answer in answers if isinstance(answer, Exception) and not isinstance(answer, LockBusy)] == []
    assert len([answer for answer in answers if answer is not None]) > DEBITS // 2, "they did race"
    wallet.refresh_from_db()
    assert (provider.charged, wallet.balance) == ([D(50)], D("55.20") - DEBITS * D("0.10"))
    assert Counter(RechargeDecision.objects.values_list("state", flat=True))["SUCCEEDED"] == 1
    assert TopUp.objects.count() == 1
    assert News.objects.filter(topic="recharge_due").count() == 1


def test_without_lock_and_index_each_debit_recharges(
    wallet: Wallet, provider: FaultyProvider, monkeypatch: pytest.MonkeyPatch, index_comes_back: None
) -> None:
    set_rule(wallet)
    look_before_anybody_writes(monkeypatch, threads=8)
    at_once([lambda: start_recharge(wallet_id=wallet.pk, at=AT)] * 8)
    assert len(provider.charged) > 1


def recharge_until_told(wallet: Wallet) -> int:
    """Recharge as often as one may, until the cap is said; how often it charged."""
    charged = 0
    for _ in range(TRIES):
        try:
            decision = start_recharge(wallet_id=wallet.pk, at=AT, cause=Cause.LOOK)
        except LockBusy:
            continue
        charged += decision is not None and decision.state == "SUCCEEDED"
        if charged == EACH or RechargeDecision.objects.filter(reason=Reason.CAP_REACHED).exists():
            break
    return charged


def low_cap(wallet: Wallet, cap: D = CAP) -> None:
    """59.50 at a time, with VAT, far below the threshold and without a cool-down."""
    wallet.account.country = "DE"
    wallet.account.save()
    TaxRate.objects.create(country="DE", name="VAT", percent=D(19), effective_at=AT)
    set_rule(wallet, threshold=D(100_000), monthly_cap=cap, cool_down_seconds=0)


def test_a_hundred_recharges_never_pass_the_cap_by_a_cent(wallet: Wallet, provider: FaultyProvider) -> None:
    fits = 9 * COST
    low_cap(wallet, cap=fits + COST - D("0.01"))
    answers = at_once([lambda: recharge_until_told(wallet)] * RECHARGERS)
    for _ in range(3):
        recharging(at=AT)
    assert [answer for answer in answers if isinstance(answer, Exception)] == []
    assert sum(provider.charged) == fits, "a cent more would have been one more"
    assert set(provider.charged) == {COST}
    last = RechargeDecision.objects.order_by("-id").first()
    assert last is not None
    assert (last.reason, last.charged_before) == (Reason.CAP_REACHED, fits)


def test_without_lock_and_index_they_pass_the_cap(
    wallet: Wallet, provider: FaultyProvider, monkeypatch: pytest.MonkeyPatch, index_comes_back: None
) -> None:
    low_cap(wallet, cap=2 * COST)
    look_before_anybody_writes(monkeypatch, threads=8)
    at_once([lambda: start_recharge(wallet_id=wallet.pk, at=AT)] * 8)
    assert sum(provider.charged) > 2 * COST
