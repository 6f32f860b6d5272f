"""One wallet with a plan's allowance, a promotional lot for one meter, a paid lot and negotiated prices, charged by 16 senders
at once who share event ids: exact to the last decimal against sums worked out by hand (I2, I3, I10). Without the lock the
same race goes wrong, or it proves nothing."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from decimal import Decimal as D

import psycopg
import pytest
from django.db import DatabaseError, connection
from django.db.models import Sum

from metering.ingest import charging
from metering.ingest.batch import ingest_batch
from metering.ingest.decode import UsageInput, usage_input
from metering.usage.models import Charge, HourlyUsage, UsageEvent
from metering.usage.void import void_event
from pricing.books.draft import create_price_book, draft_version
from pricing.books.negotiate import negotiate_prices
from pricing.books.price_terms import PriceTerms, TierTerms
from pricing.books.publish import publish_version
from pricing.meters.define import define_meter
from tests.concurrency.test_debits_are_exact import read_without_lock
from tests.factories.balances import AT, wallet_of
from tests.factories.events import event_pk
from tests.factories.proofs import assert_everything_is_proved
from wallets.balances.models import Wallet
from wallets.credit.grant import grant_allowance, grant_credit
from wallets.credit.models import CreditLot

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow]

SINCE = AT - timedelta(days=60)
SENDERS, BATCHES, BATCH, EVENTS = 16, 4, 30, 300
CALLS_INCLUDED = 120


def sell_everything() -> None:
    """calls 0.01 each; output tokens 0.002 up to 10,000 and 0.001 above; pages by volume, 0.03 up to 100, 0.02 above."""
    define_meter(code="calls", event_type="work", aggregation="count", at=SINCE)
    for code in ("output", "pages"):
        define_meter(code=code, event_type="work", aggregation="sum", property=code, at=SINCE)
    tokens = [TierTerms(up_to=D(10_000), unit_price=D("0.002")), TierTerms(unit_price=D("0.001"))]
    pages = [TierTerms(up_to=D(100), unit_price=D("0.03")), TierTerms(unit_price=D("0.02"))]
    prices = [
        PriceTerms(meter="calls", unit_price=D("0.01")),
        PriceTerms(meter="output", model="graduated", tiers=tokens),
        PriceTerms(meter="pages", model="volume", tiers=pages),
    ]
    book = create_price_book(name="List", currency="USD", at=SINCE, is_default=True)
    publish_version(version=draft_version(book=book, prices=prices, at=SINCE), effective_at=SINCE, at=SINCE)


def credit_of_every_kind() -> Wallet:
    wallet = wallet_of("acme", at=SINCE)
    negotiate_prices(account=wallet.account, percent_off=D(20), prices=[], effective_at=SINCE, at=SINCE)
    grant_credit(wallet_id=wallet.pk, amount=D(9), kind="promotional", meters=["output"], at=SINCE)
    grant_credit(wallet_id=wallet.pk, amount=D(40), kind="paid", at=SINCE)
    grant_allowance(wallet_id=wallet.pk, meter="calls", quantity=D(CALLS_INCLUDED), at=SINCE)
    return wallet


def all_events() -> list[UsageInput]:
    return [
        usage_input(
            event_id=f"e{number:03}",
            event_type="work",
            account="acme",
            time=AT - timedelta(minutes=number % 90),
            properties={"output": 50 + number % 7, "pages": "0.5" if number % 2 else 1},
        )
        for number in range(EVENTS)
    ]


def send(seed: int) -> None:
    choose = random.Random(seed)
    events = all_events()
    try:
        for _ in range(BATCHES):
            ingest_batch(events=choose.sample(events, BATCH), at=AT)
    finally:
        connection.close()


def send_all() -> None:
    with ThreadPoolExecutor(SENDERS) as pool:
        for sender in [pool.submit(send, seed) for seed in range(SENDERS)]:
            sender.result()
    ingest_batch(events=all_events(), at=AT)


def assert_exact(standing: int) -> None:
    """What `standing` events (the first ones) come to, by hand, at 20 % off."""
    output = sum(50 + number % 7 for number in range(standing))
    pages = sum(D("0.5") if number % 2 else D(1) for number in range(standing))
    calls = D(standing - CALLS_INCLUDED) * D("0.01")
    tokens = 10_000 * D("0.002") + (output - 10_000) * D("0.001")
    spent = {"calls": calls * D("0.8"), "output": tokens * D("0.8"), "pages": pages * D("0.02") * D("0.8")}
    charged = Charge.objects.values("meter__code").annotate(total=Sum("amount")).values_list("meter__code", "total")
    assert dict(charged) == spent
    used = HourlyUsage.objects.values("meter__code").annotate(total=Sum("amount")).values_list("meter__code", "total")
    assert dict(used) == spent
    left = dict(CreditLot.objects.values_list("kind", "remaining"))
    assert left == {"promotional": D(0), "paid": 49 - sum(spent.values()), "plan": D(0)}
    assert Wallet.objects.get().balance == left["paid"]
    assert_everything_is_proved()


def test_sixteen_senders_charge_one_wallet_exactly() -> None:
    sell_everything()
    credit_of_every_kind()
    send_all()
    assert UsageEvent.objects.count() == EVENTS
    assert_exact(EVENTS)


def test_voids_among_them_keep_the_period_exact() -> None:
    sell_everything()
    credit_of_every_kind()
    send_all()
    with ThreadPoolExecutor(SENDERS) as pool:
        for void in [pool.submit(void_one, f"e{number:03}") for number in range(EVENTS - 40, EVENTS)]:
            void.result()
    covered = Charge.objects.filter(meter__code="calls").aggregate(total=Sum("allowance"))["total"]
    grants = CreditLot.objects.get(kind="plan").remaining
    assert covered == CALLS_INCLUDED - grants  # units went back for voided events that allowances had covered
    standing = EVENTS - 40
    output = sum(50 + number % 7 for number in range(standing))
    charged = dict(Charge.objects.values("meter__code").annotate(total=Sum("amount")).values_list("meter__code", "total"))
    assert charged["output"] == (10_000 * D("0.002") + (output - 10_000) * D("0.001")) * D("0.8")
    assert charged["calls"] == (standing - covered) * D("0.01") * D("0.8")
    assert_everything_is_proved()


def void_one(event_id: str) -> None:
    try:
        void_event(event_pk=event_pk(event_id), at=AT)
    finally:
        connection.close()


def test_without_the_lock_the_same_race_goes_wrong(monkeypatch) -> None:
    sell_everything()
    credit_of_every_kind()
    monkeypatch.setattr(charging, "lock_wallets", lambda wallet_ids, **_: read_without_lock(list(wallet_ids)))
    try:
        send_all()
        assert_exact(EVENTS)
    except (DatabaseError, psycopg.Error, AssertionError):
        return
    pytest.fail("the race without the lock went right")
